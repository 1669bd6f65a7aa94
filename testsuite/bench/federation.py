#!/usr/bin/python3 -B
"""federation.py BUILD-DIR: two native clusters and FLURM (backend sim), on this
machine; what alpha does with FLURM for a sibling against what it does with beta
for one, in the same run. Prints ratios and what must be reached.

Latencies are between lines of the daemons' logs, which have milliseconds.
"""
import datetime
import os
import re
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))
os.environ["FED_FLURM_BUILD"] = os.path.abspath(sys.argv[1])

from pollers import Pollers  # noqa: E402
from stack import Stack, wait_until  # noqa: E402
from stack.flurm import build_dir  # noqa: E402

JOBS = int(os.environ.get("BENCH_SUBMIT", 300))
SUBMIT = os.path.join(build_dir(), "testsuite", "bench", "submit_bench")
ROUNDS = 9
POLLED_ROUNDS = 5
ONE_AT_A_TIME = 40
SCRIPT = "#!/bin/sh\n#FLURM sim duration=60\nsleep 60\n"
QUIET, LOUD = ("info", "-"), ("debug", "+")


def row(what, value, goal, how=""):
    print(f"{what:60} {value:>10}  goal {goal}{how and '  ' + how}",
          flush=True)


def set_logs(stack, level, sign):
    for cluster in stack.clusters.values():
        cluster.scontrol("setdebug", level)
        cluster.scontrol("setdebugflags", f"{sign}federation")


def submit(stack, sibling, count, threads, *script):
    """Jobs for alpha and a sibling: ids, and seconds that it took."""
    out = stack.alpha.run(SUBMIT, str(count), f"alpha,{sibling}",
                          str(threads), *script, timeout=300)
    *ids, last = out.splitlines()
    return ids, float(last.split()[1])


def rate(stack, sibling):
    """Submissions a second."""
    _, seconds = submit(stack, sibling, JOBS, 4)
    clear(stack)
    return JOBS / seconds


def rate_until_there(stack):
    """Submissions a second until FLURM has all of them."""
    began = time.monotonic()
    submit(stack, "flurm", JOBS, 4)
    wait_until(lambda: states(stack).get("queued", 0),
               lambda there: there >= JOBS, 60, "FLURM has all jobs",
               every=0.01)
    seconds = time.monotonic() - began
    clear(stack)
    return JOBS / seconds


def states(stack):
    return stack.flurm.status()["clusters"][0]["jobs"]["states"]


def clear(stack):
    stack.alpha.run("scancel", "--user=root", timeout=120)
    nothing_left(stack)


def nothing_left(stack):
    stack.cancel_all()
    wait_until(lambda: states(stack), lambda left: set(left) <= {"gone"}, 60,
               "all is told")


def compare_rates(what, goal, pairs, how=""):
    """The median of the ratios of runs that followed each other."""
    first, second = (statistics.median(each) for each in zip(*pairs))
    ratio = statistics.median(a / b for a, b in pairs)
    row(what, f"{ratio:.2f}", goal, f"({first:.0f}/s, {second:.0f}/s{how})")


def submission_rate(stack):
    set_logs(stack, *QUIET)
    rate(stack, "flurm")  # to warm up
    compare_rates("sbatch rate at a native with FLURM against with a native",
                  ">= 1.0", [(rate(stack, "flurm"), rate(stack, "beta"))
                             for _ in range(ROUNDS)])


def polled_rate(stack):
    pairs = []
    for _ in range(POLLED_ROUNDS):
        alone = rate_until_there(stack)
        with Pollers(stack, 100, 2.0) as pollers:
            pairs.append((rate_until_there(stack), alone))
    compare_rates("submissions at FLURM while clients poll it, against alone",
                  ">= 0.9", pairs, f"; {pollers}")


class Log:
    """When a daemon wrote a line that matches, in milliseconds."""

    def __init__(self, path):
        self.file = open(path, errors="replace")
        self.file.seek(0, os.SEEK_END)
        self.seen = ""

    def has(self, pattern):
        self.seen += self.file.read()
        return re.search(f"^.*{pattern}", self.seen, re.M)

    def when(self, pattern, timeout=20):
        return _ms(wait_until(lambda: self.has(pattern), timeout=timeout,
                              what=pattern, every=0.01).group(0))


def _ms(line):
    when = re.match(r"\[?(\d+-\d+-\d+T\d+:\d+:\d+\.\d+)", line).group(1)
    return datetime.datetime.fromisoformat(when).timestamp() * 1000


def be_loud(stack):
    """FLURM's controller follows slurmctld's debug flags a little later."""
    set_logs(stack, *LOUD)
    log = Log(stack.alpha.slurmctld.log)

    def told():
        submit(stack, "flurm", 1, 1)
        return log.has("fed_flurm: .* alpha says: ")
    wait_until(told, timeout=20, what="FLURM's controller is loud", every=0.2)
    nothing_left(stack)


def logs(stack):
    return (Log(stack.alpha.slurmctld.log), Log(stack.beta.slurmctld.log),
            Log(stack.flurm.gateway.output))


def latency(stack, sibling, one):
    """Median of one() over jobs one after the other."""
    took = []
    for _ in range(ONE_AT_A_TIME):
        alpha, beta, gateway = logs(stack)
        took.append(one(stack, sibling, alpha, beta, gateway))
    nothing_left(stack)
    return statistics.median(took)


def accepted(stack, sibling, alpha, beta, gateway):
    """From the end of sbatch's request to the sibling's having the job."""
    (job,), _ = submit(stack, sibling, 1, 1)
    began = alpha.when(f"_slurm_rpc_submit_batch_job: JobId={job} ")
    if sibling == "flurm":
        return alpha.when(f"job {job} epoch .* on accepted: queued") - began
    return beta.when(f"submitting batch sibling JobId={job} ") - began


def told(stack, sibling, alpha, beta, gateway):
    """From the start at the sibling to RV at the origin."""
    (job,), _ = submit(stack, sibling, 1, 1, SCRIPT)
    if sibling == "flurm":
        began = gateway.when(f"POST /api/v1/jobs/{job}/start ")
    else:
        began = beta.when(f"start fed JobId={job} by cluster_id")
    ended = alpha.when(f"_handle_fed_job_start: JobId={job} is running")
    stack.alpha.run("scancel", job)
    return ended - began


def compare(stack, what, one):
    flurm = latency(stack, "flurm", one)
    beta = latency(stack, "beta", one)
    row(what, f"{flurm / beta:.2f}", "<= 0.1",
        f"({flurm:.1f} ms, {beta:.1f} ms)")


def main():
    if not os.path.exists(SUBMIT):
        print("federation.py: not built without Slurm: nothing is measured")
        return
    stack = Stack(flurm="plugin", gateway="sim")
    try:
        stack.start()
        stack.wait_linked()
        stack.wait_nodes()
        submission_rate(stack)
        polled_rate(stack)
        be_loud(stack)
        stack.alpha.scontrol("update", "nodename=alpha1", "state=drain",
                             "reason=bench")
        compare(stack, "submission at a native until FLURM has it, against "
                "a native", accepted)
        compare(stack, "start at FLURM until RV at the origin, against a "
                "native", told)
    finally:
        stack.stop(keep=bool(os.environ.get("BENCH_KEEP")))


main()
