"""FLURM's jobs in slurmdbd: what sacct shows, and that nothing gets lost.

What a native sibling's jobs look like there is the measure.
"""
import os
import re
import time

import pytest

from stack import wait_until

USER = "daemon"
STACK = {"gateway": "local"}

# What sacct shows of a job, but for what cannot be alike: ids, times, names
# of nodes and clusters, and what the job used.
FIELDS = """Account AllocCPUS AllocNodes AllocTRES Comment Constraints
    DerivedExitCode ExitCode GID Group JobName Layout McsLabel NCPUS
    NNodes NTasks QOS ReqCPUS ReqMem ReqNodes ReqTRES Reservation State
    SubmitLine Suspended TimelimitRaw UID User WCKey WorkDir""".split()

# Why the others differ:
#   Partition      of a job that names none: FLURM chooses it
#   Priority       FLURM schedules by its own
#   Flags          which of Slurm's schedulers started it
#   Reason         the native's last reason to wait
#   mem in *TRES   the natives here do not allocate memory (CR_Core)


@pytest.fixture(scope="module")
def fed_jobs(stack):
    """A federation where a constraint says which cluster runs a job."""
    for name in stack.members():
        stack.sacctmgr("modify", "cluster", name, "set", f"features={name}")
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    for name in stack.members():
        wait_until(lambda: stack.alpha.run("scontrol", "show", "federation"),
                   lambda said: f"Features:{name}" in said,
                   what="alpha knows the features")
    return stack


def submit(stack, where, *args, rest="true", origin=None):
    """A job, of alpha's if no other, that only the cluster where may run."""
    return (origin or stack.alpha).sbatch(
        f"--cluster-constraint={where}", "-t5", "--mem-per-cpu=20", *args,
        script=f"#!/bin/sh\n{rest}\n", user=USER)


def sacct(stack, cluster, *args, fields=FIELDS, **kw):
    """Rows as dictionaries."""
    out = stack.alpha.run("sacct", "-P", "-n", "-M", cluster, "-S",
                          "now-1hour", f"--format={','.join(fields)}", *args,
                          **kw)
    return [dict(zip(fields, line.split("|"))) for line in out.splitlines()]


def rows(stack, cluster, job, *args, fields=FIELDS):
    return sacct(stack, cluster, "-j", str(job), *args, fields=fields)


def states(stack, cluster, job, *args):
    """[State], in the order of the submissions, without steps."""
    found = rows(stack, cluster, job, "-X", *args, fields=["Submit", "State"])
    return [row["State"].split()[0] for row in
            sorted(found, key=lambda row: row["Submit"])]


def wait_states(stack, cluster, job, expected, *args, timeout=30):
    return wait_until(lambda: states(stack, cluster, job, *args),
                      lambda seen: seen == expected, timeout,
                      f"sacct -M {cluster} shows job {job} as {expected}")


def spool(stack):
    return stack.flurm.status()["clusters"][0]["accounting"]


def wait_spooled(stack, timeout=60):
    return wait_until(lambda: spool(stack),
                      lambda spooled: not spooled["waiting"], timeout,
                      "slurmdbd knows all")


# -- what sacct shows


STAYS = "touch started-$SLURM_JOB_ID\nsleep 300"


def _started(stack, where, job):
    """Waits until a script that stays has begun, and slurmdbd knows.

    A native makes a poor record of a job that ends before it knows.
    """
    wait_until(lambda: [row["State"] for row in
                        rows(stack, where, job, fields=["State"])],
               lambda seen: seen == ["RUNNING"] * 2, 30,
               f"sacct -M {where} shows job {job} and its step")
    path = os.path.join(stack.work, f"started-{job}")
    wait_until(lambda: os.path.exists(path), timeout=30,
               what=f"the script of job {job} runs")


def _completed(stack, where):
    return submit(stack, where, "-n2", "-t3", "-J", "one")


