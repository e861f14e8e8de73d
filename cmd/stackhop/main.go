package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

// A command is one subcommand. Its run reads flags from args and writes its
// result to out; an error goes to standard error and makes the exit status 1. Only
// its progress does run write to errOut.
type command struct {
	name    string
	summary string
	about   string // for its help
	run     func(args []string, out, errOut io.Writer) error
}

func commands() []command {
	return []command{
		{
			"demo", "the main ideas, running: eager start, suspension anywhere, hand-over, panics",
			"Runs small scenes that show the main ideas, and measures what a switch costs.", demo,
		},
		{
			"bench", "times, heap and memory beside iter.Pull, channels and goroutines (-json)",
			"Measures times, heap and memory beside iter.Pull, channels and goroutines. Subjects of one table take turns; " +
				"each row of the table of memory has a process of its own. It takes about a minute; on a terminal it says how much is left.", bench,
		},
		{
			"doctor", "which backend and stacks this machine gets, and why (-json)",
			"Says which backend runs on this machine, which storage tasks get, whether stacks can grow in place, how guards are made, " +
				"how sched.Net waits, and why each is so. The exit status is 1 if a setting is not understood.", doctor,
		},
		{
			"version", "the version of this program (-json)",
			"Says which version of the module, revision of the source and Go release this program was built from.", printVersion,
		},
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its surroundings as arguments. It returns the exit status:
// 0, 1 for a failure, 2 for a command line that makes no sense.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		if len(rest) > 0 {
			name, rest = rest[0], []string{"-h"}
			break
		}
		usage(stdout)
		return 0
	case childCommand:
		return status(child(rest, stdout), stderr)
	}
	for _, c := range commands() {
		if c.name == name {
			return status(c.run(rest, stdout, stderr), stderr)
		}
	}
	fmt.Fprintf(stderr, "stackhop: unknown command %q\n", name)
	usage(stderr)
	return 2
}

func status(err error, stderr io.Writer) int {
	var bad *usageError
	switch {
	case err == nil, err == flag.ErrHelp:
		return 0
	case asUsage(err, &bad):
		fmt.Fprintln(stderr, "stackhop:", err)
		return 2
	default:
		fmt.Fprintln(stderr, "stackhop:", err)
		return 1
	}
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: stackhop <command> [flags]")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "stackhop <command> -h lists the flags of a command.")
}
