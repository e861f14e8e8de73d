package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/sched"
)

// A diagnosis is what doctor finds out. -json prints it as one object.
type diagnosis struct {
	Version version       `json:"version"`
	Host    host          `json:"host"`
	Backend stackhop.Info `json:"backend"`
	Default finding       `json:"default_storage"` // of ctx.Spawn without an option
	Sized   finding       `json:"sized_storage"`   // of ctx.WithStackSize
	Guard   finding       `json:"stack_guard"`
	Growth  finding       `json:"growth_trap"`
	Net     finding       `json:"net_poller"` // of sched.Net

	MaxMapCount  string `json:"max_map_count"`
	DefaultSize  int    `json:"default_stack_bytes"` // of a mapped stack of no given size
	LeastSize    int    `json:"least_stack_bytes"`
	RegionHeader int    `json:"kernel_bytes"` // of any mapped stack

	Problems []string `json:"problems,omitempty"` // what makes doctor fail
}

// A finding is one choice that the library makes, and why.
type finding struct {
	Is  string `json:"is"`
	Why string `json:"why"`
}

func (f finding) String() string { return f.Is + ": " + f.Why }

// errProblems is the error of a diagnosis with problems.
var errProblems = errors.New("doctor found a problem")

func doctor(args []string, out, _ io.Writer) error {
	fs := flags("doctor", out)
	asJSON := fs.Bool("json", false, "print one JSON object")
	if err := parse(fs, args); err != nil {
		return err
	}
	d := diagnose()
	var err error
	if *asJSON {
		err = json.NewEncoder(out).Encode(d)
	} else {
		err = d.print(out)
	}
	if err != nil {
		return err
	}
	var problems []error
	for _, p := range d.Problems {
		problems = append(problems, fmt.Errorf("%w: %s", errProblems, p))
	}
	return errors.Join(problems...)
}

func diagnose() diagnosis {
	d := diagnosis{
		Version: thisVersion(), Host: thisHost(), Backend: stackhop.Backend(),
		Growth:      growthTrap(),
		Default:     storage("no size was given"),
		Sized:       storage("a size was given", ctx.WithStackSize(mmapstack.DefaultSize)),
		MaxMapCount: maxMapCount(),
		DefaultSize: mmapstack.DefaultSize, LeastSize: stackhop.MinRegion, RegionHeader: stackhop.RegionHeader,
	}
	d.Guard.Is, d.Guard.Why = mmapstack.GuardKind()
	d.Net.Is, d.Net.Why = sched.PollerKind()
	if v := d.Backend.Unknown; v != "" {
		d.Problems = append(d.Problems, fmt.Sprintf("STACKHOP_BACKEND=%s: want asm or portable", v))
	}
	return d
}

// storage says what a task with these options runs on here. given says what is known
// of its size.
func storage(given string, opts ...ctx.Option) finding {
	var f finding
	runsOn := func(t *ctx.Task) {
		if s := t.Stack(); s != nil {
			f = finding{"mapped", fmt.Sprintf("%s: a %v", given, s)}
		} else {
			f = finding{"native", given + ": a stack of the runtime, which grows as a goroutine's does"}
		}
	}
	_, err := ctx.Spawn(runsOn, append(opts, ctx.WithoutFallback())...)
	if err == nil {
		return f
	}
	if _, fallback := ctx.Spawn(runsOn, opts...); fallback != nil {
		return finding{"none", fallback.Error()}
	}
	f.Why += ". " + err.Error()
	return f
}

// growthTrap says whether stacks can grow in place here. If the trap was not
// installed, it is taken away again.
func growthTrap() finding {
	if guard.Installed() {
		return finding{"on", "installed"}
	}
	if err := guard.Install(); err != nil {
		return finding{"cannot be had", err.Error()}
	}
	if err := guard.Remove(); err != nil {
		return finding{"on", err.Error()}
	}
	return finding{"off", "can be installed; the first stack that grows installs it"}
}

func (d diagnosis) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"version", d.Version.String()},
		{"backend", d.Backend.Name + ": " + d.Backend.Reason},
		{"go", d.Backend.GoVersion},
		{"target", d.Backend.GOOS + "/" + d.Backend.GOARCH},
		{"kernel", d.Host.Kernel},
		{"cpu", fmt.Sprintf("%s, %d usable", d.Host.CPU, d.Host.CPUs)},
		{"page size", fmt.Sprint(d.Host.PageSize)},
		{"default storage", d.Default.String()},
		{"sized storage", d.Sized.String()},
		{"growth trap", d.Growth.String()},
		{"stack guard", d.Guard.String()},
		{"net poller", d.Net.String()},
		{"vm.max_map_count", d.MaxMapCount},
		{"default size", fmt.Sprintf("%d bytes usable, of a mapped stack", d.DefaultSize)},
		{"least size", fmt.Sprintf("%d bytes, of which the kernel keeps %d", d.LeastSize, d.RegionHeader)},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	fmt.Fprintln(w, "discovered\t")
	for _, f := range d.Backend.Facts {
		fmt.Fprintf(w, "  %s\t%#x  %s\n", f.Name, f.Addr, f.How)
	}
	if len(d.Backend.Facts) == 0 {
		fmt.Fprintln(w, "  nothing\tthis backend needs nothing of the runtime's insides")
	}
	return w.Flush()
}
