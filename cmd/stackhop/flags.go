package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"time"
)

// A usageError is a command line that cannot be read.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func asUsage(err error, target **usageError) bool { return errors.As(err, target) }

// errLimit is the sentinel of a limitError.
var errLimit = errors.New("flag value out of its limits")

// A limitError is a flag's value that is out of its limits.
type limitError struct {
	flag             string
	value, low, high any
	why              string // what the upper limit is; may be empty
}

func (e *limitError) Error() string {
	text := fmt.Sprintf("-%s %v: want %v to %v", e.flag, e.value, e.low, e.high)
	if e.why != "" {
		text += ", " + e.why
	}
	return text
}

func (e *limitError) Is(target error) bool { return target == errLimit }

// within returns a usage error unless value is low to high.
func within[T int | time.Duration](flag string, value, low, high T, why string) error {
	if low <= value && value <= high {
		return nil
	}
	return &usageError{&limitError{flag, value, low, high, why}}
}

// flags returns a flag set without flags. Its help begins with the command's
// summary and goes to out.
func flags(name string, out io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("stackhop "+name, flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "usage: %s [flags]\n", fs.Name())
		for _, c := range commands() {
			if c.name == name {
				fmt.Fprintf(fs.Output(), "%s\n", wrap(c.about, 0))
			}
		}
		fmt.Fprintln(fs.Output(), "flags:")
		fs.PrintDefaults()
		fmt.Fprintln(fs.Output(), "  -h\tprint this")
	}
	return fs
}

// parse reads args, of which every one must be a flag.
func parse(fs *flag.FlagSet, args []string) error {
	out := fs.Output()
	fs.SetOutput(io.Discard)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(out)
		fs.Usage()
		return err
	case err != nil:
		return &usageError{fmt.Errorf("%s: %w", fs.Name(), err)}
	case fs.NArg() > 0:
		return &usageError{fmt.Errorf("%s: unexpected argument %q", fs.Name(), fs.Arg(0))}
	}
	return nil
}

// Limits of what a measurement may be asked for.
const (
	leastRound, mostRound = time.Microsecond, time.Minute
	mostRounds            = 1_000_000
	mostTasks             = 10_000_000
)

// clockFlags adds the flags of a clock to fs.
func clockFlags(fs *flag.FlagSet) *clock {
	c := &clock{procs: 1}
	fs.DurationVar(&c.round, "round", 500*time.Microsecond, fmt.Sprintf("`time` of one round of one measurement, %v to %v", leastRound, mostRound))
	fs.IntVar(&c.rounds, "rounds", 601, fmt.Sprintf("`number` of rounds, of which the median counts, 1 to %d", mostRounds))
	return c
}

// check returns a usage error if c is out of its limits.
func (c clock) check() error {
	return errors.Join(
		within("round", c.round, leastRound, mostRound, ""),
		within("rounds", c.rounds, 1, mostRounds, ""),
		within("procs", c.procs, 1, runtime.NumCPU(), "the processors of this machine"),
	)
}
