//go:build !linux

package ctx

import (
	"errors"
	"fmt"
	"runtime"
)

func unreachable([]*identity) (map[string]bool, error) {
	return nil, fmt.Errorf("no way on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
