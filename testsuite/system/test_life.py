"""FLURM's controller from start to stop and again, as a process of its own.

./check runs this with sanitizers: a leak shows at each end, a race at any time.
"""
import os
import re
import signal

import pytest

from stack import wait_until
from stack.ports import listening

pytestmark = pytest.mark.fed_flurmd

DOWN = re.compile(r"controller is down, after (\d+) ms")


@pytest.fixture
def alone(make_stack):
    return make_stack(flurm="fed_flurmd")


def stop(flurm):
    """Sanitizers look for leaks at the end, which takes its time: how long the
    controller itself took it says itself."""
    assert flurm.daemon.stop() == 0, flurm.daemon.tail()
    took = int(DOWN.findall(flurm.daemon.tail(10 ** 6))[-1])
    assert took < 2000
    assert not flurm.daemon.reports()
    assert not listening(flurm.port)
    assert not os.path.exists(flurm.status_socket)
    flurm.flurmfed("ledger", "verify", os.path.join(flurm.ledger, flurm.name))


def test_start_run_stop_start(alone):
    """With links up and a job that has run; what was known is known again."""
    flurm = alone.flurm
    for _ in range(3):
        alone.alpha.wait_job(alone.alpha.sbatch("--clusters=alpha"))
        stop(flurm)
        flurm.daemon.start()
        alone.wait_linked(30)
    assert flurm.status()["clusters"][0]["federation"]["name"] == "fed"


def test_stop_while_nothing_can_be_reached(alone):
    """slurmdbd and the natives do not answer: it ends all the same."""
    others = [alone.slurmdbd, alone.alpha.slurmctld, alone.beta.slurmctld]
    for daemon in others:
        daemon.pause()
    try:
        stop(alone.flurm)
    finally:
        for daemon in others:
            daemon.resume()
    alone.flurm.daemon.start()
    alone.wait_linked(60)


def test_reconfigure_again_and_again(alone):
    """SIGHUP, with a changed cluster each time, leaves nothing behind."""
    flurm = alone.flurm

    def change(number):
        flurm.options["Partitions"] = f"p{number}"
        flurm.write_conf()
        since = flurm.daemon.tail(10 ** 6).count("controller is up")
        flurm.daemon.signal(signal.SIGHUP)
        wait_until(lambda: flurm.daemon.tail(10 ** 6).count(
            "controller is up"), lambda count: count > since, 20,
            "the changed cluster is started anew")

    for number in range(3):
        change(number)
    alone.wait_linked(30)
    descriptors, threads = flurm.daemon.descriptors(), flurm.daemon.threads()
    for number in range(3, 8):
        change(number)
    alone.wait_linked(30)
    wait_until(flurm.daemon.descriptors, lambda now: now <= descriptors + 2,
               what="no descriptor is left over")
    wait_until(flurm.daemon.threads, lambda now: now <= threads + 2,
               what="no thread is left over")
