"""AccountingStorageEnforce=limits: what a job waits for, or is refused for.

A native sibling is the measure: beta and flurm have the same limits, each gets
the same jobs, and both have to say the same of them. alpha, where all are
submitted, has no limits of its own, but those of QOS.
"""
import itertools
import re

import pytest

from stack import wait_until

pytestmark = pytest.mark.fed_flurmd

USER = "daemon"
STACK = {"gateway": "local", "conf": (
    "AccountingStorageEnforce=limits,qos",
    "SelectTypeParameters=CR_Core_Memory")}
BOTH = ("beta", "flurm")
STAYS = "#!/bin/sh\nexec sleep 300\n"


@pytest.fixture(scope="module")
def limited(stack):
    """A constraint says which cluster runs a job; QOS bound has the limits."""
    stack.set_features()
    stack.sacctmgr("add", "qos", "bound")
    stack.sacctmgr("modify", "user", USER, "set", "qos+=bound")
    _wait_known(stack)
    return stack


def _limits(stack, cluster):
    """All limits, as a cluster's controller knows them."""
    out = stack.alpha.run("scontrol", "-M", cluster, "--oneliner", "show",
                          "assoc_mgr", "flags=assoc,qos", check=False).out
    # a native also shows what is in use, of a QOS for each user and account
    out = re.sub(r"(Account|User) Limits=.*", "", out)
    return re.findall(r"\b(?:Grp|Max|Min|Flags|QOS)\w*=[^\s(]*",
                      re.sub(r"\(\w*\)", "", out))


def _wait_known(stack):
    wait_until(lambda: _limits(stack, "beta"),
               lambda known: known and known == _limits(stack, "flurm"), 30,
               "FLURM knows the limits")


class Limits:
    """Sets limits on both clusters, and takes them away again."""

    _counter = itertools.count(1000)

    def __init__(self, stack):
        self.stack = stack
        self._set = []

    def __call__(self, what, name, *limits):
        on = () if what == "qos" else ("cluster=" + ",".join(BOTH),)
        if what == "qos":
            # those of a user are not shown: one that is, and that nobody
            # reaches, shows that they are known
            limits += (f"grpjobsaccrue={next(self._counter)}",)
        self.stack.sacctmgr("modify", what, "where", f"name={name}", *on,
                            "set", *limits)
        self._set.append((what, name, on, limits))
        _wait_known(self.stack)

    def clear(self):
        for what, name, on, limits in self._set:
            self.stack.sacctmgr(
                "modify", what, "where", f"name={name}", *on, "set",
                *(_without(limit) for limit in limits))
        self._set = []
        _wait_known(self.stack)


def _without(limit):
    """maxjobs=1 as maxjobs=-1, maxtres=cpu=2 as maxtres=cpu=-1"""
    if limit.startswith("flags"):
        return "flags=-1"
    return re.sub(r"=\d+", "=-1", limit)


def limits_of(stack):
    """For a fixture: they are gone after the test, as its jobs are."""
    limits = Limits(stack)
    yield limits
    stack.cancel_all()
    limits.clear()
    assert not stack.witness.started_twice()


@pytest.fixture
def limits(limited):
    yield from limits_of(limited)


def submit(stack, where, *args):
    """A job that stays, and only the cluster where may run."""
    return stack.alpha.sbatch(f"--cluster-constraint={where}", *args,
                              script=STAYS, user=USER)


def told(stack, cluster, job):
    """STATE and reason, as squeue shows them of that cluster."""
    return stack.alpha.run("squeue", "-h", "-M", cluster, "--local", "-j",
                           str(job), "-o", "%T %r", check=False).out.strip()


def wait_running(stack, cluster, job, timeout=30):
    wait_until(lambda: told(stack, cluster, job),
               lambda said: said.startswith("RUNNING"), timeout,
               f"job {job} runs on {cluster}")


def wait_reason(stack, cluster, job):
    """Until it waits for a limit. RET its name"""
    said = wait_until(lambda: told(stack, cluster, job), lambda said: re.match(
        "PENDING (QOS|Assoc|Max)", said), 30, f"job {job} waits on {cluster}")
    return said.split()[1]


