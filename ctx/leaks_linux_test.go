package ctx_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
)

func TestLeaksTellsWhyItCannotLook(t *testing.T) {
	task := spawn(t, yields)
	var was syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was))
	none := was
	none.Cur = 0
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none))
	_, err := ctx.Leaks()
	var r report
	ctx.CheckLeaks(&r)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was))
	require.ErrorIs(t, err, ctx.ErrLeaks)
	require.ErrorIs(t, err, syscall.EMFILE)
	require.Equal(t, []string{err.Error()}, r.errors)
	finish(t, task)
}
