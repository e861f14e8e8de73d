package fuzz

import (
	"math"
	"testing"

	"github.com/stackhop/stackhop/internal/nest"
	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestMain(m *testing.M) {
	nest.Max = math.MaxInt // as in the model, where publish calls always nest
	testsupport.Main(m)
}
