package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

func doctor(args []string, out io.Writer) error {
	if err := parse(flags("doctor", out), args); err != nil {
		return err
	}
	b, h := stackhop.Backend(), thisHost()
	guard, why := mmapstack.GuardKind()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"backend", b.Name + ": " + b.Reason},
		{"go", b.GoVersion},
		{"target", b.GOOS + "/" + b.GOARCH},
		{"kernel", h.Kernel},
		{"cpu", fmt.Sprintf("%s, %d usable", h.CPU, h.CPUs)},
		{"page size", fmt.Sprint(h.PageSize)},
		{"stack guard", guard + ": " + why},
		{"growth trap", growthTrap()},
		{"vm.max_map_count", maxMapCount()},
		{"default stack", fmt.Sprintf("%d bytes usable", mmapstack.DefaultSize)},
		{"least stack", fmt.Sprintf("%d bytes, of which the kernel keeps %d", stackhop.MinRegion, stackhop.RegionHeader)},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	fmt.Fprintln(w, "discovered\t")
	for _, f := range b.Facts {
		fmt.Fprintf(w, "  %s\t%#x  %s\n", f.Name, f.Addr, f.How)
	}
	if len(b.Facts) == 0 {
		fmt.Fprintln(w, "  nothing\tthis backend needs nothing of the runtime's insides")
	}
	return w.Flush()
}

// growthTrap says whether stacks can grow in place here. It is taken away again.
func growthTrap() string {
	if guard.Installed() {
		return "installed"
	}
	if err := guard.Install(); err != nil {
		return err.Error()
	}
	if err := guard.Remove(); err != nil {
		return err.Error()
	}
	return "can be installed"
}
