package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// A version says which state of which source this program was built from.
type version struct {
	Module   string `json:"module"`             // "(devel)" in a checkout
	Revision string `json:"revision,omitempty"` // of the checkout, where the go command noted it
	Modified bool   `json:"modified,omitempty"` // the checkout had changes
	Go       string `json:"go"`
	Target   string `json:"target"`
}

func thisVersion() version {
	v := version{Module: "(devel)", Go: runtime.Version(), Target: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Module = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v version) String() string {
	text := v.Module
	if v.Revision != "" {
		text += " " + v.Revision
	}
	if v.Modified {
		text += " modified"
	}
	return text
}

func printVersion(args []string, out, _ io.Writer) error {
	fs := flags("version", out)
	asJSON := fs.Bool("json", false, "print one JSON object")
	if err := parse(fs, args); err != nil {
		return err
	}
	v := thisVersion()
	if *asJSON {
		return json.NewEncoder(out).Encode(v)
	}
	_, err := fmt.Fprintf(out, "stackhop %v, %s %s\n", v, v.Go, v.Target)
	return err
}
