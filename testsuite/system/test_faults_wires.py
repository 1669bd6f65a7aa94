"""A connection is cut in the middle of a message, or swallows all, while FLURM
and the natives run jobs."""
import pytest

import faults

STACK = {"gateway": "local", "wires": True}


@pytest.mark.parametrize("how", [faults.cut, faults.swallowed])
def test_controller_to_flurm(stack, how):
    faults.fault(stack, how, stack.wires["gateway"])


@pytest.mark.parametrize("how", [faults.cut, faults.swallowed])
def test_natives_to_controller(stack, how):
    faults.fault(stack, how, stack.wires["flurm"], "beta")


@pytest.mark.parametrize("how", [faults.cut, faults.swallowed])
def test_controller_to_native(stack, how):
    faults.fault(stack, how, stack.wires["beta"], "beta", "beta",
                 "beta")
