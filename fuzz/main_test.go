package fuzz

import (
	"testing"

	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestMain(m *testing.M) { testsupport.Main(m) }