def _one(*args):
    return ("-t5", "-n1", "--mem=10", *args)


# whose limits, the jobs that run with them, the one that waits, and for what
USED = {
    "MaxJobs": ("user", USER, ["maxjobs=1"], [_one()], _one(),
                "AssocMaxJobsLimit"),
    "GrpJobs of the account": ("account", "science", ["grpjobs=2"],
                               [_one(), _one()], _one(), "AssocGrpJobsLimit"),
    "GrpTRES cpu": ("account", "science", ["grptres=cpu=3"], [_one("-n2")],
                    _one("-n2"), "AssocGrpCpuLimit"),
    "GrpTRES mem": ("user", USER, ["grptres=mem=300"], [_one("--mem=200")],
                    _one("--mem=200"), "AssocGrpMemLimit"),
    "GrpTRESRunMins": ("user", USER, ["grptresrunmins=cpu=8"], [_one()],
                       _one(), "AssocGrpCPURunMinutesLimit"),
    "QOS MaxJobsPU": ("qos", "bound", ["maxjobspu=1"], [_one("--qos=bound")],
                      _one("--qos=bound"), "QOSMaxJobsPerUserLimit"),
    "QOS MaxJobsPA": ("qos", "bound", ["maxjobspa=1"], [_one("--qos=bound")],
                      _one("--qos=bound"), "MaxJobsPerAccount"),
    "QOS GrpJobs": ("qos", "bound", ["grpjobs=1"], [_one("--qos=bound")],
                    _one("--qos=bound"), "QOSGrpJobsLimit"),
    "QOS MaxTRESPU": ("qos", "bound", ["maxtrespu=cpu=3"],
                      [_one("--qos=bound", "-n2")],
                      _one("--qos=bound", "-n2"), "QOSMaxCpuPerUserLimit"),
    "QOS MaxTRESPA": ("qos", "bound", ["maxtrespa=cpu=3"],
                      [_one("--qos=bound", "-n2")],
                      _one("--qos=bound", "-n2"), "MaxCpuPerAccount"),
    "QOS GrpTRES": ("qos", "bound", ["grptres=cpu=3"],
                    [_one("--qos=bound", "-n2")],
                    _one("--qos=bound", "-n2"), "QOSGrpCpuLimit"),
}


@pytest.mark.parametrize("case", USED)
def test_waits_until_another_has_ended(limited, limits, case):
    what, name, values, runs, waits, reason = USED[case]
    limits(what, name, *values)
    first = {}
    for cluster in BOTH:
        first[cluster] = [submit(limited, cluster, *args) for args in runs]
    for cluster in BOTH:
        for job in first[cluster]:
            wait_running(limited, cluster, job)
    second = {cluster: submit(limited, cluster, *waits) for cluster in BOTH}
    said = {cluster: wait_reason(limited, cluster, job)
            for cluster, job in second.items()}
    assert said == dict.fromkeys(BOTH, reason)
    for cluster, job in second.items():
        limited.alpha.run("scancel", str(first[cluster][0]), user=USER)
        wait_running(limited, cluster, job, 20)


