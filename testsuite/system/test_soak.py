"""Many jobs through FLURM (backend sim) while one thing after the other goes
wrong, by chance; a checker then goes through what all have to say.

The seed is printed. SOAK_SEED, SOAK_JOBS and SOAK_SECONDS (for which things go
wrong) are for `make soak`.
"""
import collections
import json
import os
import random
import threading
import time
import urllib.error

import pytest

import faults
from stack import wait_until
from stack.flurm import build_dir

# all jobs are to be known at the end
STACK = {"gateway": "sim", "wires": True,
         "conf": ["MinJobAge=86400", "MaxJobCount=500000"]}
SEED = int(os.environ.get("SOAK_SEED", 20261125))
JOBS = int(os.environ.get("SOAK_JOBS", 2000))
SECONDS = int(os.environ.get("SOAK_SECONDS", 60))
CHUNK = 20
STALL = 60  # seconds without a job that could be submitted
# of the same plan at FLURM and, should a native run it after all, there
SCRIPT = """#!/bin/sh
#FLURM sim duration={duration} exit={code}
exit {code}
"""


class History(threading.Thread):
    """Follows FLURM's events: [(seq, type, job, epoch)], each seq once."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.gateway = gateway
        self.seen = {}
        self.gaps = 0
        self.over = False

    def run(self):
        while not self.over:
            try:
                self._follow()
            except (OSError, ValueError):
                time.sleep(0.1)  # it is away, or torn in the middle of a line

    def _follow(self):
        after = f"?after={max(self.seen)}" if self.seen else ""
        try:
            stream = self.gateway.open(f"/api/v1/federation/events{after}", 10)
        except urllib.error.HTTPError as err:
            if err.code != 410:
                raise
            self.gaps += 1
            stream = self.gateway.open("/api/v1/federation/events", 10)
        with stream:
            for line in stream:
                event = json.loads(line)
                if "fed_job_id" in event:
                    self.seen[event["seq"]] = event
                if self.over:
                    return

    def of(self, kind):
        """{(job, epoch): how often} of the events of that type."""
        return collections.Counter(
            (event["fed_job_id"], event["epoch"])
            for event in list(self.seen.values()) if event["type"] == kind)


class Soak:
    def __init__(self, stack, rng):
        self.stack = stack
        # a build with sanitizers is slow
        self.count = JOBS // 4 if stack.flurm.daemon else JOBS
        self.rng = rng
        self.plans = random.Random(rng.random())  # for another thread
        self.want = {}  # job -> exit code
        self.touched = set()  # jobs that somebody cancelled
        self.done = []
        self.said = ""  # what the last submission that failed has said
        self.failed = None
        self.over = False

    # -- jobs

    def submit_all(self):
        """At an even pace, so that all that goes wrong meets new jobs."""
        began = moved = time.monotonic()
        try:
            while len(self.want) < self.count and not self.over:
                before = len(self.want)
                self._submit_some()
                now = time.monotonic()
                if len(self.want) > before:
                    moved = now
                assert self.stack.beta.slurmctld.alive, "the origin has ended"
                assert now - moved < STALL, \
                    f"no job could be submitted for {STALL} s: {self.said}"
                time.sleep(max(0, SECONDS * len(self.want) / self.count -
                               (now - began)))
        except BaseException as err:  # told by the main thread
            self.failed = err

    def _submit_some(self):
        code = self.plans.randrange(5)
        script = SCRIPT.format(code=code,
                               duration=self.plans.choice([0, 0.2, 1, 5]))
        done = self.stack.beta.run(
            os.path.join(build_dir(), "testsuite", "bench", "submit_bench"),
            str(CHUNK), "alpha,beta,flurm", "2", script, check=False,
            timeout=120)
        self.want.update((int(line), code) for line in done.out.splitlines()
                         if line.isdigit())
        if done.status:
            self.said = done.err
            print(f"soak: {len(self.want)} jobs, {done.err}", flush=True)

    # -- what goes wrong

    def faults(self):
        stack = self.stack
        return [
            ("gateway killed", lambda: self.kill(stack.flurm.gateway)),
            ("FLURM's controller killed", lambda: self.kill(
                stack.flurm.daemon or stack.alpha.slurmctld)),
            ("slurmdbd killed", lambda: self.kill(stack.slurmdbd)),
            ("gateway stands still", lambda: self.pause(stack.flurm.gateway)),
            ("origin stands still", lambda: self.pause(stack.beta.slurmctld)),
            ("HTTP cut", lambda: self.cut("gateway")),
            ("HTTP swallowed", lambda: self.swallow("gateway")),
            ("siblings cut", lambda: self.cut("flurm")),
            ("siblings swallowed", lambda: self.swallow("flurm")),
            ("HTTP refused", lambda: self.debug(
                refuse={"share": 0.5, "status": 503})),
            ("answers lost", lambda: self.debug(lose=0.3)),
            ("events twice", lambda: self.debug(duplicate=0.5)),
            ("answers late", lambda: self.debug(delay_ms=500)),
            ("node down", self.node),
            ("jobs cancelled", self.cancel),
        ]

    def run(self):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if self.failed:
                raise self.failed
            name, fault = self.rng.choice(self.faults())
            print(f"soak: {len(self.want)} jobs, {name}", flush=True)
            self.done.append(name)
            fault()
            time.sleep(self.rng.uniform(0, 2))  # the pace of what goes wrong

    def some_time(self):
        time.sleep(self.rng.uniform(0.2, 4))

    def kill(self, daemon):
        daemon.kill()
        time.sleep(self.rng.uniform(0, 1))
        daemon.start()

    def pause(self, daemon):
        daemon.pause()
        self.some_time()
        daemon.resume()

    def cut(self, wire):
        self.stack.wires[wire].cut()
        self.some_time()
        self.stack.wires[wire].mend()

    def swallow(self, wire):
        self.stack.wires[wire].swallow()
        self.some_time()
        self.stack.wires[wire].mend()

    def debug(self, **what):
        gateway = self.stack.flurm.gateway
        gateway.debug(**what)
        self.some_time()
        gateway.debug(refuse={"share": 0}, lose=0, duplicate=0, delay_ms=0)

    def node(self):
        gateway = self.stack.flurm.gateway
        name = self.rng.choice(gateway.get("/api/v1/nodes"))["name"]
        gateway.debug(node={"name": name, "up": False})
        self.some_time()
        gateway.debug(node={"name": name, "up": True})

    def cancel(self):
        # what goes wrong next is not to depend on how many jobs there are
        jobs = random.Random(self.rng.random()).sample(
            sorted(self.want), min(10, len(self.want)))
        self.touched.update(jobs)
        self.stack.beta.run("scancel", *map(str, jobs), check=False)


@pytest.mark.fed_flurmd
def test_soak(stack):
    faults.while_it_lives(stack.beta, _soak, stack)


def _soak(stack):
    stack.cancel_all()
    stack.natives("drain")
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    soak = Soak(stack, random.Random(SEED))
    print(f"soak: seed {SEED}, {soak.count} jobs, {SECONDS} s")
    history = History(stack.flurm.gateway)
    history.start()
    submitter = threading.Thread(target=soak.submit_all)
    submitter.start()
    try:
        soak.run()
    except BaseException:
        soak.over = True
        raise
    finally:
        submitter.join()
    assert not soak.failed
    stack.wait_flurm_linked(60)
    settle(stack)
    history.over = True
    check(stack, soak, history)


def settle(stack):
    """All has come to an end. What Slurm lost on its way to FLURM (fed_mgr.c,
    _agent_thread()) the natives run now."""
    def flurm_has_none():
        states = stack.flurm.status()["clusters"][0]["jobs"]["states"]
        return set(states) <= {"gone"}
    wait_until(flurm_has_none, timeout=120, what="FLURM has none left",
               every=0.5)
    stack.natives("resume")
    # alpha may keep copies, which it has no lock for: what is revoked while it
    # is away is not told to it (fed_mgr.c, _persist_fed_job_revoke())
    wait_until(stack.queues, lambda queues: not queues["beta"], 60,
               "the origin has none left", every=0.5)
    wait_until(flurm_has_none, timeout=30, what="FLURM has none left")


def check(stack, soak, history):
    gateway = {job["fed_job_id"]: job for job in stack.flurm.gateway.jobs()}
    told = stack.beta.exit_codes()
    wrong = collections.defaultdict(list)
    for kind in ("started", "ended"):
        for run, count in history.of(kind).items():
            if count > 1:
                wrong[run].append(f"{kind} {count} times")
    for job, code in soak.want.items():
        for what in _judge(job, code, gateway.get(job), told.get(job),
                           job in soak.touched):
            wrong[job].append(what)
    ran = sum(job["state"] in ("completed", "failed")
              for job in gateway.values())
    print(f"soak: {ran} of {len(soak.want)} ran at FLURM, "
          f"{history.gaps} gaps, {collections.Counter(soak.done)}")
    # none was missed but in a gap
    assert history.gaps or len(history.of("started")) >= ran
    assert not wrong, f"seed {SEED}: {dict(list(wrong.items())[:20])}"
    assert ran > len(soak.want) / 2


def _judge(job, code, flurm, told, touched):
    """What is wrong with how a job ended."""
    state = flurm and flurm["state"]
    if told is None:
        yield "its origin has lost it"
    elif state in ("completed", "failed"):
        if flurm["exit_code"] != code:
            yield f"FLURM: exit code {flurm['exit_code']}, not {code}"
        # of what is cancelled while FLURM is away it gets the submission, but
        # no revoke (fed_mgr.c, _persist_fed_job_revoke()), and the lock
        if told != f"{code}:0" and not (touched and told == "0:0"):
            yield f"ended with {code}, its origin says {told}"
    elif state in ("cancelled", "node_fail"):
        if told == "0:0" and flurm.get("start_time"):
            yield f"{state} at FLURM, its origin calls it completed"
        if state == "cancelled" and not touched:
            yield "cancelled by nobody"
    elif state in (None, "revoked"):
        # a native ran it, or it was cancelled while it waited
        if not touched and told != f"{code}:0":
            yield f"{state} at FLURM, its origin says {told}"
    else:
        yield f"{state} at FLURM for ever"
