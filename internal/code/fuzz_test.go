package code_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/stackhop/stackhop/internal/code"
)

// words is a memory made of bytes, at address 0x1000: half of it may be changed.
type words []byte

func (w words) Uint64(addr uint64) (uint64, bool) {
	if addr < 0x1000 || addr-0x1000 > uint64(len(w)) || uint64(len(w))-(addr-0x1000) < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(w[addr-0x1000:]), true
}

func (w words) Writable(addr uint64) bool { return addr&0x800 != 0 }

// Any bytes are decoded or refused, and what Analyze finds lies in them.
func FuzzAnalyze(f *testing.F) {
	for _, c := range cases {
		f.Add(c.arch == "arm64", c.code, []byte("12345678"), uint16(0))
	}
	f.Fuzz(func(t *testing.T, arm bool, text, memory []byte, other uint16) {
		d := code.For("amd64")
		if arm {
			d = code.For("arm64")
		}
		const entry = 0x1800
		size := uint64(len(text) - len(text)%d.Quantum) // what follows is no instruction
		for off := 0; off < len(text); {
			in, err := d.Decode(text[off:], entry+uint64(off))
			if err != nil {
				if !errors.Is(err, code.ErrUnknown) {
					t.Fatal(err)
				}
				off += d.Quantum
				continue
			}
			if in.Len <= 0 || in.Len > 15 || off+in.Len > len(text) || in.Writes.Has(d.SP) {
				t.Fatalf("%+v of % x", in, text[off:])
			}
			off += in.Len
		}
		for _, mem := range []code.Memory{words(memory), nil} {
			b, err := code.Analyze(d, text, entry, mem, entry+uint64(other))
			if err != nil {
				if !errors.Is(err, code.ErrUnknown) {
					t.Fatal(err)
				}
				continue
			}
			last := uint64(0)
			for _, s := range b.Sites {
				if s.PC < entry || s.PC+uint64(s.Len) > entry+uint64(len(text)) || s.PC <= last && last != 0 {
					t.Fatalf("%+v after %#x in %d bytes", s, last, len(text))
				}
				last = s.PC
				if s.Jump && s.Direct && s.Target-entry < size && !b.Open {
					t.Fatalf("%+v does not leave %d bytes", s, size)
				}
			}
		}
	})
}
