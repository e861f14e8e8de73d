// Package otel tests tasks with the OpenTelemetry SDK and log/slog. It is a module
// of its own, so that no user of the library gets its dependencies.
package otel
