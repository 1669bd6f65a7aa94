"""What jobs have used: that sshare shows it, and what it is limited to.

A native sibling is the measure, as in test_limits.py: beta and flurm get the
same jobs and the same limits, and both have to say the same of them. What they
used differs by seconds, so each is compared with what sacct says of it.
"""
import math
import re

import pytest

from stack import wait_until
from test_limits import (
    BOTH, USER, Limits, limits_of, told, wait_reason, wait_running)

pytestmark = pytest.mark.fed_flurmd

SAME = ("SelectTypeParameters=CR_Core_Memory", "PriorityCalcPeriod=1",
        "PriorityDecayHalfLife=0", "PriorityUsageResetPeriod=YEARLY")
STACK = {"gateway": "local",
         "conf": ("AccountingStorageEnforce=limits,qos", *SAME)}
COLUMNS = ("Account", "User", "RawShares", "NormShares", "RawUsage",
           "NormUsage", "EffectvUsage", "FairShare", "LevelFS", "GrpTRESMins",
           "TRESRunMins", "GrpTRESRaw")


def _with_features(stack):
    """A constraint says which cluster runs a job; QOS tenfold counts so."""
    stack.set_features()
    stack.sacctmgr("add", "qos", "tenfold", "set", "usagefactor=10")
    # that he may use it is not shown: what comes with it is
    stack.sacctmgr("modify", "user", USER, "set", "qos+=tenfold",
                   "grpjobsaccrue=1000")
    for cluster in BOTH:
        wait_until(lambda: stack.alpha.run(
            "scontrol", "-M", cluster, "show", "assoc_mgr", "flags=assoc",
            check=False).out, lambda out: "GrpJobsAccrue=1000(" in out, 30,
            f"{cluster} knows who may use QOS tenfold")
    return stack


@pytest.fixture(scope="module")
def used(stack):
    return _with_features(stack)


@pytest.fixture
def limits(used):
    yield from limits_of(used)


def submit(stack, where, *args, seconds=300, user=USER):
    return stack.alpha.sbatch(
        f"--cluster-constraint={where}", "-t5", "--mem=10", *args,
        script=f"#!/bin/sh\nexec sleep {seconds}\n", user=user)


def restart(stack, cluster):
    """FLURM's controller by force, a native so that it forgets nothing."""
    if cluster == "beta":
        stack.beta.slurmctld.restart()
    else:
        daemon = stack.flurm.daemon or stack.alpha.slurmctld
        daemon.kill()
        daemon.start()
    stack.wait_linked()


def shares(stack, cluster):
    """{(account, user): {column: text}} of sshare"""
    out = stack.alpha.run("sshare", "-P", "-n", "-a", "-M", cluster, "-o",
                          ",".join(COLUMNS), check=False).out
    lines = [line.strip().split("|") for line in out.splitlines()
             if "|" in line]
    return {(line[0].strip(), line[1]): dict(zip(COLUMNS, line))
            for line in lines if len(line) == len(COLUMNS)}


def raw(stack, cluster, user):
    row = shares(stack, cluster).get(("science", user))
    return int(row["RawUsage"]) if row else None


def ran(stack, cluster, user):
    """CPU seconds of a user's jobs, as sacct has them; times ten by QOS."""
    out = stack.alpha.run("sacct", "-X", "-P", "-n", "-M", cluster, "-S",
                          "now-1hour", "-u", user, "-o",
                          "AllocCPUS,ElapsedRaw,QOS,State")
    rows = [line.split("|") for line in out.splitlines()]
    return sum(int(row[0]) * int(row[1]) * (10 if row[2] == "tenfold" else 1)
               for row in rows if "RUNNING" not in row[3])


def state(stack, cluster, job):
    return stack.alpha.run("sacct", "-X", "-P", "-n", "-M", cluster, "-j",
                           str(job), "-o", "State,ExitCode").strip()


def wait_ended(stack, cluster, job):
    return wait_until(lambda: state(stack, cluster, job),
                      lambda said: said and "ING" not in said, 40,
                      f"job {job} has ended on {cluster}")


def wait_charged(stack, cluster, user):
    """Until it is charged for what it ran; natives round it up or down."""
    wait_until(lambda: (raw(stack, cluster, user), ran(stack, cluster, user)),
               lambda seen: seen[0] and abs(seen[0] - seen[1]) <= 8, 30,
               f"{cluster} has charged {user}")


def shown(stack, cluster, *kinds):
    """Lines of scontrol show assoc_mgr, by what they are about."""
    out = stack.alpha.run("scontrol", "-M", cluster, "--oneliner", "show",
                          "assoc_mgr", f"flags={','.join(kinds)}")
    return out.splitlines()


