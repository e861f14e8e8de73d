package ctx_test

import (
	"context"
	"fmt"

	"github.com/stackhop/stackhop/ctx"
)

type userKey struct{}

func ExampleTask_Context() {
	request := context.WithValue(context.Background(), userKey{}, "ada")
	_, _ = ctx.Spawn(func(parent *ctx.Task) {
		_, _ = ctx.Spawn(func(child *ctx.Task) {
			fmt.Println("child:", child.Context().Value(userKey{}))
		}, ctx.WithParent(parent))
	}, ctx.WithContext(request))
	// Output:
	// child: ada
}

func ExampleTask_SetContext() {
	_, _ = ctx.Spawn(func(parent *ctx.Task) {
		parent.SetContext(context.WithValue(parent.Context(), userKey{}, "grace"))
		_, _ = ctx.Spawn(func(child *ctx.Task) {
			fmt.Println("child:", child.Context().Value(userKey{}))
		}, ctx.WithParent(parent))
	})
	// Output:
	// child: grace
}
