"""AccountingStoreFlags: scripts, environments and comments of FLURM's jobs in
slurmdbd.

What sacct shows of the same job of a native sibling is the measure.
"""
import re
import signal

import pytest

from stack import wait_until
from test_accounting import USER, rows, spool, states, wait_spooled

pytestmark = pytest.mark.fed_flurmd

BOTH = ("beta", "flurm")
STACK = {"gateway": "local",
         "conf": ("AccountingStoreFlags=job_comment,job_script,job_env",)}

# what a database has to quote, and a script of many lines
SCRIPT = "#!/bin/sh\n# it's \"%s\" \\ `x` %% \\n $HOME ä\n\ntrue\n"
ENV = {"QUOTED": "it's \"so\" \\ ; -- $x", "LINES": "one\ntwo", "EMPTY": ""}
COMMENT = "it's \"that\" \\ one"


@pytest.fixture(scope="module")
def stored(stack):
    """A federation where a constraint says which cluster runs a job."""
    for name in stack.members():
        stack.sacctmgr("modify", "cluster", name, "set", f"features={name}")
    for name in stack.members():
        wait_until(lambda: stack.alpha.run("scontrol", "show", "federation"),
                   lambda said: f"Features:{name}" in said,
                   what="alpha knows the features")
    return stack


def _submit(stack, where, text, *args, comment=COMMENT, **env):
    return stack.alpha.sbatch(
        f"--cluster-constraint={where}", "-t5", f"--comment={comment}", *args,
        script=SCRIPT % text, user=USER, env={**ENV, **env})


def _wait(stack, where, job, state="COMPLETED"):
    wait_until(lambda: states(stack, where, job, "-D"),
               lambda seen: seen == [state], 60,
               f"sacct -M {where} shows job {job} as {state}")


def _text(stack, where, job, option):
    """What sacct shows of a job's script or environment, without its head."""
    out = stack.alpha.run("sacct", "-M", where, "-D", "-j", str(job), option)
    head, _, text = out.partition("\n")
    assert str(job) in head
    return re.sub("^-+\n", "", text)


def _shown(stack, where, job):
    """(script, environment, comment)"""
    (row,) = rows(stack, where, job, "-X", "-D", fields=["Comment"])
    return (_text(stack, where, job, "--batch-script"),
            _text(stack, where, job, "--env-vars"), row["Comment"])


def _same(stack, ours, theirs):
    """Waits until a native shows the same, and returns it.

    It tells of texts when slurmdbd has asked for them, and that a job has
    ended perhaps before it tells of the end.
    """
    wait_spooled(stack)
    shown = _shown(stack, "flurm", ours)
    return wait_until(lambda: _shown(stack, "beta", theirs),
                      lambda seen: seen == shown, 30,
                      f"sacct shows of beta's job {theirs} what it does of "
                      f"FLURM's, {shown}")


def _host(stack):
    return stack.flurm.daemon or stack.alpha.slurmctld


def _follow(stack, flags):
    """Another AccountingStoreFlags, by a reconfigure."""
    for name in "alpha", "beta":
        cluster = stack.clusters[name]
        cluster.extra = [line for line in cluster.extra
                         if not line.startswith("AccountingStoreFlags")]
        if flags:
            cluster.extra.append(f"AccountingStoreFlags={flags}")
        cluster.write_conf()
        cluster.reconfigure()
    if stack.flurm.daemon:
        stack.flurm.daemon.signal(signal.SIGHUP)
    for name in "alpha", *BOTH:
        wait_until(lambda: stack.alpha.run("scontrol", "-M", name, "show",
                                           "config", check=False).out,
                   lambda out: re.search(
                       f"AccountingStoreFlags *= {flags or '.null.'}\n", out),
                   30, f"{name} follows")
    stack.wait_linked()


def test_as_a_native_sibling(stored):
    """All three, of jobs that share texts and of such that do not."""
    for text, env in (("a", "1"), ("b", "1"), ("a", "2"), ("a", "1")):
        ran = {where: _submit(stored, where, text, WHICH=env)
               for where in BOTH}
        for where, job in ran.items():
            _wait(stored, where, job)
        script, environment, comment = _same(stored, ran["flurm"],
                                             ran["beta"])
        assert script.rstrip("\n") == (SCRIPT % text).rstrip("\n")
        for name, value in {**ENV, "WHICH": env}.items():
            assert f"\n{name}={value}\n" in environment
        assert comment == COMMENT


