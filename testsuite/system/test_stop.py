"""FLURM's controller stops in less than two seconds, whoever keeps silent: with
links up, jobs in flight, clients that wait, and neither slurmdbd nor FLURM's
own side answering."""
import contextlib
import re
import signal
import time

from stack import wait_until
from stack.flurm import Flurm
from stack.ports import listening

LIMIT = 2
LOOK = 0.3  # the plugin looks so often whether slurmctld is in control
DOWN = re.compile(r"controller is down, after (\d+) ms")
LONG = "#!/bin/sh\nexec sleep 300\n"


def submit(stack):
    return [origin.sbatch(user="daemon", script=LONG)
            for origin in stack.clusters.values() for _ in range(10)]


def put_to_work(stack):
    """A job that runs at FLURM, others that wait everywhere; returns it."""
    stack.wait_registered()
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    job = stack.fill_flurm()
    for each in submit(stack):
        stack.flurm.gateway.wait_job(each, "pending")
    return job


@contextlib.contextmanager
def silence(stack, job):
    """slurmdbd and FLURM stand still, and a client waits for FLURM."""
    stack.slurmdbd.pause()
    stack.flurm.gateway.pause()
    client = stack.beta.popen("scontrol", "--cluster=flurm", "suspend",
                              str(job))
    time.sleep(0.5)  # until it waits, for five seconds at the most
    assert client.poll() is None
    try:
        yield
    finally:
        stack.flurm.gateway.resume()
        stack.slurmdbd.resume()
        client.kill()
        client.communicate()


def wait_closed(stack, address="127.0.0.1", limit=LIMIT + LOOK):
    wait_until(lambda: listening(stack.flurm.port, address),
               lambda there: not there, limit, "FLURM's port is closed",
               every=0.02)


def stopped_in(daemon):
    """How long each stop took by the daemon's own log, in milliseconds."""
    return [int(match.group(1))
            for match in map(DOWN.search, daemon.logged("controller is down"))
            if match]


def test_slurmctld_ends(make_stack):
    """It waits for slurmdbd itself, but FLURM is gone by then."""
    stack = make_stack(gateway="local")
    job = put_to_work(stack)
    with silence(stack, job):
        stack.alpha.slurmctld.signal(signal.SIGTERM)
        wait_closed(stack)
        # it may be gone before it can say so
        took = wait_until(lambda: not stack.alpha.slurmctld.alive or
                          stopped_in(stack.alpha.slurmctld), timeout=LIMIT,
                          what="FLURM's controller is down")
    assert took is True or took[-1] < 1000 * LIMIT


def test_taken_out_by_reconfigure(make_stack):
    """Another cluster is there instead of it."""
    stack = make_stack(gateway="local")
    job = put_to_work(stack)
    other = Flurm(stack, name="flurm2")
    with silence(stack, job):
        stack.flurm.write_conf(f"LedgerDir={stack.flurm.ledger}\n"
                               f"{other.line()}\n")
        client = stack.alpha.popen("scontrol", "reconfigure")
        wait_closed(stack)
        # a process of its own that begins may end the old one before it can
        # say so
        took = stack.slurm_version >= (23, 11) or wait_until(
            lambda: stopped_in(stack.alpha.slurmctld), timeout=LIMIT,
            what="FLURM's controller is down")
        client.kill()
        client.communicate()
    assert took is True or took[-1] < 1000 * LIMIT


def test_backup_gives_back_control(make_stack):
    """The backup's host does not reach FLURM's own side: jobs wait to be given
    to it."""
    stack = make_stack(pair=True)
    backup = stack.alpha.backup
    stack.alpha.slurmctld.kill()
    wait_until(lambda: listening(stack.flurm.port, backup.address),
               timeout=60, what="the backup hosts FLURM's controller")
    stack.wait_flurm_linked(60)
    stack.natives("drain")
    submit(stack)
    stack.slurmdbd.pause()
    stack.alpha.slurmctld.spawn()
    took = wait_until(lambda: stopped_in(backup), timeout=60,
                      what="the backup has let go")
    wait_closed(stack, backup.address, 1)
    stack.slurmdbd.resume()
    assert took[-1] < 1000 * LIMIT
