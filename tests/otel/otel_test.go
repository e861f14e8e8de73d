package otel

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/leaf"
)

// A recorder has the spans that a test has ended.
type recorder struct {
	*tracetest.SpanRecorder
	trace.Tracer
}

func newRecorder(t *testing.T) recorder {
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })
	return recorder{spans, provider.Tracer("stackhop")}
}

// parents returns the name of each span's parent, by the span's name.
func (r recorder) parents() map[string]string {
	names := map[trace.SpanID]string{}
	for _, s := range r.Ended() {
		names[s.SpanContext().SpanID()] = s.Name()
	}
	of := map[string]string{}
	for _, s := range r.Ended() {
		of[s.Name()] = names[s.Parent().SpanID()]
	}
	return of
}

// work is what a library does that is given a context: a span around it.
func (r recorder) work(c context.Context, name string) {
	_, span := r.Start(c, name)
	span.SetAttributes(attribute.String("is", name))
	span.End()
}

// arm is a body that does some work.
func (r recorder) arm(name string) func(*ctx.Task) error {
	return func(t *ctx.Task) error {
		r.work(t.Context(), name)
		return nil
	}
}

// serve runs body as the task of a request, with the request's span.
func (r recorder) serve(t *testing.T, body func(*ctx.Task)) {
	c, span := r.Start(t.Context(), "request")
	task, err := ctx.Spawn(body, ctx.WithContext(c))
	require.NoError(t, err)
	require.NoError(t, task.Wait())
	span.End()
}

func TestTheRequestsSpanIsTheParentOfSpansInArms(t *testing.T) {
	r := newRecorder(t)
	r.serve(t, func(task *ctx.Task) {
		require.NoError(t, join.All(r.arm("all 1"), r.arm("all 2")))
		_, err := join.Any(r.arm("any"))
		require.NoError(t, err)
		_, err = join.Select(join.Body(r.arm("select")))
		require.NoError(t, err)
		require.NoError(t, leaf.Timeout(time.Hour, r.arm("timeout")))
		require.NoError(t, join.Within(func(s *join.Scope) error {
			s.Go(r.arm("scope"))
			s.Go(func(*ctx.Task) error { return join.All(r.arm("nested")) })
			return nil
		}))
	})
	require.Equal(t, map[string]string{
		"request": "",
		"all 1":   "request", "all 2": "request", "any": "request", "select": "request",
		"timeout": "request", "scope": "request", "nested": "request",
	}, r.parents())
}

func TestASpanOfTheBodyIsTheParentOfSpansInArms(t *testing.T) {
	r := newRecorder(t)
	r.serve(t, func(task *ctx.Task) {
		was := task.Context()
		c, span := r.Start(was, "fetch all")
		task.SetContext(c)
		require.NoError(t, join.All(
			func(arm *ctx.Task) error {
				c, span := r.Start(arm.Context(), "fetch 1")
				defer span.End()
				arm.SetContext(c)
				return leaf.Timeout(time.Hour, r.arm("attempt"))
			},
			r.arm("fetch 2"),
		))
		require.NoError(t, join.Within(func(s *join.Scope) error {
			s.Go(r.arm("fetch 3"))
			return nil
		}))
		task.SetContext(was)
		span.End()
		require.NoError(t, join.All(r.arm("render")))
	})
	require.Equal(t, map[string]string{
		"request": "", "fetch all": "request",
		"fetch 1": "fetch all", "attempt": "fetch 1", "fetch 2": "fetch all", "fetch 3": "fetch all",
		"render": "request",
	}, r.parents())
}

func TestBaggageReachesArms(t *testing.T) {
	member, err := baggage.NewMember("tenant", "7")
	require.NoError(t, err)
	bag, err := baggage.New(member)
	require.NoError(t, err)
	task, err := ctx.Spawn(func(*ctx.Task) {
		require.NoError(t, join.All(func(arm *ctx.Task) error {
			require.Equal(t, "7", baggage.FromContext(arm.Context()).Member("tenant").Value())
			return nil
		}))
	}, ctx.WithContext(baggage.ContextWithBaggage(t.Context(), bag)))
	require.NoError(t, err)
	require.NoError(t, task.Err())
}

type requestID struct{}

// A handler adds the request's number, found in the context, to each record: the
// usual way to have slog know it.
type handler struct{ slog.Handler }

func (h handler) Handle(c context.Context, r slog.Record) error {
	if id, ok := c.Value(requestID{}).(int); ok {
		r.AddAttrs(slog.Int("request", id))
	}
	return h.Handler.Handle(c, r)
}

func TestSlogFindsItsAttributesInArms(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(handler{slog.NewTextHandler(&out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})})
	say := func(what string) func(*ctx.Task) error {
		return func(arm *ctx.Task) error {
			log.InfoContext(arm.Context(), what)
			return nil
		}
	}
	task, err := ctx.Spawn(func(*ctx.Task) {
		require.NoError(t, join.All(say("all")))
		require.NoError(t, leaf.Timeout(time.Hour, say("timeout")))
		require.NoError(t, join.Within(func(s *join.Scope) error { s.Go(say("scope")); return nil }))
	}, ctx.WithContext(context.WithValue(t.Context(), requestID{}, 42)))
	require.NoError(t, err)
	require.NoError(t, task.Err())
	require.Equal(t, []string{
		"level=INFO msg=all request=42",
		"level=INFO msg=timeout request=42",
		"level=INFO msg=scope request=42",
	}, strings.Split(strings.TrimSpace(out.String()), "\n"))
}

func TestTheRequestsDeadlineIsSeenInArms(t *testing.T) {
	c, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	deadline, _ := c.Deadline()
	var causes []error
	var returned error
	task, err := ctx.Spawn(func(*ctx.Task) {
		returned = join.All(func(arm *ctx.Task) error {
			got, ok := arm.Context().Deadline()
			require.True(t, ok)
			require.True(t, deadline.Equal(got))
			return leaf.Timeout(time.Hour, func(inner *ctx.Task) error {
				<-inner.Context().Done() // as a client does that was given it
				causes = append(causes, inner.Context().Err())
				return inner.Context().Err()
			})
		})
	}, ctx.WithContext(c))
	require.NoError(t, err)
	// The goroutine that cancels the task may come before the arm has ended, or after.
	require.ErrorIs(t, errors.Join(returned, task.Wait()), context.DeadlineExceeded)
	require.Len(t, causes, 1)
	require.Error(t, causes[0])
}
