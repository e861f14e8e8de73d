#!/usr/bin/env bash
# The BenchmarkScale of all packages with GOMAXPROCS as given, in ns/op: a row for
# each benchmark, a column for each number. Called by make bench-scale.
#
# Each number has a process of its own. go test -cpu 1,2,4 would call a benchmark
# before it sets the first of them, and for one that uses b.Loop that call is the whole
# measurement (package testing: run1, processBench).
set -euo pipefail
cd "$(dirname "$0")/../.."
go=${GO:-go} time=${SCALETIME:-300ms}
most=$(getconf _NPROCESSORS_ONLN)

for procs in "$@"; do
	if ((procs <= most)); then
		GOMAXPROCS=$procs "$go" test -run '^$' -bench '^BenchmarkScale' -benchtime "$time" ./ctx ./leaf ./sched |
			sed "s/^Benchmark/$procs &/"
	fi
done | awk '
	/^cpu:/ { cpu = $0 }
	/^(---|FAIL|panic)/ { print }
	$2 ~ /^BenchmarkScale/ {
		name = $2
		sub(/^BenchmarkScale/, "", name)
		sub(/-[0-9]+$/, "", name)
		if (!(name in seen)) { seen[name]; row[++rows] = name }
		if ($1 != last) { column[++columns] = last = $1 }
		ns[name, $1] = $4
	}
	END {
		print cpu
		printf "%-20s", "GOMAXPROCS"
		for (c = 1; c <= columns; c++) printf "%10s", column[c]
		print ""
		for (r = 1; r <= rows; r++) {
			printf "%-20s", row[r]
			for (c = 1; c <= columns; c++) printf "%10.1f", ns[row[r], column[c]]
			print ""
		}
	}'