def _failed(stack, where):
    return submit(stack, where, "-c2", rest="exit 7")


def _signalled(stack, where):
    return submit(stack, where, rest="kill -9 $$")


def _timed_out(stack, where):
    return submit(stack, where, "-t1", rest="sleep 300")


def _cancelled(stack, where):
    # of a sibling's job a native says that it failed; so of one of its own
    origin = stack.alpha if where == "flurm" else stack.clusters[where]
    job = submit(stack, where, rest=STAYS, origin=origin)
    _started(stack, where, job)
    origin.run("scancel", str(job), user=USER)
    return job


def _requeued(stack, where):
    job = submit(stack, where, "-J", "again", "--requeue",
                 rest="[ $SLURM_RESTART_COUNT ] && exit\n" + STAYS)
    _started(stack, where, job)
    # until alpha has heard of its start, it takes the job for waiting
    wait_until(lambda: stack.alpha.scontrol("requeue", str(job), check=False),
               lambda done: not done.status, what="it is requeued")
    return job


KINDS = {
    "COMPLETED": (_completed, "COMPLETED"),
    "FAILED": (_failed, "FAILED"),
    "SIGNALLED": (_signalled, "FAILED"),
    "TIMEOUT": (_timed_out, "TIMEOUT"),
    "CANCELLED": (_cancelled, "CANCELLED"),
    "REQUEUED": (_requeued, "REQUEUED"),
}


@pytest.fixture(scope="module")
def golden(fed_jobs):
    """{kind: {cluster: job id}}: the same on FLURM and on a native."""
    return {kind: {where: run(fed_jobs, where) for where in
                   ("beta", "flurm")} for kind, (run, _) in KINDS.items()}


def _alike(row, where):
    """A row without what names the cluster."""
    row = dict(row)
    row["SubmitLine"] = re.sub(f"={where}\\b", "=X", row["SubmitLine"])
    for field in "AllocTRES", "ReqTRES":
        row[field] = re.sub("mem=[^,]*,", "", row[field])
    return row


@pytest.mark.parametrize("kind", KINDS)
def test_as_a_native_sibling(fed_jobs, golden, kind):
    """Each job and its batch step, field by field."""
    ran = golden[kind]
    fields = ["JobID", "Submit", *FIELDS]
    seen = {}
    for where, job in ran.items():
        # the job and its batch step; what runs after a requeue is a job again
        found = wait_until(
            lambda: sorted(rows(fed_jobs, where, job, "-D", fields=fields),
                           key=lambda row: (row["Submit"], row["JobID"]))[:2],
            lambda found: len(found) == 2 and
            found[0]["State"].split()[0] == KINDS[kind][1] and
            found[1]["JobID"].endswith("batch") and
            found[1]["State"] != "RUNNING", 180,
            f"sacct -M {where} shows job {job} as {kind}")
        seen[where] = [_alike(row, where) for row in found]
        for row in seen[where]:
            row["JobID"] = row["JobID"].replace(str(job), "N")
            del row["Submit"]
    differ = [{field: (ours[field], theirs[field]) for field in ours
               if ours[field] != theirs[field]}
              for ours, theirs in zip(seen["flurm"], seen["beta"])]
    assert not any(differ), f"FLURM's, and a native's: {differ}"
    assert len(seen["flurm"]) == len(seen["beta"])


