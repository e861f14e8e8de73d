package main

import (
	"errors"
	"io"
)

const echoBuffer = 16 << 10

// Echo sends back what comes.
func Echo(c io.ReadWriter) error {
	buf := make([]byte, echoBuffer)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			if _, err := c.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
