package stackhop

import (
	"math/rand/v2"
	"testing"
)

// What does not fit has a reason, and what fits has none; and a region comes out of
// a packedRegion as it went in.
func TestARegionFitsOrHasAReasonNotTo(t *testing.T) {
	fit := 0
	for range 200_000 {
		some := func(most int) uintptr { return uintptr(rand.IntN(most)) * RegionAlign / 2 }
		r := Region{Lo: 1<<20 + some(3)}
		r.Top = r.Lo + some(4096)
		r.Hi = r.Top + some(4096)
		if rand.IntN(10) == 0 {
			r.Hi = r.Lo + 1<<rand.IntN(30)
		}
		if rand.IntN(2) == 0 {
			r.Lo, r.Top, r.Hi = r.Lo&^8, r.Top&^8, r.Hi&^8
		}
		fits := fits(r.Lo, r.Top, r.Hi)
		if err := r.Check(); fits != (err == nil) {
			t.Fatal(r, fits, err)
		}
		if !fits {
			continue
		}
		fit++
		var p packedRegion
		if p.set(&r); p.unpacked() != r || p.end() != r.Top || p.deadEnd() != r.Hi || p.none() || p.grows() {
			t.Fatal(r, p)
		}
		r = Region{Lo: r.Lo, Limit: r.Lo + MinReserve, First: MinWindow << rand.IntN(4)}
		r.Hi = r.Limit + 1<<17
		if r.Top = r.Hi - 1<<16; r.Lo%RegionAlign == 0 && r.Check() != nil {
			t.Fatal(r.Check())
		}
		if p.set(&r); p.unpacked() != r || !p.grows() {
			t.Fatal(r, p)
		}
	}
	if fit < 1000 {
		t.Fatal(fit, "of these fit")
	}
}
