#!/usr/bin/env bash
# flurm.sh BUILD-DIR: flurm-gateway with backend sim and one client in one
# thread, over loopback. Prints what it measures and how that compares to the
# goals; doc/performance.md says what the rows mean.
set -euo pipefail

build=$(readlink -f "$1")
jobs=${BENCH_JOBS:-100000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flurm-bench-XXXXXX")
gateway=
trap '[ -z "$gateway" ] || kill "$gateway" 2>/dev/null; wait; rm -rf "$dir"' EXIT

start()
{
	rm -rf "$dir/state" "$dir/log"
	cat >"$dir/gateway.conf" <<-CONF
		cluster_name = flurm
		listen = 127.0.0.1:0
		insecure_no_token = yes
		state_dir = $dir/state
		backend = sim
		sim_nodes = 1000
		sim_cpus = 64
		max_jobs = 1000000
		partition = debug default=yes
	CONF
	"$build/flurm-gateway" -f "$dir/gateway.conf" 2>"$dir/log" &
	gateway=$!
	url=
	for _ in $(seq 600); do
		port=$(sed -n 's/.*listens on .* port \([0-9]*\),.*/\1/p' "$dir/log" 2>/dev/null || true)
		[ -z "$port" ] || { url=http://127.0.0.1:$port; return; }
		sleep 0.05
	done
	cat "$dir/log" >&2
	exit 1
}

stop()
{
	kill "$gateway"
	wait "$gateway" || true
	gateway=
}

rss_mib()
{
	awk '/^VmRSS/ { printf "%.0f\n", $2 / 1024 }' "/proc/$gateway/status"
}

# CPU time of the gateway in microseconds
cpu_us()
{
	awk -v hz="$(getconf CLK_TCK)" '{ printf "%.0f\n", ($14 + $15) * 1e6 / hz }' \
		"/proc/$gateway/stat"
}

bench()
{
	"$build/testsuite/bench/flurm_bench" "$@" "$url" >"$dir/out"
}

# said NAME FIELD: of what the client printed
said()
{
	awk -v name="$1" -v field="$2" '$1 == name { print $field }' "$dir/out"
}

# row WHAT VALUE [least|most GOAL]
row()
{
	awk -v what="$1" -v value="$2" -v how="${3:-}" -v goal="${4:-}" 'BEGIN {
		if (how == "least")
			verdict = ">= " goal (value >= goal ? "  met" : "  missed")
		else if (how == "most")
			verdict = "< " goal (value < goal ? "  met" : "  missed")
		printf "%-48s %10s   %s\n", what, value, verdict }'
}

# submissions WHAT GOAL JOBS OPTION...
submissions()
{
	local what=$1 goal=$2 count=$3 before; shift 3
	before=$(cpu_us)
	bench -h -n "$count" "$@"
	row "submissions/s, $what" "$(said submissions_per_s 2)" least "$goal"
	row "  CPU us each, client" "$(said cpu_us_per_submission 2)"
	row "  CPU us each, gateway" $((($(cpu_us) - before) / count))
}

printf '%-48s %10s   %s\n' "$(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg)" \
	measured goal
start
submissions "one request each" 5000 $((jobs / 5)) -b 1
stop

start
empty=$(rss_mib)
submissions "in batches" 20000 "$jobs" -w 4096
row "memory with $jobs jobs, MiB" "$(rss_mib)" most 190
row "  without any, MiB" "$empty"
bench -h -w 4096 -n "$jobs"
row "the same again/s, in batches" "$(said submissions_per_s 2)"
stop

start
bench -l -n 2000
row "event after submission, p50, ms" "$(said event_ms 3)" most 1
row "  p99" "$(said event_ms 5)"
row "answer to a submission, p50, ms" "$(said answer_ms 3)"
row "  p99" "$(said answer_ms 5)"
stop

start
bench -c -w 4096 -n $((jobs / 4))
row "whole lives/s (submit, gate, run, end)" "$(said lives_per_s 2)"
stop