# whose limits, what exceeds them, and what it waits for: until they change
TOO_MUCH = {
    "MaxTRES": ("user", USER, ["maxtres=cpu=1"], _one("-n2"),
                "AssocMaxCpuPerJobLimit"),
    "MaxTRESPerNode": ("user", USER, ["maxtrespernode=cpu=1"], _one("-n2"),
                       "AssocMaxCpuPerNode"),
    "MaxWall": ("user", USER, ["maxwall=2"], _one(),
                "AssocMaxWallDurationPerJobLimit"),
    "MaxTRESMins": ("user", USER, ["maxtresmins=cpu=4"], _one(),
                    "AssocMaxCpuMinutesPerJobLimit"),
    "GrpTRES": ("account", "science", ["grptres=cpu=1"], _one("-n2"),
                "AssocGrpCpuLimit"),
    "QOS MaxTRES": ("qos", "bound", ["maxtres=cpu=1"],
                    _one("-n2", "--qos=bound"), "QOSMaxCpuPerJobLimit"),
    "QOS MinTRES": ("qos", "bound", ["mintres=cpu=2"], _one("--qos=bound"),
                    "QOSMinCpuNotSatisfied"),
    "QOS MaxWall": ("qos", "bound", ["maxwall=2"], _one("--qos=bound"),
                    "QOSMaxWallDurationPerJobLimit"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_waits_until_its_limit_changes(limited, limits, case):
    what, name, values, waits, reason = TOO_MUCH[case]
    limits(what, name, *values)
    jobs = {cluster: submit(limited, cluster, *waits) for cluster in BOTH}
    said = {cluster: wait_reason(limited, cluster, job)
            for cluster, job in jobs.items()}
    assert said == dict.fromkeys(BOTH, reason)
    limits.clear()
    for cluster, job in jobs.items():
        wait_running(limited, cluster, job, 60)


def test_qos_takes_the_place_of_the_association(limited, limits):
    """What it limits they do not; what it does not they do."""
    limits("qos", "bound", "maxjobspu=2")
    limits("user", USER, "maxjobs=1", "grptres=cpu=3")
    for cluster in BOTH:
        for _ in range(2):
            wait_running(limited, cluster,
                         submit(limited, cluster, *_one("--qos=bound")))
    jobs = {cluster: submit(limited, cluster, *_one("--qos=bound"))
            for cluster in BOTH}
    for cluster, job in jobs.items():
        assert wait_reason(limited, cluster, job) == "QOSMaxJobsPerUserLimit"
    limits("qos", "bound", "maxjobspu=5")
    jobs = {cluster: submit(limited, cluster, *_one("--qos=bound", "-n2"))
            for cluster in BOTH}
    for cluster, job in jobs.items():
        assert wait_reason(limited, cluster, job) == "AssocGrpCpuLimit"


def test_a_shared_node_counts_once(limited, limits):
    limits("user", USER, "grptres=node=1")
    for cluster in BOTH:
        for _ in range(2):
            wait_running(limited, cluster,
                         submit(limited, cluster, *_one()))


def test_counted_anew_after_a_restart(limited, limits):
    limits("user", USER, "maxjobs=1", "maxwall=7")
    first = submit(limited, "flurm", *_one())
    wait_running(limited, "flurm", first)
    second = submit(limited, "flurm", *_one())
    assert wait_reason(limited, "flurm", second) == "AssocMaxJobsLimit"
    # what it was made exempt from it stays
    limited.alpha.scontrol("update", f"jobid={second}", "TimeLimit=10")
    wait_until(lambda: limited.alpha.run(
        "squeue", "-h", "-M", "flurm", "--local", "-j", str(second), "-o",
        "%l").strip(), lambda said: said == "10:00", what="it is changed")
    daemon = limited.flurm.daemon or limited.alpha.slurmctld
    daemon.restart()
    limited.wait_linked()
    third = submit(limited, "flurm", *_one())
    assert wait_reason(limited, "flurm", third) == "AssocMaxJobsLimit"
    limited.alpha.run("scancel", str(first), user=USER)
    # in the order in which they came
    wait_running(limited, "flurm", second)
    assert wait_reason(limited, "flurm", third) == "AssocMaxJobsLimit"


def test_an_update_exempts(limited, limits):
    """What alpha lets pass is its slurmctld's to the siblings: whoever made it
    there, the job may exceed the limits of what it changes."""
    limits("user", USER, "maxwall=2", "maxtres=mem=100")
    # who changes what, and what it waits for until then
    wall = "AssocMaxWallDurationPerJobLimit"
    cases = (
        (None, "TimeLimit=4", _one(), wall),
        (USER, "TimeLimit=6", _one(), wall),
        (None, "MinMemoryNode=120", ("-t1", "-n1", "--mem=150"),
         "AssocMaxMemPerJob"),
        (None, "Nice=5", _one(), wall),
    )
    jobs = [(cluster, submit(limited, cluster, *case[2]), case)
            for case in cases for cluster in BOTH]
    for cluster, job, (_, _, _, reason) in jobs:
        assert wait_reason(limited, cluster, job) == reason
    # the last two first: they may have run by the end
    for _, job, (user, change, _, _) in reversed(jobs):
        limited.alpha.run("scontrol", "update", f"jobid={job}", change,
                          user=user)
    for cluster, job, _ in jobs[:-2]:
        wait_running(limited, cluster, job)
    for cluster, job, _ in jobs[-2:]:
        assert wait_reason(limited, cluster, job) == wall


def test_another_cluster_runs_it(limited, limits):
    """One that waits at FLURM alone is not kept from a native."""
    limits("user", USER, "maxjobs=1")
    wait_running(limited, "flurm", submit(limited, "flurm", *_one()))
    wait_running(limited, "beta", submit(limited, "beta", *_one()))
    job = limited.alpha.sbatch("--clusters=beta,flurm", *_one(),
                               script=STAYS, user=USER)
    assert wait_reason(limited, "flurm", job) == "AssocMaxJobsLimit"
    assert wait_reason(limited, "beta", job) == "AssocMaxJobsLimit"
    limited.sacctmgr("modify", "user", "where", f"name={USER}", "cluster=beta",
                     "set", "maxjobs=2")
    wait_running(limited, "beta", job)
    wait_until(lambda: told(limited, "flurm", job), lambda said: not said,
               what="FLURM has let go of it")


def _siblings(stack, job):
    return stack.alpha.job(job).get("FedSiblingsActive", "")


def wait_refused(stack, cluster, job, why):
    """Until the cluster has refused it. Why, FLURM tells its administrator."""
    if cluster == "flurm":
        wait_until(lambda: stack.flurm.flurmfed("job", str(job),
                                                check=False).out,
                   lambda said: why in said, 20, f"job {job} is refused")
    else:
        wait_until(lambda: _siblings(stack, job),
                   lambda names: cluster not in names, 20,
                   f"{cluster} has refused job {job}")
    assert told(stack, cluster, job) == ""


# whose limits, how many jobs come into the queue, and the one that does not
REFUSED = {
    "MaxSubmitJobs": ("user", USER, ["maxsubmitjobs=2"], 2, _one(),
                      "AssocMaxSubmitJobLimit"),
    "GrpSubmitJobs of the account": ("account", "science",
                                     ["grpsubmitjobs=1"], 1, _one(),
                                     "AssocGrpSubmitJobsLimit"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(limited, limits, case):
    what, name, values, fit, args, reason = REFUSED[case]
    limits(what, name, *values)
    first = {cluster: [submit(limited, cluster, *args) for _ in range(fit)]
             for cluster in BOTH}
    for cluster in BOTH:
        for job in first[cluster]:
            wait_running(limited, cluster, job)
        job = submit(limited, cluster, *args)
        wait_refused(limited, cluster, job, reason)
        # there is room for one when one has ended
        limited.alpha.run("scancel", str(job), str(first[cluster][0]),
                          user=USER)
        wait_until(lambda: told(limited, cluster, first[cluster][0]),
                   lambda said: "RUNNING" not in said and
                   "COMPLETING" not in said, what="it has ended")
        wait_running(limited, cluster, submit(limited, cluster, *args))


@pytest.mark.parametrize("cluster", BOTH)
def test_refused_for_its_qos(limited, limits, cluster):
    """alpha has the same limits. It does not count beta's job, that is not at
    alpha, and lets one of its own in; who gets both does not."""
    args = _one("--qos=bound")
    first = limited.beta.sbatch(f"--cluster-constraint={cluster}", *args,
                                script=STAYS, user=USER)
    wait_running(limited, cluster, first)
    for limit, reason in (
            ("grpsubmitjobs=1", "QOSGrpSubmitJobsLimit"),
            ("maxsubmitjobspu=1", "QOSMaxSubmitJobPerUserLimit"),
            ("maxsubmitjobspa=1", "MaxSubmitJobsPerAccount")):
        limits.clear()
        limits("qos", "bound", limit)
        job = submit(limited, cluster, *args)
        wait_refused(limited, cluster, job, reason)
        limited.alpha.run("scancel", str(job), user=USER)
    if cluster == "flurm":
        job = limited.alpha.sbatch("--clusters=alpha,flurm", *args,
                                   script=STAYS, user=USER)
        wait_refused(limited, cluster, job, reason)
        wait_running(limited, "alpha", job)


def test_deny_on_limit(limited, limits):
    """What it can never have it is refused for, of a QOS that says so."""
    limits("qos", "bound", "flags=denyonlimit")
    limits("user", USER, "maxtres=cpu=1", "maxwall=10")
    for cluster in BOTH:
        for args, why in ((_one("-n2"), "AssocMaxCpuPerJobLimit"),
                          (_one("-t11"), "AssocMaxWallDurationPerJobLimit")):
            job = submit(limited, cluster, "--qos=bound", *args)
            wait_refused(limited, cluster, job, why)
            limited.alpha.run("scancel", str(job), user=USER)
        wait_running(limited, cluster,
                     submit(limited, cluster, *_one("--qos=bound")))


def test_time_limit_of_a_limit(limited, limits):
    """One that names none may run as long as its limit lets it."""
    limits("user", USER, "maxwall=7")
    for cluster in BOTH:
        job = submit(limited, cluster, "-n1", "--mem=10")
        wait_running(limited, cluster, job)
        assert limited.alpha.run("squeue", "-h", "-M", cluster, "--local",
                                 "-j", str(job), "-o", "%l").strip() == "7:00"


def test_submitted_anew_exempt_from_nothing(limited, limits):
    """The last here: a native that is given a job that it has counts it as
    submitted a second time, for ever (unlink_job_record())."""
    limits("user", USER, "maxwall=2")
    jobs = {cluster: submit(limited, cluster, *_one()) for cluster in BOTH}
    for command in (("hold",), ("update", "TimeLimit=4"), ("release",)):
        for cluster, job in jobs.items():
            limited.alpha.scontrol(command[0], f"jobid={job}", *command[1:])
            if command[0] == "hold":
                wait_until(lambda: told(limited, cluster, job), lambda said:
                           "JobHeldAdmin" in said, what="it is held")
    for cluster, job in jobs.items():
        assert wait_reason(limited, cluster, job) == \
            "AssocMaxWallDurationPerJobLimit"


def test_wckeys(make_stack):
    """Who does not have it on a cluster is refused there."""
    stack = make_stack(gateway="local", conf=(
        "AccountingStorageEnforce=wckeys", "TrackWCKey=yes"))
    stack.set_features()
    stack.sacctmgr("add", "user", USER, "defaultwckey=chem",
                   "wckey=chem,bio", "cluster=alpha")
    stack.sacctmgr("add", "user", USER, "wckey=chem", "cluster=beta,flurm")

    def wait_taken(cluster, *args):
        """slurmdbd tells of a new one by itself"""
        wait_until(lambda: told(stack, cluster,
                                submit(stack, cluster, *_one(*args))),
                   what=f"{cluster} takes a job with that wckey")
    for cluster in BOTH:
        wait_taken(cluster, "--wckey=chem")
    for cluster in BOTH:
        job = submit(stack, cluster, *_one("--wckey=bio"))
        wait_refused(stack, cluster, job, "has no wckey bio")
        stack.alpha.run("scancel", str(job), user=USER)
    # none is named: the default there, or none at all
    stack.sacctmgr("add", "user", "nobody", "defaultwckey=art", "wckey=art",
                   "cluster=alpha")
    for user, wckey in ((USER, "*chem"), ("nobody", "*")):
        for cluster in BOTH:
            job = stack.alpha.sbatch(f"--cluster-constraint={cluster}",
                                     *_one(), script=STAYS, user=user)
            wait_running(stack, cluster, job)
            assert stack.alpha.run("squeue", "-h", "-M", cluster, "--local",
                                   "-j", str(job), "-o",
                                   "%w").strip() == wckey
    stack.sacctmgr("add", "user", USER, "wckey=bio", "cluster=beta,flurm")
    for cluster in BOTH:
        wait_taken(cluster, "--wckey=bio")
