package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// A usageError is a command line that cannot be read.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func asUsage(err error, target **usageError) bool { return errors.As(err, target) }

// flags returns an empty flag set that prints its help on out.
func flags(name string, out io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("stackhop "+name, flag.ContinueOnError)
	fs.SetOutput(out)
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
		return &usageError{err}
	case fs.NArg() > 0:
		return &usageError{fmt.Errorf("%s: unexpected argument %q", fs.Name(), fs.Arg(0))}
	}
	return nil
}
