"""A daemon stands still for half a minute while FLURM and the natives run jobs."""
import faults

STACK = {"gateway": "local"}


def test_native(stack):
    faults.fault(stack, faults.paused, stack.beta.slurmctld, "alpha", "beta")


def test_origin(stack):
    faults.fault(stack, faults.paused, stack.beta.slurmctld, "beta", "beta")


def test_gateway(stack):
    faults.fault(stack, faults.paused, stack.flurm.gateway)
