"""SlurmUser is nobody special, as at most sites: the controllers and slurmdbd
run as it, and have only what belongs to it."""
import os
import pwd
import re
import stat

import pytest

from stack import wait_until

SLURM = "slurm"  # Debian's packages make this user

STACK = {"gateway": "local", "slurm_user": SLURM}

pytestmark = pytest.mark.fed_flurmd


def _host(stack):
    """The process that FLURM's controller is in."""
    return stack.flurm.daemon or stack.alpha.slurmctld


def _run_at_flurm(stack, script):
    stack.natives("drain")
    job = stack.alpha.sbatch(user="daemon", script=script)
    stack.flurm.gateway.wait_job(job, "completed")
    stack.wait_states(job, alpha="REVOKED")
    stack.natives("resume")
    return job


def test_nothing_is_roots(stack):
    """Neither the process nor what it leaves on disk."""
    uid = pwd.getpwnam(SLURM).pw_uid
    assert os.stat(f"/proc/{_host(stack).pid}").st_uid == uid
    flurm = stack.flurm
    seen = [flurm.status_socket, flurm.ledger]
    for top, names, files in os.walk(flurm.ledger):
        seen += [os.path.join(top, name) for name in names + files]
    assert len(seen) > 3
    for path in seen:
        found = os.lstat(path)
        assert found.st_uid == uid, path
        assert not stat.S_IMODE(found.st_mode) & 0o077, path


def test_job_runs_as_who_submitted_it(stack):
    job = _run_at_flurm(stack, "#!/bin/sh\nid -un >$SLURM_JOB_ID.who\n")
    with open(os.path.join(stack.work, f"{job}.who")) as file:
        assert file.read() == "daemon\n"
    wait_until(lambda: stack.alpha.run("sacct", "-nPX", "-M", "flurm", "-j",
                                       str(job), "-o", "State,User").strip(),
               lambda said: said == "COMPLETED|daemon", 30,
               "slurmdbd has the job")


def test_begins_anew(stack):
    """What it wrote it can read again."""
    stack.natives("drain")
    job = stack.alpha.sbatch(user="daemon", script="#!/bin/sh\nsleep 300\n")
    stack.flurm.gateway.wait_job(job, "running")
    stack.alpha.wait_saved(job)
    _host(stack).kill()
    _host(stack).start()
    stack.wait_linked(60)
    stack.alpha.run("scancel", str(job), user="daemon")
    stack.flurm.gateway.wait_job(job, "cancelled")
    stack.wait_states(job, alpha="REVOKED")
    stack.natives("resume")


@pytest.mark.parametrize("user", ["root", SLURM, "daemon"])
def test_flurmfed(stack, user):
    """root and SlurmUser are the administrators."""
    job = _run_at_flurm(stack, "#!/bin/sh\ntrue\n")
    by = ("--daemon",) if stack.flurm.daemon else ()
    for argv in ("status",), ("job", str(job)), ("check", *by):
        done = stack.flurm.flurmfed(*argv, check=False, user=user)
        if user == "daemon":
            assert done.status, argv
            assert re.search("root (and|or as) SlurmUser",
                             done.out + done.err), (argv, done)
        else:
            assert done.status == 0, (argv, done)


def test_slurm_user_is_an_operator_of_flurm(stack):
    stack.natives("drain")
    job = stack.alpha.sbatch(user="daemon", script="#!/bin/sh\nsleep 300\n")
    stack.flurm.gateway.wait_job(job, "running")
    stack.alpha.run("scancel", "-M", "flurm", str(job), user=SLURM)
    stack.flurm.gateway.wait_job(job, "cancelled")
    stack.natives("resume")
