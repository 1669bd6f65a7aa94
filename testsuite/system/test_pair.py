"""A backup slurmctld on a second host takes over from alpha, and gives back.

Only who is in control hosts FLURM's controller."""
from stack import wait_until
from stack.ports import listening

LONG = "#!/bin/sh\nexec sleep 600\n"
TAKEOVER = 60
BACK = 15  # seconds in which all links are up again once one is in control
STACK = {"pair": True}


def wait_flurm_is_at(stack, address):
    """Registered from there, listening there, linked with both natives."""
    wait_until(lambda: stack.sacctmgr(
        "-nP", "show", "cluster", "flurm", "format=controlhost,controlport"),
        lambda out: out.strip() == f"{address}|{stack.flurm.port}", TAKEOVER,
        f"slurmdbd has FLURM at {address}")
    assert listening(stack.flurm.port, address)
    wait_all_linked(stack)
    for cluster in stack.clusters.values():
        assert cluster.federation().siblings["flurm"].host == address


def wait_all_linked(stack):
    """FLURM with both natives, and each native can send to the other.

    Of its own "Recv" a native forgets at times that it has it: the end of the
    old connection clears what is known of the new one.
    """
    for cluster in stack.clusters.values():
        wait_until(cluster.federation, lambda fed: fed.linked("flurm") and
                   all(other.send == "Yes" for other in fed.siblings.values()),
                   BACK, f"{cluster.name} is linked again")


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


def test_backup_takes_over_on_demand(stack):
    """scontrol takeover: the primary ends in good order."""
    if stack.slurm_version < (23, 2):
        # a slurmctld of 22.05 that has given back control ends in a
        # segmentation fault when it takes over again, with stock Slurm alone
        # too
        stack.alpha.backup.restart()
    wait_both_up(stack)
    stack.alpha.scontrol("takeover", "1")
    wait_until(lambda: in_control(stack, stack.backup_host.address),
               timeout=TAKEOVER, what="the backup is in control")
    wait_flurm_is_at(stack, stack.backup_host.address)


def test_fed_flurmd_tells_where_the_pair_is(make_stack):
    """FLURM is hosted elsewhere. With 22.05 slurmdbd tells nobody that alpha
    is at another address now: FLURM finds out and has all members told. Stock
    22.05 alone is not linked again."""
    stack = make_stack(pair=True, flurm="fed_flurmd")
    wait_both_up(stack)
    stack.alpha.slurmctld.kill()
    wait_until(lambda: in_control(stack, stack.backup_host.address),
               timeout=TAKEOVER, what="the backup is in control")
    wait_all_linked(stack)
    stack.alpha.slurmctld.start()
    wait_until(lambda: in_control(stack, stack.address), timeout=TAKEOVER,
               what="the primary is in control again")
    wait_all_linked(stack)
    assert stack.flurm.daemon.stop() == 0
