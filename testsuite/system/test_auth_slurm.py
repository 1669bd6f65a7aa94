"""A site without munge: auth/slurm, and who asks is known by its credential."""
import pytest

from stack.release import slurm_release

pytestmark = [
    pytest.mark.fed_flurmd,
    pytest.mark.skipif(slurm_release() < "24", reason="no auth/slurm there"),
]

STACK = {"gateway": "local", "auth": "slurm"}


def test_jobs_run_at_flurm(stack):
    stack.natives("drain")
    job = stack.alpha.sbatch(user="daemon")
    stack.flurm.gateway.wait_job(job, "completed")
    stack.wait_states(job, alpha="REVOKED")
    stack.natives("resume")
    assert stack.alpha.run("sacct", "-nPX", "-M", "flurm", "-j", str(job),
                           "-o", "User") == "daemon\n"


def test_clients_are_known(stack):
    stack.natives("drain")
    job = stack.alpha.sbatch(user="daemon", script="#!/bin/sh\nsleep 300\n")
    stack.flurm.gateway.wait_job(job, "running")
    for user in "root", "daemon", "nobody":
        assert str(job) in stack.alpha.run("squeue", "-M", "flurm", user=user)
    denied = stack.alpha.run("scancel", "-M", "flurm", str(job), user="nobody",
                             check=False)
    assert "Access/permission denied" in denied.err
    stack.alpha.run("scancel", "-M", "flurm", str(job), user="daemon")
    stack.flurm.gateway.wait_job(job, "cancelled")
    stack.natives("resume")


def test_administrator(stack):
    by = ("--daemon",) if stack.flurm.daemon else ()
    for argv in ("status",), ("check", *by):
        stack.flurm.flurmfed(*argv)
