package pull

import "reflect"

// A shape says how values and ok travel in result registers under Go's calling
// convention (cmd/compile/abi-internal.md): n whole words of integers and
// pointers in the first n integer registers and ok in the next, for instance.
const (
	shapePlain   uint8 = iota // no shortcut: leave does nothing
	shapeWords0               // struct{}
	shapeWords1               // int, pointer, map, …; AX, ok in BX
	shapeWords2               // string, interface, two of one word
	shapeWords3               // slice, …
	shapeWords4               // two strings, …
	shapeByte                 // bool, byte
	shapeHalf                 // int32, rune
	shapeFloat64              // X0, ok in AX
)

// wordsOf answers how many whole words T is, in memory and in registers alike,
// or ok false.
func wordsOf(t reflect.Type) (n uint8, ok bool) {
	switch t.Kind() {
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64, reflect.Uintptr,
		reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return 1, true
	case reflect.String, reflect.Interface:
		return 2, true
	case reflect.Slice:
		return 3, true
	case reflect.Struct:
		return 0, t.NumField() == 0
	}
	return 0, false
}

// shapeOf is the shape of Pull's values.
func shapeOf[V any]() uint8 {
	if !tailReturns {
		return shapePlain
	}
	t := reflect.TypeFor[V]()
	if n, ok := wordsOf(t); ok {
		return shapeWords0 + n
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Uint8, reflect.Int8:
		return shapeByte
	case reflect.Int32, reflect.Uint32:
		return shapeHalf
	case reflect.Float64:
		return shapeFloat64
	}
	return shapePlain
}

// shapeOf2 is the shape of Pull2's values.
func shapeOf2[K, V any]() uint8 {
	if !tailReturns {
		return shapePlain
	}
	nk, okK := wordsOf(reflect.TypeFor[K]())
	nv, okV := wordsOf(reflect.TypeFor[V]())
	if okK && okV && nk+nv <= 4 {
		return shapeWords0 + nk + nv
	}
	return shapePlain
}