def test_times_and_usage(fed_jobs):
    """When it was submitted, began and ended, and what it used."""
    job = submit(fed_jobs, "flurm", rest="i=0\nwhile [ $i -lt 300000 ]; do "
                 "i=$((i+1)); done\nsleep 2")
    wait_states(fed_jobs, "flurm", job, ["COMPLETED"])
    fields = ["JobID", "ElapsedRaw", "Start", "End", "Submit", "Eligible",
              "TotalCPU", "MaxRSS", "MaxRSSNode", "NodeList", "Cluster"]
    whole, batch = rows(fed_jobs, "flurm", job, fields=fields)
    assert batch["JobID"] == f"{job}.batch"
    assert 2 <= int(whole["ElapsedRaw"]) <= 10
    assert whole["ElapsedRaw"] == batch["ElapsedRaw"]
    assert whole["Submit"] <= whole["Start"] < whole["End"]
    assert whole["Eligible"] == whole["Submit"]
    assert whole["TotalCPU"] > "00:00.050"
    assert int(batch["MaxRSS"].rstrip("K")) > 500
    assert batch["MaxRSSNode"] == whole["NodeList"] == "flurm1"
    assert whole["Cluster"] == "flurm"
    # by node, too
    assert job in [int(row["JobID"]) for row in
                   sacct(fed_jobs, "flurm", "-X", "-N", "flurm1",
                         fields=["JobID"])]


def test_revoked_copies_are_hidden(fed_jobs):
    """A copy that did not run is there for sacct -D alone, as on a native."""
    job = fed_jobs.alpha.sbatch(
        "--cluster-constraint=!alpha", "--hold", user=USER)
    fed_jobs.flurm.gateway.pause()
    try:
        fed_jobs.alpha.scontrol("release", str(job))
        wait_states(fed_jobs, "beta", job, ["COMPLETED"])
    finally:
        fed_jobs.flurm.gateway.resume()
    wait_states(fed_jobs, "flurm", job, ["REVOKED"], "-D")
    assert states(fed_jobs, "flurm", job) == []
    assert rows(fed_jobs, "flurm", job, "-D", fields=["NodeList"]) == \
        [{"NodeList": "None assigned"}]
    # of the whole federation there is one
    out = fed_jobs.alpha.run("sacct", "--federation", "-X", "-P", "-n", "-j",
                             str(job), "--format=Cluster,State")
    assert out.split() == ["beta|COMPLETED"]


def test_whole_federation(fed_jobs):
    """sacct --federation shows a job on the cluster that ran it."""
    job = submit(fed_jobs, "flurm", rest="exit 3")
    wait_states(fed_jobs, "flurm", job, ["FAILED"])
    out = fed_jobs.alpha.run("sacct", "--federation", "-X", "-P", "-n", "-j",
                             str(job), "--format=Cluster,State,ExitCode")
    assert out.split() == ["flurm|FAILED|3:0"]


def test_utilization(fed_jobs):
    """sreport has FLURM, its size and what was used of it."""
    job = submit(fed_jobs, "flurm", "-n4", rest="sleep 2")
    wait_states(fed_jobs, "flurm", job, ["COMPLETED"])
    # hours are summed up when they are over: let this have been some ago
    fed_jobs.mariadb.query(
        "UPDATE flurm_event_table SET time_start = time_start - 10800;"
        "UPDATE flurm_job_table SET time_start = time_start - 7200,"
        "time_eligible = time_eligible - 7200,"
        f"time_end = time_end - 7200 + 600 WHERE id_job = {job};"
        "UPDATE flurm_last_ran_table SET hourly_rollup = "
        "UNIX_TIMESTAMP() - 10800, daily_rollup = UNIX_TIMESTAMP() - 90000,"
        "monthly_rollup = UNIX_TIMESTAMP() - 90000")
    fed_jobs.slurmdbd.restart()

    def report():
        out = fed_jobs.alpha.run(
            "sreport", "-P", "-n", "cluster", "utilization",
            "clusters=flurm", "start=now-3hours", "end=now",
            "format=Cluster,Allocated,Reported")
        return [line.split("|") for line in out.splitlines()]
    seen = wait_until(report, lambda lines: lines and
                      int(lines[0][1]), 60, "FLURM's usage is summed up")
    assert seen[0][0] == "flurm"
    # four CPUs for ten minutes
    assert 38 <= int(seen[0][1]) <= 44
    assert int(seen[0][2]) >= 16 * 60
