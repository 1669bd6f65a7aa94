#!/usr/bin/env bash
# engine.sh BUILD-DIR: FLURM's controller in a process of its own, between a
# native and a slurmdbd that are not real and a flurm-gateway with backend sim
# that is. Prints what engine_bench measures, with what must be reached.
set -euo pipefail

build=$(readlink -f "$1")
dir=$(mktemp -d "${TMPDIR:-/tmp}/engine-bench-XXXXXX")
gateway=
trap '[ -z "$gateway" ] || kill "$gateway" 2>/dev/null; wait; rm -rf "$dir"' EXIT

if [ ! -x "$build/testsuite/bench/engine_bench" ]; then
	echo "engine.sh: not built without Slurm: nothing is measured"
	exit 0
fi
cat >"$dir/gateway.conf" <<CONF
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
: >"$dir/log"
"$build/flurm-gateway" -f "$dir/gateway.conf" 2>"$dir/log" &
gateway=$!
port=
for _ in $(seq 100); do
	port=$(sed -n 's/.*listens on .* port \([0-9]*\),.*/\1/p' "$dir/log")
	[ -z "$port" ] || break
	sleep 0.05
done
[ -n "$port" ] || { cat "$dir/log" >&2; exit 1; }

TMPDIR=$dir "$build/testsuite/bench/engine_bench" \
	-n "${BENCH_JOBS:-10000}" -m "${BENCH_MANY:-100000}" \
	"http://127.0.0.1:$port" >"$dir/out"

# value NAME FIELD
value()
{
	awk -v name="$1" -v field="$2" '$1 == name { print $field }' "$dir/out"
}

# row WHAT VALUE GOAL
row()
{
	printf '%-60s %10s  goal %s\n' "$1" "$2" "$3"
}

row "sibling submissions/s through HTTP to sim" \
	"$(value submissions_per_s 2)" ">= 5000"
row "  the same, for each CPU second of the controller" \
	"$(value submissions_per_s 4)" ">= 5000"
row "answer to a MULT message at 1000 jobs/s, p99, ms" \
	"$(value mult_ms 5)" "< 5"
row "  of that a write and fdatasync of 20,000 bytes alone, p99, ms" \
	"$(value disk_ms 5)" "-"
row "answer to LOCK at 1000 jobs/s, p99, ms" "$(value lock_ms 5)" "< 1"
row "memory of a tracked job beyond its script, bytes" \
	"$(($(value bytes_per_job 2) - 1000))" "< 2048"
row "throughput with ${BENCH_MANY:-100000} tracked jobs against 1000" \
	"$(value many_to_few 2)" ">= 0.9"
row "  the same, for each CPU second of the controller" \
	"$(value many_to_few 4)" ">= 0.9"
row "JOB_SYNC of that many jobs, s" "$(value sync_s 2)" "< 2"
row "  the same, CPU seconds" "$(value sync_s 4)" "< 2"
row "replay of the ledger of that many jobs, s" "$(value replay_s 2)" "< 2"
row "  the same, CPU seconds" "$(value replay_s 4)" "< 2"
row "  from the start until the native has our JOB_SYNC, s" \
	"$(value replay_to_sync_s 2)" "< 2"
