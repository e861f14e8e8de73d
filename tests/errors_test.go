package tests

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// An exported error has one value in the whole module: of the declarations of a name
// one makes it, and the others refer to that name in another package.
func TestEachErrorHasOneValue(t *testing.T) {
	made := map[string][]string{} // where
	declared := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			switch d.Name() {
			case "internal", "testdata", "cmd", "examples", ".git":
				return fs.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			vars, ok := decl.(*ast.GenDecl)
			if !ok || vars.Tok != token.VAR {
				continue
			}
			for _, spec := range vars.Specs {
				spec := spec.(*ast.ValueSpec)
				for i, name := range spec.Names {
					if !strings.HasPrefix(name.Name, "Err") {
						continue
					}
					declared++
					require.Len(t, spec.Values, len(spec.Names), "%s: %s has no value", path, name)
					if of, ok := spec.Values[i].(*ast.SelectorExpr); ok {
						require.Equal(t, name.Name, of.Sel.Name, "%s: another name of the same error", path)
						continue
					}
					made[name.Name] = append(made[name.Name], path)
				}
			}
		}
		return nil
	}))
	require.Greater(t, declared, 40)
	for name, paths := range made {
		require.Len(t, paths, 1, "%s is made twice", name)
	}
}

func TestErrorsMatchAcrossPackages(t *testing.T) {
	task, err := ctx.Spawn(func(task *ctx.Task) {
		require.ErrorIs(t, task.Resume(), stackhop.ErrRunning)
		require.ErrorIs(t, task.Free(), stackhop.ErrNotDone)
	})
	require.NoError(t, err)
	require.NoError(t, task.Err())
	require.ErrorIs(t, task.Resume(), stackhop.ErrDone)
	_, err = ctx.Spawn(nil)
	require.ErrorIs(t, err, stackhop.ErrNilBody)
	for _, closed := range []error{mmapstack.ErrClosed, leaf.ErrClosed, join.ErrClosed, sched.ErrClosed} {
		require.ErrorIs(t, closed, stackhop.ErrClosed)
	}
	require.ErrorIs(t, sched.ErrRunning, resume.ErrRunning)
}

func TestATimeoutIsADeadline(t *testing.T) {
	err := leaf.Timeout(time.Microsecond, func(*ctx.Task) error { return leaf.Sleep(time.Hour) })
	require.ErrorIs(t, err, leaf.ErrTimeout)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, context.Canceled)
	var timeout net.Error
	require.True(t, errors.As(err, &timeout))
	require.True(t, timeout.Timeout())
}