def test_comment_in_the_end(stored):
    """It is that which the job had when it ended; a revoked copy has one, too.
    """
    job = stored.alpha.sbatch(
        "--cluster-constraint=!alpha", "--hold", "--comment=first", user=USER)
    stored.flurm.gateway.pause()
    try:
        stored.alpha.scontrol("release", str(job))
        _wait(stored, "beta", job)
    finally:
        stored.flurm.gateway.resume()
    _wait(stored, "flurm", job, "REVOKED")
    assert [_shown(stored, where, job)[2] for where in BOTH] == ["first"] * 2

    job = _submit(stored, "flurm", "x", "--begin=now+600", comment="first")
    wait_until(lambda: stored.alpha.run(
        "squeue", "-M", "flurm", "-h", "-j", str(job), "-o", "%k",
        check=False).out, lambda out: "first" in out, what="it is at FLURM")
    stored.alpha.scontrol("update", f"job={job}", "comment=second",
                          "starttime=now")
    _wait(stored, "flurm", job)
    assert _shown(stored, "flurm", job)[2] == "second"


def test_outage(stored):
    """slurmdbd is away, and FLURM's controller is killed meanwhile: all of it
    comes, what jobs share waits once, and what was known before is known."""
    wait_spooled(stored)
    before = {where: _submit(stored, where, "a", WHICH="1") for where in BOTH}
    for where, job in before.items():
        _wait(stored, where, job)
    stored.slurmdbd.kill()
    ran = {where: [_submit(stored, where, text, WHICH=env) for text, env in
                   (("out", "1"), ("out", "out"), ("out", "out"), ("a", "1"))]
           for where in BOTH}
    for job in ran["flurm"]:
        stored.flurm.gateway.wait_job(job, "completed")
    # it comes, starts and ends; and three different texts of either kind
    wait_until(lambda: spool(stored)["waiting"],
               lambda count: count == 4 * 3 + 2 + 2, 20, "all of it waits")
    for job in ran["beta"]:
        wait_until(lambda: stored.clusters["beta"].job(job).get("JobState"),
                   lambda state: state == "COMPLETED", 60,
                   f"beta has run job {job}")
    # or alpha would give the same ids again
    last = stored.alpha.sbatch("--hold", user=USER)
    stored.alpha.wait_saved(last)
    _host(stored).kill()
    stored.slurmdbd.start()
    _host(stored).start()
    stored.wait_linked()
    stored.alpha.run("scancel", str(last), user=USER)
    for where in BOTH:
        for job in ran[where]:
            _wait(stored, where, job)
    for ours, theirs in zip(ran["flurm"], ran["beta"]):
        shown = _same(stored, ours, theirs)
        assert "NONE" not in shown[0] + shown[1] and shown[2] == COMMENT
    _same(stored, before["flurm"], before["beta"])
    assert spool(stored)["dropped"] == 0


@pytest.mark.parametrize("flags", ["", "job_script", "job_comment",
                                   "job_env", "job_script,no_stdio"])
def test_follows_a_reconfigure(stored, flags):
    """Of jobs that come after that; those before keep what they have."""
    if "no_stdio" in flags and stored.slurm_version < (24, 11):
        pytest.skip("that Slurm has no such flag")
    before = _submit(stored, "flurm", "kept", WHICH="kept")
    _wait(stored, "flurm", before)
    shown = _shown(stored, "flurm", before)
    _follow(stored, flags)
    ran = {where: _submit(stored, where, f"with {flags}", WHICH=flags)
           for where in BOTH}
    for where, job in ran.items():
        _wait(stored, where, job)
    seen = _same(stored, ran["flurm"], ran["beta"])
    assert ("NONE" not in seen[0]) == ("job_script" in flags)
    assert ("NONE" not in seen[1]) == ("job_env" in flags)
    assert bool(seen[2]) == ("job_comment" in flags)
    if stored.slurm_version >= (24, 11):
        for where, job in ran.items():
            (row,) = rows(stored, where, job, "-X", fields=["StdOut"])
            assert bool(row["StdOut"]) == ("no_stdio" not in flags), where
    assert _shown(stored, "flurm", before) == shown
