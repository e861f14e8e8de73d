package offsets_test

import (
	"fmt"

	"github.com/stackhop/stackhop/internal/layoutgen/offsets"
)

func Example() {
	for _, f := range offsets.Fields {
		if f.Else != "" {
			fmt.Printf("%s is %s, or %s in a release without it\n", f.Name, f.Path, f.Else)
		}
	}
	// Output:
	// gSecret is runtime.g.secret, or gLockedm in a release without it
	// gFipsOnlyBypass is runtime.g.fipsOnlyBypass, or gFipsIndicator in a release without it
	// gDitWanted is runtime.g.ditWanted, or gFipsIndicator in a release without it
	// sudogElemTraced is runtime.sudog.elem.vp, or sudogElem in a release without it
	// sudogElemValue is runtime.sudog.elem.vu, or sudogElem in a release without it
}