def _number(text):
    return math.inf if text == "inf" else float(text or 0)


def _check_shares(rows):
    """What follows from what was used, by fair_tree.c"""
    root = int(rows["root", ""]["RawUsage"])
    for (account, user), row in rows.items():
        if account == "root" and not user:
            continue
        above = rows[account, ""] if user else rows["root", ""]
        mine, all_of = int(row["RawUsage"]), int(above["RawUsage"])
        assert abs(_number(row["NormUsage"]) - mine / root) < .01, row
        effective = mine / all_of if all_of else 0
        assert abs(_number(row["EffectvUsage"]) - effective) < .01, row
        level = (_number(row["NormShares"]) / effective if effective
                 else math.inf)
        assert level == _number(row["LevelFS"]) or \
            abs(_number(row["LevelFS"]) / level - 1) < .05, row


def test_sshare(used):
    """Who has used how much, and what fair share that makes."""
    jobs = [(cluster, submit(used, cluster, *args, seconds=seconds, user=user))
            for cluster in BOTH for args, seconds, user in (
                (("-n4",), 4, USER), (("-n2",), 3, "nobody"))]
    for cluster, job in jobs:
        assert wait_ended(used, cluster, job) == "COMPLETED|0:0"
    for cluster in BOTH:
        for user in (USER, "nobody"):
            wait_charged(used, cluster, user)
    # the native reckons shares every minute, or when it starts
    for cluster in BOTH:
        restart(used, cluster)
    seen = {cluster: shares(used, cluster) for cluster in BOTH}
    for cluster in BOTH:
        for user in (USER, "nobody"):
            wait_charged(used, cluster, user)
        wait_until(lambda: shares(used, cluster)[
            "science", ""]["NormUsage"].startswith("1"),
            what=f"{cluster} has reckoned")
        seen[cluster] = shares(used, cluster)
        _check_shares(seen[cluster])
    beta, flurm = (seen[cluster] for cluster in BOTH)
    assert beta.keys() == flurm.keys()
    for who, row in beta.items():
        for column in ("RawShares", "NormShares", "FairShare", "GrpTRESMins"):
            assert row[column] == flurm[who][column], (who, column)
    # root itself
    for column in ("NormUsage", "EffectvUsage", "LevelFS"):
        assert beta["root", ""][column] == flurm["root", ""][column]


# names and numbers, what goes on, and age, by which FLURM does not order
NOT_THE_SAME = r"""(?x)\b(ID|Lft-Rgt|Lineage|ClusterName|ParentAccount|
    \w*Mins\w*|GrpWall|UsageRaw\S*|Shares\S*|\w*Accrue\w*)=\S*"""


def test_in_use(used, limits):
    """What runs and waits is shown with the limits."""
    limits("user", USER, "maxjobs=1", "grptres=cpu=8,node=2")
    for cluster in BOTH:
        wait_running(used, cluster, submit(used, cluster, "-n3"))
        submit(used, cluster, "-n1", "--begin=now+1hour")
    lines = {}
    for cluster in BOTH:
        def user_line():
            return next(line for line in shown(used, cluster, "assoc")
                        if f"UserName={USER}(" in line)
        wait_until(user_line, lambda line: "MaxJobs=1(1)" in line and
                   "GrpSubmitJobs=N(2)" in line and "cpu=8(3)" in line,
                   what=f"{cluster} shows what is in use")
        line = user_line()
        assert "node=2(1)" in line
        lines[cluster] = line
        qos = next(line for line in shown(used, cluster, "qos")
                   if line.strip().startswith("QOS=normal("))
        assert re.search(r"GrpJobs=N\(1\).*GrpSubmitJobs=N\(2\)", qos)
        # which accounts and users with it have how much
        lines[cluster] += re.search(r"Account Limits=.*", qos).group()
        lines[cluster] = re.sub(NOT_THE_SAME, "", lines[cluster])
    assert lines["beta"] == lines["flurm"]


