package main

import (
	"strings"
	"unicode/utf8"
)

// columns is the width that demo and the help texts fit in.
const columns = 80

// wrap breaks text between words so that its lines have at most columns
// characters. Lines after the first begin with indent spaces more than the first
// does.
func wrap(text string, indent int) string {
	words := strings.Fields(text)
	if len(words) == 0 || utf8.RuneCountInString(text) <= columns {
		return text
	}
	own := len(text) - len(strings.TrimLeft(text, " "))
	var b strings.Builder
	b.WriteString(text[:own])
	b.WriteString(words[0])
	used := own + utf8.RuneCountInString(words[0])
	for _, w := range words[1:] {
		n := utf8.RuneCountInString(w)
		if used+1+n > columns {
			b.WriteString("\n" + strings.Repeat(" ", own+indent) + w)
			used = own + indent + n
			continue
		}
		b.WriteString(" " + w)
		used += 1 + n
	}
	return b.String()
}
