package main

import (
	"os"
	"runtime"

	"github.com/klauspost/cpuid/v2"
)

// A host is what a figure depends on besides the program.
type host struct {
	CPU      string `json:"cpu"`
	CPUs     int    `json:"cpus"`
	Kernel   string `json:"kernel"`
	PageSize int    `json:"page_size"`
}

func thisHost() host {
	cpu := cpuid.CPU.BrandName
	if cpu == "" {
		cpu = "unknown CPU"
	}
	return host{CPU: cpu, CPUs: runtime.NumCPU(), Kernel: kernelRelease(), PageSize: os.Getpagesize()}
}
