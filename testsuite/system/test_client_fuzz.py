"""Clients' requests, damaged, at FLURM's port: it and slurmctld live on."""
import concurrent.futures
import os
import random
import struct

import pytest

from stack import wait_until, wire
from stack.overhear import Overhearer
from test_bad_input import SEED, mutate, slurmctld_unharmed, throw

pytestmark = pytest.mark.fed_flurmd
STACK = {"gateway": "local"}

FRAMES = int(os.environ.get("FED_FLURM_FRAMES", "300"))  # of each type

COMMANDS = [
    ("squeue",), ("squeue", "--user=root"), ("squeue", "--steps"),
    ("squeue", "--jobs=1", "--only-job-state"), ("sinfo", "-T"), ("sprio",),
    ("sdiag",), ("sdiag", "--reset"), ("sshare",), ("sinfo", "-N"),
    ("scontrol", "show", "job", "{job}"), ("scontrol", "show", "config"),
    ("scontrol", "show", "node", "alpha1"), ("scontrol", "show", "licenses"),
    ("scontrol", "show", "partition"), ("scontrol", "show", "topology"),
    ("scontrol", "show", "reservation"), ("scontrol", "show", "burstbuffer"),
    ("scontrol", "show", "assoc_mgr"), ("scontrol", "show", "federation"),
    ("scontrol", "show", "step", "{job}"), ("scontrol", "ping"),
    ("scontrol", "write", "batch_script", "{job}", "-"),
    ("scontrol", "notify", "{job}", "hello"),
    ("scontrol", "update", "jobid={job}", "comment=new", "priority=5"),
    ("scontrol", "suspend", "{job}"), ("scontrol", "requeue", "{job}"),
    ("scontrol", "top", "{job}"), ("sbatch", "--wrap=true", "-n2"),
    ("sbatch", "--test-only", "--wrap=true", "-n2"),
    ("scancel", "--signal=USR1", "{job}.0"), ("scancel", "--ctld", "{job}"),
    ("scancel", "{job}"),
]
# by squeue, sinfo, scontrol, scancel and sbatch of both releases
KINDS = {
    1008: "PING", 2001: "BUILD_INFO", 2003: "JOB_INFO",
    2005: "JOB_STEP_INFO", 2007: "NODE_INFO", 2009: "PARTITION_INFO",
    2021: "JOB_INFO_SINGLE", 2022: "SHARE_INFO", 2024: "RESERVATION_INFO",
    2026: "PRIORITY_FACTORS", 2028: "TOPO_INFO", 2035: "STATS_INFO",
    2037: "BURST_BUFFER_INFO", 2039: "JOB_USER_INFO",
    2040: "NODE_INFO_SINGLE", 2043: "ASSOC_MGR_INFO", 2049: "FED_INFO",
    2051: "BATCH_SCRIPT", 1021: "LICENSE_INFO", 3001: "UPDATE_JOB",
    4003: "SUBMIT_BATCH_JOB", 4012: "JOB_WILL_RUN", 4022: "JOB_NOTIFY",
    5005: "CANCEL_JOB_STEP", 5014: "SUSPEND", 5023: "JOB_REQUEUE",
    5032: "KILL_JOB", 5038: "TOP_JOB", 2057: "JOB_STATE", 5041: "KILL_JOBS",
}


@pytest.fixture(scope="module")
def requests(stack):
    """A true request of each type, for a job that is FLURM's to act on."""
    stack.sacctmgr("modify", "cluster", "flurm", "set", "features=isflurm")
    stack.wait_linked(100)
    job = stack.alpha.sbatch("--cluster-constraint=isflurm",
                             script="#!/bin/sh\nsleep 600\n")
    wait_until(lambda: stack.flurm.gateway.job(job).get("state"),
               lambda state: state == "running", 30, "it runs at FLURM")
    own = stack.alpha.sbatch("--clusters=alpha",
                             script="#!/bin/sh\nsleep 600\n")
    between = Overhearer(stack.alpha)
    for argv in COMMANDS:
        between.run(*(word.format(job=own) for word in argv))
    between.close()
    # the same about the other job
    seen = {kind: body.replace(str(own).encode(), str(job).encode())
            for kind, body in between.seen.items()}
    # in a federation these go to each cluster where it is: made by hand
    byhand = {
        2005: struct.pack(">QIIIH", 0, job, 0xfffffffe, 0xfffffffe, 1),
        2021: struct.pack(">IH", job, 1),
        2039: struct.pack(">IH", 0, 1),
        2040: wire.string("flurm1") + struct.pack(">H", 1),
        4012: seen[4003],  # the same description of a job
        5005: seen[5032],  # the same structure
    }
    if stack.slurm_version >= (24, 5):
        byhand[2057] = struct.pack(">I", 0)
    return {**byhand, **seen}


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
def test_damaged(stack, requests, kind):
    if kind not in requests:
        pytest.skip("no command of this release asks so")
    rng = random.Random(f"{SEED} {kind}")
    version = stack.rpc_version()
    munge = wire.Munge(stack.munge.socket)
    before = stack.flurm.status()["clusters"][0]["port"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for start in range(0, FRAMES, 100):
            frames = [wire.message(kind, mutate(requests[kind], rng), version,
                                   munge.credential())
                      for _ in range(start, min(start + 100, FRAMES))]
            list(pool.map(lambda data: throw(stack.flurm.port, data), frames))
    # most are read, and some are good enough to be answered
    after = stack.flurm.status()["clusters"][0]["port"]
    assert after["accepted"] - before["accepted"] >= FRAMES
    # that it is the same process and as large as before: see the next test
    assert stack.alpha.ping()
    assert "normal" in stack.alpha.run("sinfo", "-M", "flurm")


def test_nothing_is_left_behind(stack, requests):
    """All types in turn: slurmctld has grown no threads, files or memory."""
    rng = random.Random(SEED)
    version = stack.rpc_version()
    munge = wire.Munge(stack.munge.socket)
    bodies = [(kind, body) for kind, body in requests.items()
              if kind in KINDS] * 20
    rounds = max(FRAMES // 100, 3)
    with slurmctld_unharmed(stack, rounds * len(bodies)), \
            concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(rounds):
            frames = [wire.message(kind, mutate(body, rng), version,
                                   munge.credential())
                      for kind, body in bodies]
            list(pool.map(lambda data: throw(stack.flurm.port, data), frames))
