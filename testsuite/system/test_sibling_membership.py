"""The federation changes while FLURM has jobs of natives."""
import pytest

from stack import GONE, wait_until

USER = "daemon"
STACK = {"gateway": "local"}


@pytest.fixture
def full(stack):
    stack.natives("drain")
    stack.witness.forget()
    yield stack
    stack.natives("resume")
    stack.cancel_all()
    assert not stack.witness.started_twice()


def two_jobs(stack):
    """One that runs at FLURM until it is released, and one that waits."""
    running = stack.alpha.sbatch("--ntasks=16", user=USER,
                                 script=stack.witness.script(
        stack.witness.until_released + "exit 6"))
    stack.witness.wait_started(running)
    stack.wait_states(running, alpha="REVOKED", beta=GONE)
    waiting = stack.alpha.sbatch("--ntasks=16", user=USER,
                                 script=stack.witness.script())
    stack.wait_states(waiting, flurm="pending", alpha="PENDING",
                      beta="PENDING")
    return running, waiting


def seen_as(stack, state):
    for cluster in stack.clusters.values():
        wait_until(lambda: cluster.federation().siblings.get("flurm"),
                   lambda flurm: (flurm and flurm.state.split("+")[0]) ==
                   state, 20, f"{cluster.name} sees FLURM as {state}")


def test_drain(full):
    """What it has it brings to an end; it gets nothing new."""
    running, waiting = two_jobs(full)
    full.sacctmgr("modify", "cluster", "flurm", "set", "fedstate=DRAIN")
    seen_as(full, "DRAIN")
    late = full.alpha.sbatch(user=USER, script=full.witness.script())
    full.witness.release(running)
    full.wait_states(running, flurm="failed", alpha="REVOKED")
    wait_until(lambda: full.alpha.job(running)["ExitCode"],
               lambda code: code == "6:0", what="its exit code is told")
    full.natives("resume")
    wait_until(lambda: full.witness.starts(late), what="a native runs it")
    assert full.witness.starts(late)[0][0] != "flurm"
    assert not full.flurm.gateway.job(late)
    wait_until(lambda: full.witness.starts(waiting), what="somebody runs it")
    seen_as(full, "DRAINED")
    full.sacctmgr("modify", "cluster", "flurm", "set", "fedstate=ACTIVE")
    seen_as(full, "ACTIVE")
    full.wait_linked()


def test_removed(full):
    """What runs goes on and nobody is told; what waits is for the others."""
    running, waiting = two_jobs(full)
    full.federate("clusters-=flurm")
    seen_as(full, None)
    # Slurm's own: who ran a job that left no longer counts
    full.wait_states(running, alpha=GONE)
    full.wait_states(waiting, flurm="revoked", alpha="PENDING")
    assert full.flurm.gateway.job(running)["state"] == "running"
    full.witness.release(running)
    full.wait_states(running, flurm="failed")
    full.natives("resume")
    wait_until(lambda: full.witness.starts(waiting), what="a native runs it")
    assert full.witness.starts(waiting)[0][0] in ("alpha", "beta")
    full.federate("clusters+=flurm")
    full.wait_linked()
    full.natives("drain")
    job = full.alpha.sbatch(user=USER, script=full.witness.script())
    full.witness.wait_started(job)
    full.wait_states(job, flurm="completed", alpha="REVOKED")
