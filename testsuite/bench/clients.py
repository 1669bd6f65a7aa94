#!/usr/bin/env python3
"""Sibling submissions a second, without and with clients that poll FLURM.

    clients.py [--jobs=N] [--clients=N] [--every=SECONDS]

Starts a federation of its own (testsuite/system/stack, as root, from
$FED_FLURM_BUILD). Jobs are submitted at a native cluster; the time is taken
until FLURM has all of them. The clients are threads that ask for all jobs, as
squeue does, each on a new connection and with a credential of its own.
Prints one row; the last column is what is left of the rate.
"""
import argparse
import concurrent.futures
import os
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "system"))

from stack import Stack, wait_until, wire  # noqa: E402

REQUEST_JOB_INFO = 2003


class Pollers:
    def __init__(self, stack, count, every):
        self.stack, self.every = stack, every
        self.done = threading.Event()
        self.answers = 0
        self.slowest = 0.0
        self.munge = wire.Munge(stack.munge.socket)
        self.version = stack.rpc_version()
        self.threads = [threading.Thread(target=self._run, args=(i / count,),
                                         daemon=True) for i in range(count)]

    def _run(self, phase):
        self.done.wait(phase * self.every)
        # last update, flags, no list of ids
        body = struct.pack(">QHI", 0, 0, 0xfffffffe)
        while not self.done.is_set():
            start = time.monotonic()
            with wire.Connection(self.stack.flurm.port, timeout=30) as conn:
                conn.send(wire.message(REQUEST_JOB_INFO, body, self.version,
                                       self.munge.credential()))
                if wire.kind_of(conn.receive())[0] == REQUEST_JOB_INFO + 1:
                    self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - start)
            self.done.wait(self.every)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()


def rate(stack, count):
    """Submissions a second that reached FLURM."""
    flurm = stack.flurm.gateway
    before = len(flurm.get("/api/v1/jobs?limit=1000")["jobs"])
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda _: stack.alpha.sbatch("--begin=now+1hour"),
                            range(count)))
    wait_until(lambda: len(flurm.get("/api/v1/jobs?limit=1000")["jobs"]),
               lambda now: now >= before + count, 60, "FLURM has all jobs")
    took = time.monotonic() - start
    stack.alpha.run("scancel", *map(str, ids))
    wait_until(lambda: len(flurm.get("/api/v1/jobs?limit=1000&state=pending")
                           ["jobs"]), lambda now: not now, 60,
               "FLURM has let go of them")
    return count / took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=150)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--every", type=float, default=2.0)
    options = parser.parse_args()
    stack = Stack(flurm="plugin", gateway="sim")
    try:
        stack.start()
        stack.wait_linked()
        stack.wait_nodes()
        rate(stack, 20)  # warm
        alone = rate(stack, options.jobs)
        with Pollers(stack, options.clients, options.every) as pollers:
            polled = rate(stack, options.jobs)
        print(f"clients {options.clients} every {options.every:g} s: "
              f"{alone:.1f}/s alone, {polled:.1f}/s polled "
              f"({pollers.answers} answers, slowest "
              f"{pollers.slowest * 1000:.0f} ms), ratio "
              f"{polled / alone:.2f}")
    finally:
        stack.stop()


if __name__ == "__main__":
    main()
