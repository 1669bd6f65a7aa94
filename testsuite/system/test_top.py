"""scontrol top at FLURM does what it does at a native sibling.

The same jobs wait on beta and on FLURM, whose partitions have the same
priority; both are asked the same, and what they say and which priorities and
nice values the jobs have then is compared. And they start in that order.
"""
import re

import pytest

from stack import wait_until

pytestmark = pytest.mark.fed_flurmd
STACK = {"gateway": "local", "conf": [
    "PriorityWeightPartition=1000",
    "SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0,"
    "enable_user_top"]}
WHERE = ("beta", "flurm")
OWNER, OTHER, OPERATOR = "daemon", "nobody", "games"
SLEEPS = "#!/bin/sh\nexec sleep 600\n"


@pytest.fixture(scope="module")
def busy(stack):
    """{cluster: job} that has all CPUs there."""
    gateway = stack.flurm.gateway
    gateway.extra = ["partition = normal default=yes priority=1000"]
    gateway.restart()
    stack.sacctmgr("add", "user", OPERATOR, "account=science",
                   "adminlevel=operator")
    stack.set_features()
    jobs = {cluster: _submit(stack, cluster, "busy") for cluster in WHERE}
    for cluster, job in jobs.items():
        _wait(stack, cluster, job, JobState="RUNNING")
    yield jobs
    stack.alpha.run("scancel", *map(str, jobs.values()), check=False)


def _submit(stack, cluster, name, *options, user=OWNER, script=SLEEPS):
    return stack.alpha.sbatch(
        f"--cluster-constraint={cluster}", f"--job-name={name}",
        "--account=science", "--mem=10", "-n16", "-t10", *options,
        script=script, user=user)


def _show(stack, cluster, job):
    out = stack.alpha.run("scontrol", "-M", cluster, "--oneliner", "show",
                          "job", str(job), check=False).out
    return dict(re.findall(r"(\S+?)=(\S*)", out))


def _wait(stack, cluster, job, **what):
    wait_until(lambda: _show(stack, cluster, job),
               lambda seen: seen and all(seen.get(key) == value
                                         for key, value in what.items()),
               40, f"job {job} at {cluster} has {what}")


def _jobs(stack, script=SLEEPS, **options):
    """{cluster: {name: id}} of jobs that wait. options: those of each, one
    with a priority gets it from an administrator."""
    made = {cluster: {} for cluster in WHERE}
    for name, words in options.items():
        for cluster, mine in made.items():
            mine[name] = _submit(
                stack, cluster, name,
                *(word for word in words if word.startswith("--nice")),
                user=OTHER if "other" in words else OWNER, script=script)
    for name, words in options.items():
        for cluster, mine in made.items():
            _wait(stack, cluster, mine[name], JobState="PENDING")
            for word in words:
                if word.startswith("priority="):
                    stack.alpha.scontrol("update", f"jobid={mine[name]}", word)
                    _wait(stack, cluster, mine[name], Priority=word[9:])
    return made


def _top(stack, cluster, ids, names, user):
    """Status and what is said, and how the jobs are afterwards."""
    which = ",".join(str(ids.get(name, name)) for name in names.split(","))
    done = stack.alpha.run("scontrol", "-M", cluster, "top", which,
                           user=user, check=False)
    said = done.err
    for name, job in ids.items():
        said = re.sub(rf"\b{job}\b", name, said)
    return done.status, said, {
        name: (seen.get("JobState"), seen.get("Priority"), seen.get("Nice"))
        for name, seen in ((name, _show(stack, cluster, job))
                           for name, job in ids.items())}


