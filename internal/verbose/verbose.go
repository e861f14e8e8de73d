// Package verbose has the formats that errors with a stack have in common.
package verbose

import (
	"fmt"
	"io"
	"strconv"
)

// Format writes text for a Formatter: %+v with more behind it, a line between the
// two; %q quoted; all else as %s.
func Format(f fmt.State, verb rune, text string, more func() string) {
	switch {
	case verb == 'v' && f.Flag('+'):
		if s := more(); s != "" {
			text += "\n\n" + s
		}
	case verb == 'q':
		text = strconv.Quote(text)
	}
	if width, ok := f.Width(); ok && verb != 'v' {
		flags := ""
		if f.Flag('-') {
			flags = "-"
		}
		text = fmt.Sprintf("%"+flags+"*s", width, text)
	}
	_, _ = io.WriteString(f, text)
}
