"""The ledger's disk is full while FLURM and the natives run jobs."""
import faults

STACK = {"gateway": "local", "disk": 2}


def test_full_disk(stack):
    faults.fault(stack, faults.full_disk, stack, "beta")
    assert stack.flurm.status()["clusters"][0]["ledger"]["state"] == "ok"