CASES = {
    "equal": ({"a": "", "b": "", "c": ""}, "c"),
    "two of equals": ({"a": "", "b": "", "c": ""}, "c,b"),
    "all of equals": ({"a": "", "b": "", "c": ""}, "c,a,b"),
    "the last": ({"a": "", "b": "--nice=10", "c": "--nice=30"}, "c"),
    "first": ({"a": "", "b": "--nice=10", "c": "--nice=30"}, "a"),
    "one after the other": ({"a": "", "b": "--nice=7", "c": "--nice=30",
                             "d": "--nice=31"}, "d b c,c d,a b,c,d a"),
    "priorities": ({"a": "priority=1500", "b": "--nice=7", "c": "--nice=50",
                    "d": "--nice=20 priority=900"}, "c d,b a c"),
    "of others": ({"a": "", "b": "--nice=5 other", "c": "--nice=30",
                   "d": "other"}, "c c,b a,d"),
    "in vain": ({"a": "", "b": "--nice=3 other"},
                "a busy busy,a a,busy a,4711 4711 a,b b a_* a_1 a,x x"),
}


@pytest.mark.parametrize("case, user", [
    *((case, OWNER) for case in CASES),
    *((case, user) for case in ("of others", "in vain")
      for user in (OPERATOR, "root"))])
def test_as_a_native(stack, busy, case, user):
    options, asked = CASES[case]
    made = _jobs(stack, **{name: words.split()
                           for name, words in options.items()})
    try:
        for names in asked.split():
            native, ours = (_top(stack, cluster,
                                 {"busy": busy[cluster], **made[cluster]},
                                 names, user) for cluster in WHERE)
            assert ours == native, names
        # FLURM has heard of it
        for job in made["flurm"].values():
            nice = _show(stack, "flurm", job)["Nice"]
            wait_until(lambda: stack.flurm.gateway.job(job).get("nice", 0),
                       lambda now: str(now) == nice, 20, f"{job} is {nice}")
    finally:
        stack.alpha.run("scancel", *(str(job) for mine in made.values()
                                     for job in mine.values()), check=False)


def test_release(stack, busy):
    """Takes a priority away, and the nice value; whoever says so."""
    made = {cluster: mine["a"] for cluster, mine in
            _jobs(stack, a=["--nice=50"]).items()}
    for user, command, seen in (
            (None, "priority=1500", ("1500", "0")),
            (OWNER, "release", ("1000", "0")),
            (None, "nice=20", ("980", "20")),
            (None, "release", ("1000", "0")),
            (None, "nice=20", ("980", "20")),
            (None, "hold", ("0", "20")),
            # that is for an administrator
            (OWNER, "release", None),
            (None, "release", ("1000", "0"))):
        for job in made.values():
            argv = (command, str(job)) if "=" not in command else \
                ("update", f"jobid={job}", command)
            done = stack.alpha.run("scontrol", *argv, user=user, check=False)
            assert bool(done.status) is (seen is None), done
        for cluster, job in made.items():
            if seen:
                _wait(stack, cluster, job, Priority=seen[0], Nice=seen[1])
    stack.alpha.run("scancel", *map(str, made.values()))


def test_starts_first(stack, busy):
    """In the order that was asked for, at both. What is held does not."""
    stack.witness.forget()
    made = _jobs(stack, script=stack.witness.script(), a=[], b=["--nice=10"],
                 c=["--nice=20"], d=["--nice=30"], e=["--nice=5"])
    held = {cluster: mine.pop("e") for cluster, mine in made.items()}
    for cluster, job in held.items():
        stack.alpha.scontrol("hold", str(job))
        _wait(stack, cluster, job, Reason="JobHeldAdmin")
    for cluster, mine in made.items():
        for names in ("b", "d,c"):
            assert not _top(stack, cluster, mine, names, OWNER)[0]
    stack.alpha.run("scancel", *map(str, busy.values()))
    for cluster, mine in made.items():
        for job in mine.values():
            _wait(stack, cluster, job, JobState="COMPLETED")
        ids = {job: name for name, job in mine.items()}
        assert [ids[line.job] for line in stack.witness.lines("start")
                if line.cluster == cluster] == ["d", "c", "b", "a"], cluster
    for cluster, job in held.items():
        _wait(stack, cluster, job, JobState="PENDING", Reason="JobHeldAdmin")
        stack.alpha.scontrol("release", str(job))
        _wait(stack, cluster, job, JobState="COMPLETED")