def test_used_up(used, limits):
    """One that runs is ended, one that waits waits on, over a crash too."""
    before = {cluster: max(raw(used, cluster, USER) // 60, 0)
              for cluster in BOTH}
    limits("user", USER, f"grptresmins=cpu={max(before.values()) + 8}")
    runs = {cluster: submit(used, cluster, "-n1") for cluster in BOTH}
    for cluster in BOTH:
        wait_running(used, cluster, runs[cluster])
        # eight minutes and more, in as many seconds
        submit(used, cluster, "-n8", "--qos=tenfold", seconds=8)
    for cluster in BOTH:
        wait_until(lambda: told(used, cluster, runs[cluster]),
                   lambda said: not said.startswith("RUNNING"), 60,
                   f"{cluster} ends the job that runs")
    for cluster in BOTH:
        assert wait_ended(used, cluster, runs[cluster]) == "TIMEOUT|0:0"
    waits = {cluster: submit(used, cluster, "-n1") for cluster in BOTH}
    said = {cluster: wait_reason(used, cluster, job)
            for cluster, job in waits.items()}
    assert said == dict.fromkeys(BOTH, "AssocGrpCPUMinutesLimit")
    seen = raw(used, "flurm", USER)
    used.alpha.wait_saved(*waits.values())
    restart(used, "flurm")
    wait_until(lambda: raw(used, "flurm", USER), what="FLURM is back")
    assert raw(used, "flurm", USER) == seen
    assert wait_reason(used, "flurm", waits["flurm"]) == \
        "AssocGrpCPUMinutesLimit"
    limits.clear()
    for cluster, job in waits.items():
        wait_running(used, cluster, job, 60)
    # one that runs is charged when the controller starts, as every minute
    used.alpha.wait_saved(*waits.values())
    restart(used, "flurm")
    wait_until(lambda: raw(used, "flurm", USER),
               lambda now: now and now > seen, what="it is charged")


def test_time_of_a_qos_is_used_up(used, limits):
    jobs = {cluster: submit(used, cluster, "-n1", "--qos=tenfold", seconds=7)
            for cluster in BOTH}
    for cluster, job in jobs.items():
        wait_ended(used, cluster, job)
    limits("qos", "tenfold", "grpwall=1")
    waits = {cluster: submit(used, cluster, "-n1", "--qos=tenfold")
             for cluster in BOTH}
    said = {cluster: wait_reason(used, cluster, job)
            for cluster, job in waits.items()}
    assert said == dict.fromkeys(BOTH, "QOSGrpWallLimit")


@pytest.fixture
def spent(used):
    """USER has used more than a minute on each cluster, with QOS tenfold."""
    jobs = {cluster: submit(used, cluster, "-n4", "--qos=tenfold", seconds=3)
            for cluster in BOTH if raw(used, cluster, USER) <= 60}
    for cluster in jobs:
        wait_ended(used, cluster, jobs[cluster])
        wait_charged(used, cluster, USER)
    return used


def test_moved(spent):
    """An account takes what it has used along."""
    spent.sacctmgr("add", "account", "lab")
    spent.sacctmgr("modify", "account", "where", "name=science",
                   f"cluster={','.join(BOTH)}", "set", "parent=lab")
    for cluster in BOTH:
        seen = wait_until(
            lambda: shares(spent, cluster),
            lambda rows: int(rows["lab", ""]["RawUsage"]) > 60, 20,
            f"{cluster} has moved it")
        for account in ("lab", "root"):
            assert seen[account, ""]["RawUsage"] == \
                seen["science", ""]["RawUsage"]


def _qos_raw(stack, cluster, qos):
    line = next(line for line in shown(stack, cluster, "qos")
                if line.strip().startswith(f"QOS={qos}("))
    return float(re.search(r"UsageRaw=([\d.]+)", line).group(1))


def test_reset(spent):
    """sacctmgr tells that to each controller itself."""
    for cluster in BOTH:
        assert raw(spent, cluster, USER) > 60
        others = raw(spent, cluster, "nobody")
        spent.sacctmgr("modify", "user", "where", f"name={USER}",
                       "account=science", f"cluster={cluster}", "set",
                       "rawusage=0")
        wait_until(lambda: raw(spent, cluster, USER) == 0,
                   what=f"{cluster} has reset {USER}")
        assert raw(spent, cluster, "") == others
        assert _qos_raw(spent, cluster, "tenfold") > 60
        spent.sacctmgr("modify", "qos", "where", "name=tenfold",
                       f"cluster={cluster}", "set", "rawusage=0")
        wait_until(lambda: _qos_raw(spent, cluster, "tenfold") == 0,
                   what=f"{cluster} has reset the QOS")


def test_safe(make_stack):
    """What could exceed it does not start, and nothing is ended."""
    stack = _with_features(make_stack(
        gateway="local", conf=("AccountingStorageEnforce=safe,qos", *SAME)))
    limits = Limits(stack)
    limits("user", USER, "grptresmins=cpu=8")
    for cluster in BOTH:
        assert wait_reason(stack, cluster, submit(stack, cluster, "-n2")) == \
            "AssocGrpCPUMinutesLimit"
        wait_running(stack, cluster, submit(stack, cluster, "-n1"))
        # of what runs it counts what is yet to come
        assert wait_reason(stack, cluster, submit(stack, cluster, "-n1")) == \
            "AssocGrpCPUMinutesLimit"
