// Package docs holds the documentation, and tests that keep it true. It has no
// code of its own.
package docs
