#!/usr/bin/env bash
# flurm.sh BUILD-DIR: flurm-gateway with backend sim and one client in one
# thread, over loopback. Prints what it measures.
set -euo pipefail

build=$(readlink -f "$1")
jobs=${BENCH_JOBS:-100000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flurm-bench-XXXXXX")
gateway=
trap '[ -z "$gateway" ] || kill "$gateway" 2>/dev/null; wait; rm -rf "$dir"' EXIT

start()
{
	rm -rf "$dir/state"
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
	for _ in $(seq 100); do
		port=$(sed -n 's/.*listens on .* port \([0-9]*\),.*/\1/p' "$dir/log")
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

rss_kb()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$gateway/status"
}

bench()
{
	"$build/testsuite/bench/flurm_bench" "$@" "$url"
}

line()
{
	printf '%-44s %s\n' "$1" "$2"
}

start
line "submissions/s, one request each" \
	"$(bench -h -b 1 -n $((jobs / 5)) | awk '$1 == "submissions_per_s" { print $2 }')"
stop

start
before=$(rss_kb)
line "submissions/s, in batches" \
	"$(bench -h -w 4096 -n "$jobs" | awk '$1 == "submissions_per_s" { print $2 }')"
sleep 1
line "bytes of memory for a job beyond its script" \
	"$((($(rss_kb) - before) * 1024 / jobs - 1000))"
line "memory with $jobs jobs, scripts of 1000 bytes" "$(($(rss_kb) / 1024)) MiB"
line "the same jobs, submitted again/s" \
	"$(bench -h -w 4096 -n "$jobs" | awk '$1 == "submissions_per_s" { print $2 }')"
stop

start
bench -l -n 2000 | while read -r what rest; do
	line "${what%_ms}, one at a time, ms" "$rest"
done
stop

start
line "whole lives/s (submit, gate, run, end)" \
	"$(bench -c -w 4096 -n $((jobs / 4)) | awk '$1 == "lives_per_s" { print $2 }')"
stop
