#!/usr/bin/env bash
# Requests per second of echo -http on sched.Net against its twin on goroutines
# and package net, both loaded by wrk, in turns.
#
#   bench.sh             about a minute and a half
#
#   SECONDS_EACH=4       length of one run
#   ROUNDS=3             runs of each server at each number of connections
#   CONNECTIONS="1 100 5000"
#   NETS=1               loops of the server; by default, one for every core
#   THREADS=1            of wrk; by default, one for every second core
set -euo pipefail
cd "$(dirname "$0")"

each=${SECONDS_EACH:-4} rounds=${ROUNDS:-3} connections=${CONNECTIONS:-1 100 5000}
cores=$(nproc)
nets=${NETS:-$cores}
threads=${THREADS:-$(((cores + 1) / 2))}

command -v wrk >/dev/null || { echo "bench.sh: wrk is missing. Run: apt-get install wrk" >&2; exit 1; }
most=${connections##* }
ulimit -Sn "$(ulimit -Hn)"
files=$(ulimit -Sn)
if [[ $files != unlimited ]] && ((files < most + 100)); then
	echo "bench.sh: $most connections need ulimit -n $((most + 100)); the hard limit is $files" >&2
	exit 1
fi

tmp=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
${GO:-go} build -o "$tmp/echo" .

# serve NAME FLAGS…: starts a server. Its address is in $tmp/NAME.addr.
serve() {
	local name=$1
	shift
	: >"$tmp/$name.out"
	"$tmp/echo" -http -addr 127.0.0.1:0 "$@" >"$tmp/$name.out" &
	pids+=($!)
	echo $! >"$tmp/$name.pid"
	for _ in {1..100}; do
		if sed -n 's/^listening on //p' "$tmp/$name.out" | grep . >"$tmp/$name.addr"; then return; fi
		sleep 0.05
	done
	echo "bench.sh: the server does not come up:" >&2
	cat "$tmp/$name.out" >&2
	exit 1
}

# ticks PID: its processor time in hundredths of a second.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# load NAME CONNECTIONS: one run. Prints requests per second, microseconds of
# the server's processor time per request, and errors.
load() {
	local pid t0 t1
	pid=$(<"$tmp/$1.pid")
	t0=$(ticks "$pid")
	wrk -t "$(($2 < threads ? $2 : threads))" -c "$2" -d "${each}s" --timeout 10s "http://$(<"$tmp/$1.addr")/" >"$tmp/wrk.out"
	t1=$(ticks "$pid")
	awk -v ticks=$((t1 - t0)) '
		/requests in/ { n = $1 }
		/^Requests\/sec/ { rate = $2 }
		/Socket errors/ { gsub(",", ""); errors += $4 + $6 + $8 + $10 }
		/Non-2xx/ { errors += $NF }
		END { print rate, ticks * 1e4 / n, errors + 0 }' "$tmp/wrk.out"
}

# median COLUMN FILE
median() { awk -v c="$1" '{ print $c }' "$2" | sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

serve net -nets "$nets"
serve twin -twin
load net 1 >/dev/null # warm
load twin 1 >/dev/null

echo "$(wrk -v 2>&1 | head -n 1 | awk '{ print $1, $2 }'), $threads thread(s), $cores cores, server on $nets Net(s), median of $rounds runs of $each s each, in turns"
printf '%11s  %29s  %29s  %17s\n' '' 'sched.Net' 'goroutines, net' 'ratio'
printf '%11s  %12s %9s %6s  %12s %9s %6s  %9s %7s\n' connections requests/s 'CPU µs' errors requests/s 'CPU µs' errors requests 'CPU'
for c in $connections; do
	: >"$tmp/net.$c"
	: >"$tmp/twin.$c"
	for ((r = 0; r < rounds; r++)); do
		if ((r % 2)); then order="twin net"; else order="net twin"; fi
		for s in $order; do load "$s" "$c" >>"$tmp/$s.$c"; done
	done
	awk -v c="$c" -v a="$(median 1 "$tmp/net.$c")" -v ac="$(median 2 "$tmp/net.$c")" -v ae="$(awk '{ e += $3 } END { print e }' "$tmp/net.$c")" \
		-v b="$(median 1 "$tmp/twin.$c")" -v bc="$(median 2 "$tmp/twin.$c")" -v be="$(awk '{ e += $3 } END { print e }' "$tmp/twin.$c")" \
		'BEGIN { printf "%11d  %12.0f %9.1f %6d  %12.0f %9.1f %6d  %9.2f %7.2f\n", c, a, ac, ae, b, bc, be, a / b, ac / bc }'
done
