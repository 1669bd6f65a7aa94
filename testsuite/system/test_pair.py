"""A backup slurmctld on a second host takes over from alpha, and gives back.

Only who is in control hosts FLURM's controller."""
import pytest

from stack import wait_until
from stack.release import slurm_release
from stack.ports import listening

LONG = "#!/bin/sh\nexec sleep 600\n"
TAKEOVER = 60
STACK = {"pair": True}


# With 22.05 a native is at times not linked with FLURM again for a minute
# after the backup has taken over, or has given back. Not understood yet.
OPEN = pytest.mark.xfail(slurm_release().startswith("22.05"), strict=False,
                         reason="open: not always linked again with 22.05")


def wait_flurm_is_at(stack, address):
    """Registered from there, listening there, linked with both natives."""
    wait_until(lambda: stack.sacctmgr(
        "-nP", "show", "cluster", "flurm", "format=controlhost,controlport"),
        lambda out: out.strip() == f"{address}|{stack.flurm.port}", TAKEOVER,
        f"slurmdbd has FLURM at {address}")
    assert listening(stack.flurm.port, address)
    for cluster in stack.clusters.values():
        fed = wait_until(cluster.federation, lambda fed: fed.linked("flurm"),
                         TAKEOVER, f"{cluster.name} is linked with FLURM")
        assert fed.siblings["flurm"].host == address


def in_control(stack, address):
    out = stack.sacctmgr("-nP", "show", "cluster", "alpha",
                         "format=controlhost")
    return out.strip() == address


def wait_both_up(stack):
    wait_until(lambda: stack.alpha.scontrol("ping"),
               lambda out: out.count("is UP") == 2, TAKEOVER,
               "both of the pair are up")


def test_standby_does_nothing(stack):
    wait_both_up(stack)
    wait_flurm_is_at(stack, stack.address)
    assert not listening(stack.flurm.port, stack.backup_host.address)


@OPEN
def test_backup_takes_over_and_gives_back(stack):
    job = stack.alpha.sbatch("--clusters=alpha", script=LONG)
    stack.alpha.wait_job(job, "RUNNING")
    stack.alpha.wait_saved(job)

    stack.alpha.slurmctld.kill()
    wait_until(lambda: in_control(stack, stack.backup_host.address),
               timeout=TAKEOVER, what="the backup is in control")
    wait_flurm_is_at(stack, stack.backup_host.address)
    assert stack.alpha.job_state(job) == "RUNNING"

    stack.alpha.slurmctld.start()
    wait_until(lambda: in_control(stack, stack.address), timeout=TAKEOVER,
               what="the primary is in control again")
    wait_flurm_is_at(stack, stack.address)
    wait_until(lambda: listening(stack.flurm.port, stack.backup_host.address),
               lambda there: not there, 15, "the backup has let go")
    wait_until(lambda: stack.alpha.job_state(job),
               lambda state: state == "RUNNING", what="the job still runs")
    stack.alpha.run("scancel", str(job))


@OPEN
def test_backup_takes_over_on_demand(stack):
    """scontrol takeover: the primary ends in good order."""
    wait_both_up(stack)
    stack.alpha.scontrol("takeover", "1")
    wait_until(lambda: in_control(stack, stack.backup_host.address),
               timeout=TAKEOVER, what="the backup is in control")
    wait_flurm_is_at(stack, stack.backup_host.address)
