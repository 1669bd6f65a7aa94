"""FLURM's own state in the federation: what sacctmgr sets, and what FLURM makes
of it with jobs at hand, as a native does."""
import pytest

from stack import wait_until

pytestmark = pytest.mark.fed_flurmd

STACK = {"gateway": "local"}
USER = "daemon"
SOON = 20
# runs until the test says so
SCRIPT = """#!/bin/sh
while [ ! -e end-$SLURM_JOB_ID ]; do sleep 0.1; done
"""


@pytest.fixture
def jobs(stack):
    """FLURM runs jobs, and the natives have no room for any."""
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    _natives(stack, "drain")
    yield stack
    _natives(stack, "resume")
    stack.sacctmgr("modify", "cluster", "flurm", "set", "fedstate=ACTIVE")
    wait_state(stack, "ACTIVE")


def _natives(stack, state):
    for cluster in stack.clusters.values():
        cluster.scontrol("update", f"nodename={cluster.name}1",
                         f"state={state}", "reason=test",
                         check=state != "resume")


def set_state(stack, state):
    stack.sacctmgr("modify", "cluster", "flurm", "set", f"fedstate={state}")


def wait_state(stack, state):
    for cluster in stack.clusters.values():
        wait_until(lambda: cluster.federation().siblings["flurm"].state,
                   lambda seen: seen == state, SOON,
                   f"{cluster.name} sees FLURM {state}")


def submit(stack):
    return stack.alpha.sbatch(user=USER, script=SCRIPT)


def end(stack, job):
    open(f"{stack.work}/end-{job}", "w").close()


def wait_finished(stack, job):
    stack.flurm.gateway.wait_job(job, "completed")
    wait_until(lambda: stack.alpha.job(job),
               lambda seen: seen.get("ExitCode") == "0:0" and
               seen.get("EndTime") != "Unknown", SOON,
               f"alpha knows that job {job} has ended")


def moves(stack):
    """How often FLURM's jobs have moved."""
    return stack.flurm.status()["clusters"][0]["jobs"]["events"]


def test_drained_once_its_jobs_have_ended(jobs):
    running = submit(jobs)
    jobs.flurm.gateway.wait_job(running, "running")
    set_state(jobs, "DRAIN")
    wait_state(jobs, "DRAIN")
    # a new one is not offered to it, and not started there
    later = submit(jobs)
    assert jobs.flurm.gateway.job(running)["state"] == "running"
    assert jobs.flurm.gateway.job(later) == {}
    for cluster in jobs.clusters.values():
        assert cluster.federation().siblings["flurm"].state == "DRAIN"
    end(jobs, running)
    wait_finished(jobs, running)
    wait_state(jobs, "DRAINED")
    assert jobs.flurm.gateway.job(later) == {}
    # and back: it takes jobs again
    set_state(jobs, "ACTIVE")
    wait_state(jobs, "ACTIVE")
    again = submit(jobs)
    end(jobs, again)
    wait_finished(jobs, again)
    jobs.alpha.run("scancel", str(later))


def test_leaves_the_federation_once_its_jobs_have_ended(jobs):
    running = submit(jobs)
    jobs.flurm.gateway.wait_job(running, "running")
    set_state(jobs, "DRAIN+REMOVE")
    wait_state(jobs, "DRAIN+REMOVE")
    end(jobs, running)
    wait_finished(jobs, running)
    for cluster in jobs.clusters.values():
        wait_until(lambda: cluster.federation().siblings,
                   lambda seen: "flurm" not in seen, SOON,
                   f"{cluster.name} sees that FLURM has left")
    jobs.federate("clusters+=flurm")
    jobs.wait_linked(SOON)


def test_inactive_starts_nothing(jobs):
    """A job that waits at FLURM does not start there; one that runs goes on."""
    running = submit(jobs)
    jobs.flurm.gateway.wait_job(running, "running")
    held = submit(jobs)
    jobs.flurm.gateway.wait_job(held, "running")
    end(jobs, held)
    wait_finished(jobs, held)

    jobs.flurm.gateway.pause()  # it keeps what it is offered now
    waiting = submit(jobs)
    set_state(jobs, "INACTIVE")
    wait_state(jobs, "INACTIVE")
    jobs.flurm.gateway.resume()
    jobs.flurm.gateway.wait_job(waiting, "pending")
    # FLURM has room for it and asks again and again: that much has happened
    events = moves(jobs)
    wait_until(lambda: moves(jobs), lambda now: now > events + 8, SOON,
               "starts of the job are asked for and denied")
    assert jobs.flurm.gateway.job(running)["state"] == "running"
    end(jobs, running)
    wait_finished(jobs, running)
    assert jobs.flurm.gateway.job(waiting)["state"] == "pending"

    set_state(jobs, "ACTIVE")
    end(jobs, waiting)
    wait_finished(jobs, waiting)
