"""A daemon is killed with kill -9 while FLURM and the natives run jobs."""
import pytest

import faults

STACK = {"gateway": "local"}


@pytest.mark.parametrize("origin", ["alpha", "beta"])
@pytest.mark.parametrize("native", ["alpha", "beta"])
def test_slurmctld(stack, native, origin):
    """alpha's hosts FLURM's controller."""
    faults.fault(stack, faults.killed, stack.clusters[native].slurmctld,
                 origin, native)


def test_gateway(stack):
    faults.fault(stack, faults.killed, stack.flurm.gateway, "beta")


def test_slurmdbd(stack):
    faults.fault(stack, faults.killed, stack.slurmdbd)


def test_flurms_store_is_deleted(stack):
    faults.fault(stack, faults.lost_store, stack.flurm.gateway)
