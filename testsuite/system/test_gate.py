"""The start gate between a true origin and FLURM: who has the lock, and what of
what was said still counts."""
import os
import re

import pytest

from stack import wait_until

USER = "daemon"
LONG = "#!/bin/sh\nexec sleep 300\n"


def test_start_that_fails_gives_the_lock_back(full):
    """FLURM has room and the grant, and cannot start it: a native can."""
    # a native's %N is its host's name
    for name in [os.uname().nodename.split(".")[0],
                 *(f"{native}1" for native in full.clusters)]:
        path = os.path.join(full.work, "only", name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o777)
    job = full.alpha.sbatch(f"--output={full.work}/only/%N/out",
                            user=USER, script=full.witness.script())
    wait_until(lambda: full.flurm.gateway.job(job).get("attempt", 0),
               lambda attempt: attempt > 1, what="FLURM tried, and tries again")
    assert not full.witness.starts(job)
    full.natives("resume")
    wait_until(lambda: full.witness.starts(job), what="a native ran it")
    full.wait_states(job, flurm="revoked")
    (cluster, restart), = full.witness.starts(job)
    assert cluster in full.clusters and restart == 0


@pytest.fixture
def wired(make_stack):
    """FLURM waits 2 seconds for an answer; what is said to it can be stopped."""
    stack = make_stack(gateway="local", wires=True)
    stack.flurm.gateway.extra = ["gate_patience = 2", "gate_ask_again = 1"]
    stack.flurm.gateway.kill()
    stack.flurm.gateway.start()
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    stack.natives("drain")
    return stack


def answers(stack, job):
    """The gateway's answers to what was said to this job's requests."""
    with open(stack.flurm.gateway.output) as file:
        return re.findall(rf"/jobs/{job}/start -> (\d+)", file.read())


def test_grant_that_is_late(wired):
    """It is for the first attempt, and comes when the second one asks."""
    origin, gateway = wired.beta, wired.flurm.gateway
    filler = origin.sbatch("--ntasks=16", user=USER, script=LONG)
    wired.wait_states(filler, flurm="running", beta="REVOKED")
    job = origin.sbatch("--ntasks=16", user=USER,
                        script=wired.witness.script())
    wired.wait_states(job, flurm="pending", alpha="PENDING", beta="PENDING")
    # the origin does not answer for now, so that the request waits for it
    origin.slurmctld.pause()
    wired.alpha.run("scancel", "-M", "flurm", str(filler))
    wait_until(lambda: gateway.job(job), lambda seen: seen.get("attempt") == 1
               and seen["state"] == "starting", 20, "it asks")
    wait_until(lambda: wired.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: states.get("locking"), what="the lock is asked")
    wired.wires["gateway"].swallow()
    origin.slurmctld.resume()
    wait_until(lambda: wired.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: states.get("granted"), 30, "it is granted")
    wait_until(lambda: gateway.job(job), lambda seen: seen["attempt"] > 1,
               20, "FLURM has given up waiting, and asks anew")
    assert not answers(wired, job) and not wired.witness.starts(job)
    wired.wires["gateway"].mend()
    wired.witness.wait_started(job, timeout=60)
    assert "409" in answers(wired, job)
    wait_until(lambda: origin.job(job).get("ExitCode"),
               lambda code: code == "0:0", what="its origin knows its end")
    assert wired.witness.starts(job) == [("flurm", 0)]
