"""FLURM in Slurm's own commands: what they show is what they show of a native.

The same jobs run on the native sibling beta and on FLURM, chosen by cluster
features; what each command says of the one is compared with what it says of
the other, field by field. Names, ids and moments are made alike before;
what is left and differs has a reason, named here.
"""
import re

import pytest

from stack import wait_until
from stack.people import PEOPLE, add_people

pytestmark = pytest.mark.fed_flurmd
STACK = {"gateway": "local"}

# squeue -O: fields of both releases
SQUEUE = """
account accruetime admin_comment allocnodes allocsid arrayjobid arraytaskid
batchflag batchhost boardspernode burstbuffer burstbufferstate cluster
clusterfeature command comment container contiguous cores corespec cpufreq
cpus-per-task cpus-per-tres cpuspertask deadline delayboot dependency derivedec
eligibletime endtime exit_code feature gres groupid groupname hetjobid
hetjobidset hetjoboffset jobarrayid jobid lastschedeval licenses maxcpus
maxnodes mcslabel mem-per-tres mincpus minmemory mintime mintmpdisk name
network nice nodelist nodes ntperboard ntpercore ntpernode ntpersocket numcpus
numnodes origin originraw oversubscribe partition preempttime prefer priority
prioritylong profile qos reason reasonlist reboot reqnodes reqswitch requeue
reservation resizetime restartcnt resvports schednodes sct shared
siblingsactive siblingsactiveraw siblingsviable siblingsviableraw sockets
sperboard starttime state statecompact stderr stdin stdout submittime
system_comment threads timelimit tres tres-alloc tres-bind tres-freq
tres-per-job tres-per-node tres-per-socket tres-per-task userid username
wait4switch wckey workdir
""".split()

WIDTH = 120  # of a column

# What may differ, and why
DIFFERS = {
    "AllocNode:Sid": "sbatch's session", "ALLOC_SID": "as AllocNode:Sid",
    "TRES": "beta does not manage memory (SelectTypeParameters)",
    "TRES_ALLOC": "as TRES", "AllocTRES": "as TRES", "ReqTRES": "as TRES",
    "LastSchedEval": "FLURM's scheduler tells no moment",
    "LAST_SCHED_EVAL": "as LastSchedEval",
    "AccrueTime": "natives stop it when a limit holds the job back",
    "ACCRUE_TIME": "as AccrueTime",
    "Scheduler": "natives tell whether it was the backfill one",
    "TimeLimit": "natives give what runs without one a year",
    "TIME_LIMIT": "as TimeLimit",
    # Slurm's spelling
    "ACTIVE_SIBLINGS_RAW": "another bit", "VIALBLE_SIBLINGS_RAW": "another bit",
    "VIABLE_SIBLINGS_RAW": "another bit",
}
JOBS = {
    "plain": ("--mem=10", "-t", "10"),
    "large": ("--mem=100", "-n2", "-c2", "-t", "20", "--comment=hello",
              "--nice=7", "--mail-type=END", "--mail-user=me@here",
              "--no-requeue"),
    "later": ("--mem=10", "--begin=now+1hour"),
    "fails": ("--mem=10",),
}
SCRIPT = "#!/bin/sh\nsleep 600\n"
OWNER = PEOPLE["owner"]


def _submit(stack, cluster):
    """The jobs of one cluster, by name."""
    return {name: stack.alpha.sbatch(
        f"--cluster-constraint={cluster}", f"--job-name={name}", *options,
        script="#!/bin/sh\nexit 3\n" if name == "fails" else SCRIPT)
        for name, options in JOBS.items()}


@pytest.fixture(scope="module")
def alike(stack):
    """{cluster: {name: id}} of jobs in the same states on both."""
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    stack.set_features()
    jobs = {cluster: _submit(stack, cluster)
            for cluster in ("beta", "flurm")}
    for cluster, ids in jobs.items():
        for name, state in (("plain", "RUNNING"), ("large", "RUNNING"),
                            ("later", "PENDING"), ("fails", "FAILED")):
            wait_until(lambda: _job(stack, cluster, ids[name])["JobState"],
                       lambda now: now == state, 30,
                       f"{name} on {cluster} is {state}")
    yield jobs
    for ids in jobs.values():
        stack.alpha.run("scancel", *map(str, ids.values()), check=False)


def _at(stack, cluster, *argv, **kw):
    """Asks cluster itself, as its own users do."""
    return stack.alpha.run(argv[0], "-M", cluster, *argv[1:], **kw)


def _pairs(text):
    """{key: value} of scontrol's output."""
    return dict(re.findall(r"(\S+?)=((?:\S| (?!\S+=))*)", text))


def _job(stack, cluster, job):
    return _pairs(_at(stack, cluster, "scontrol", "--oneliner", "show", "job",
                      str(job)))


def _same(text, cluster, job=None):
    """Names, ids and moments alike."""
    text = re.sub(rf"\b{cluster}(?=1?\b)", "CLUSTER", str(text))
    if job is not None:
        text = text.replace(str(job), "JOB")
    return re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME", text)


def _compare(native, ours, allowed):
    wrong = {key: (native.get(key), ours.get(key))
             for key in native.keys() | ours.keys()
             if native.get(key) != ours.get(key) and key not in allowed}
    assert not wrong


@pytest.mark.parametrize("name", JOBS)
def test_every_field_of_squeue(stack, alike, name):
    rows = []
    for cluster, ids in alike.items():
        out = _at(stack, cluster, "squeue", "--states=all",
                  f"--jobs={ids[name]}", "--Format=" + ",".join(
                      f"{field}:{WIDTH}" for field in SQUEUE))
        # before them is a line that names the cluster
        head, line = (re.findall(f".{{{WIDTH}}}", text) for text in
                      out.split("\n") if len(text) > WIDTH)
        assert len(head) > 90
        rows.append({key.strip(): _same(value.rstrip(), cluster, ids[name])
                     for key, value in zip(head, line)})
    _compare(*rows, DIFFERS)


@pytest.mark.parametrize("name", JOBS)
def test_scontrol_show_job(stack, alike, name):
    rows = [{key: _same(value, cluster, ids[name]) for key, value in
             _job(stack, cluster, ids[name]).items()}
            for cluster, ids in alike.items()]
    _compare(*rows, DIFFERS | {
        "RunTime": "it began a moment earlier or later",
    })


def test_nodes(stack, alike):
    wait_until(lambda: "alloc" in _at(stack, "flurm", "sinfo", "-h") or
               "mix" in _at(stack, "flurm", "sinfo", "-h"), timeout=5,
               what="that FLURM's node is in use is seen within 5 s")
    rows = [{key: _same(value, cluster) for key, value in _pairs(
        _at(stack, cluster, "scontrol", "--oneliner", "show", "node",
            f"{cluster}1")).items()} for cluster in alike]
    _compare(*rows, {
        "NodeAddr": "FLURM's nodes have no slurmd to be reached",
        "NodeHostName": "as NodeAddr", "Port": "as NodeAddr",
        "OS": "FLURM tells it shorter", "CPULoad": "FLURM does not tell it",
        "FreeMem": "FLURM does not tell it",
        "LastBusyTime": "FLURM does not tell it",
        "SlurmdStartTime": "FLURM's nodes have none",
        "AllocMem": "beta does not manage memory",
        "AllocTRES": "as AllocMem",
    })
    lines = [_same(_at(stack, cluster, "sinfo", "-N", "-l", "--noheader"),
                   cluster).split("\n")[-2].split() for cluster in alike]
    assert lines[0] == lines[1]


def test_partitions(stack, alike):
    rows = [{key: _same(value, cluster) for key, value in _pairs(
        _at(stack, cluster, "scontrol", "--oneliner", "show",
            "partition")).items()} for cluster in alike]
    _compare(*rows, {
        "NodeSets": "it says how slurm.conf names them",
        "SelectTypeParameters": "beta's",
    })


def test_config_is_of_the_cluster_and_has_no_secrets(stack, alike):
    ours = _at(stack, "flurm", "scontrol", "show", "config")
    conf = dict(re.findall(r"^(\S+)\s+= (.*)$", ours, re.M))
    assert conf["ClusterName"] == "flurm"
    assert conf["SlurmctldPort"] == str(stack.flurm.port)
    native = dict(re.findall(r"^(\S+)\s+= (.*)$",
                             _at(stack, "beta", "scontrol", "show", "config"),
                             re.M))
    for key in ("MessageTimeout", "PriorityType", "AccountingStorageType",
                "SlurmUser", "SLURM_VERSION", "MaxJobCount"):
        assert conf[key] == native[key], key
    assert stack.munge.socket not in ours
    for key in ("StateSaveLocation", "SlurmctldLogFile", "PluginDir",
                "AuthInfo"):
        assert conf[key] == "(null)", key


def test_federated_views(stack, alike):
    """squeue, sinfo and scontrol over all clusters, asked at any of them."""
    for cluster in stack.clusters.values():
        out = cluster.run("squeue", "--federation", "--noheader",
                          "--Format=jobid:20,cluster:20,origin:20,name:20")
        rows = {line.split()[0]: line.split()[1:] for line in
                out.strip().split("\n")}
        # older ones show the origin's record of what runs elsewhere
        seen = {where: rows[str(ids["plain"])] for where, ids in
                alike.items()}
        assert {tuple(row[1:]) for row in seen.values()} == \
            {("alpha", "plain")}
        assert [seen[where][0] for where in alike] in (
            ["alpha", "alpha"], list(alike))
        out = cluster.run("squeue", "--sibling", "--noheader", "--all",
                          "--Format=jobid:20,cluster:20")
        for where, ids in alike.items():
            assert re.search(rf"^{ids['plain']} +{where} *$", out, re.M)
        out = cluster.run("sinfo", "--federation", "--noheader",
                          "--Format=cluster:20,partition:20,nodelist:20")
        assert re.search(r"^flurm +normal\*? +flurm1", out, re.M), out
        out = cluster.scontrol("--federation", "--oneliner", "show", "job",
                               str(alike["flurm"]["large"]))
        assert f"JobId={alike['flurm']['large']} JobName=large" in out


def test_steps(stack, alike):
    for cluster, ids in alike.items():
        out = _at(stack, cluster, "squeue", "--steps", "--noheader",
                  "--Format=stepid:30,stepname:20,username:20,nodes:20")
        assert re.search(rf"^{ids['plain']}.batch +batch +root +{cluster}1",
                         out, re.M), out
    out = _at(stack, "flurm", "scontrol", "show", "step")
    assert f"StepId={alike['flurm']['plain']}.batch" in out
    assert f"{alike['flurm']['later']}" not in out


def test_batch_script(stack, alike):
    for cluster, ids in alike.items():
        out = _at(stack, cluster, "scontrol", "write", "batch_script",
                  str(ids["large"]), "-")
        assert out.replace("\0", "") == SCRIPT, cluster


def test_sdiag_counts(stack, alike):
    out = _at(stack, "flurm", "sdiag")
    numbers = dict(re.findall(r"^Jobs (\w+): +(\d+)", out, re.M))
    assert int(numbers["submitted"]) >= 4
    assert int(numbers["started"]) >= 3
    assert int(numbers["failed"]) >= 1
    assert numbers["pending"] == "1" and numbers["running"] == "2"
    assert re.search(r"REQUEST_JOB_INFO_SINGLE .*count:[1-9]", out)
    assert re.search(r"^\troot .*count:[1-9]", out, re.M)
    _at(stack, "flurm", "sdiag", "--reset")
    out = _at(stack, "flurm", "sdiag")
    assert not re.search(r"REQUEST_JOB_INFO_SINGLE", out)


def _assoc_mgr(stack, cluster, *options, user=None):
    """{kind: {name: {key: value}}} of scontrol show assoc_mgr, without numbers
    that slurmdbd gave"""
    out = _at(stack, cluster, "scontrol", "--oneliner", "show", "assoc_mgr",
              *options, user=user)
    found = {"UserName": {}, "ClusterName": {}, "QOS": {}}
    for line in out.split("\n"):
        kind = line.split("=")[0]
        if kind in found:
            line = re.sub(r"\bID=\d+|\bLft=\d+|\(\d+\)(?= Lineage| Lft)",
                          "", _same(line, cluster))
            row = _pairs(line)
            found[kind][row[kind], row.get("Account"),
                        row.get("UserName")] = line.split()
    return found


@pytest.fixture(scope="module")
def assocs(stack, alike):
    """Shares and limits that are not the same for all."""
    stack.sacctmgr("add", "qos", "high")
    stack.sacctmgr("modify", "qos", "high", "set", "priority=5",
                   "grptres=cpu=7,mem=100", "maxwall=60", "maxtrespu=node=2",
                   "flags=denyonlimit")
    stack.sacctmgr("modify", "user", "daemon", "set", "fairshare=3",
                   "maxjobs=50", "grptresmins=cpu=1000", "qos+=high")
    stack.sacctmgr("modify", "user", "nobody", "set", "fairshare=parent")
    stack.sacctmgr("modify", "account", "science", "set", "fairshare=2")
    wait_until(lambda: _assoc_mgr(stack, "beta") == _assoc_mgr(stack, "flurm"),
               timeout=30, what="both know the same")


def test_assoc_mgr(stack, assocs):
    seen = _assoc_mgr(stack, "flurm")
    assert {("CLUSTER", "science", "daemon(1)"), ("CLUSTER", "science", "")} \
        < seen["ClusterName"].keys()
    assert ("daemon(1)", None, "daemon(1)") in seen["UserName"]
    assert [key[0] for key in seen["QOS"]] == ["normal(1)", "high(2)"]
    assert "GrpTRES=cpu=7(0),mem=100(0),energy=N(0)" in \
        " ".join(seen["QOS"]["high(2)", None, None])
    for options in (("flags=users",), ("flags=qos",), ("flags=assoc",),
                    ("users=daemon",), ("accounts=root",), ("qos=normal",),
                    ("qos=nosuch",), ("users=daemon", "accounts=root")):
        native, ours = (_assoc_mgr(stack, cluster, *options)
                        for cluster in ("beta", "flurm"))
        assert native == ours != seen, options


def test_sshare(stack, assocs):
    for options in (("-a", "-l"), ("-a", "-p", "-l"), (), ("-u", "daemon"),
                    ("-A", "science", "-a")):
        native, ours = (_same(_at(stack, cluster, "sshare", *options), cluster)
                        for cluster in ("beta", "flurm"))
        assert native == ours, options
    assert re.search(r"^ +science +daemon +3 +0.75", _at(
        stack, "flurm", "sshare", "-a"), re.M)


def _factors(stack, cluster, job):
    """{column: value} of sprio -l; {} if it is not shown there."""
    out = _at(stack, cluster, "sprio", "-l")
    head, *rows = (line.split() for line in out.strip().split("\n"))
    assert head[0] == "JOBID"
    return next((dict(zip(head[1:], row[1:])) for row in rows
                 if row[0] == str(job)), {})


def test_sprio(stack, alike):
    """What waits for nodes, and by which order; not what may not begin."""
    made = {}
    for cluster in alike:
        assert not _factors(stack, cluster, alike[cluster]["later"])
        made[cluster] = [stack.alpha.sbatch(
            f"--cluster-constraint={cluster}", "--mem=10", "-n16", option,
            script=SCRIPT) for option in ("--nice=7", "--priority=50")]
    try:
        for nice, native in zip(made["flurm"], made["beta"]):
            wait_until(lambda: [_factors(stack, "flurm", nice),
                                _factors(stack, "beta", native)],
                       lambda seen: seen[0] == seen[1] != {}, 20,
                       "both show the same")
        first, second = (_factors(stack, "flurm", job)
                         for job in made["flurm"])
        assert (first["PRIORITY"], first["NICE"]) == ("1", "7")
        assert second["PRIORITY"] == "50"
        out = stack.alpha.run("sprio", "--federation", "--noheader",
                              "-o", "%i %r %Y")
        assert re.search(rf"^{made['flurm'][1]} normal +50", out, re.M), out
    finally:
        stack.alpha.run("scancel", *map(str, sum(made.values(), [])))


@pytest.mark.parametrize("argv, said", [
    (("squeue",), ""), (("squeue", "--start"), ""),
    (("squeue", "--user=nobody"), ""), (("sinfo", "-R"), ""),
    (("sinfo", "-T"), ""), (("sinfo", "-s"), "normal"),
    (("sshare",), "Account"), (("sshare", "-a"), "Account"),
    (("scontrol", "show", "reservation"), "No reservations"),
    (("scontrol", "show", "licenses"), "No licenses"),
    (("scontrol", "show", "topology"), ""),
    (("scontrol", "show", "burstbuffer"), ""),
    (("scontrol", "show", "assoc_mgr"), "Association Manager"),
    (("scontrol", "show", "federation"), "Federation:"),
    (("scontrol", "show", "node", "nosuch"), "not found"),
    (("scontrol", "completing"), ""), (("scontrol", "ping"), "UP"),
])
def test_command_answers(stack, alike, argv, said):
    """No error, nothing that cannot be unpacked."""
    done = _at(stack, "flurm", *argv, check=False)
    assert said in done.out + done.err
    for word in ("npack", "rror", "ncompatible"):
        # scontrol's own word for a topology that is no tree
        assert word not in done.err or "No topology" in done.err, done


def test_unknown_job(stack, alike):
    done = _at(stack, "flurm", "scontrol", "show", "job", "4711", check=False)
    assert done.status and "Invalid job id" in done.err


def test_nothing_new_is_told_in_short(stack, alike):
    """squeue -i gets the list again when it changed, and only then."""
    out = _at(stack, "flurm", "sdiag", "-r")
    watcher = stack.alpha.popen("squeue", "-M", "flurm", "--iterate=1",
                                "--noheader", "--Format=name:20")
    try:
        job = stack.alpha.sbatch("--cluster-constraint=flurm",
                                 "--job-name=newcomer", "--begin=now+1hour")
        for line in watcher.stdout:
            if line.startswith("newcomer"):
                break
    finally:
        watcher.kill()
        watcher.communicate()
    stack.alpha.run("scancel", str(job))


def test_age_is_shown(stack, alike):
    """FLURM's nodes are seen as they are, at most 5 seconds late."""
    flurm = stack.flurm.status()["clusters"][0]["flurm"]
    assert flurm["nodes_told"] is True
    assert 0 <= flurm["nodes_age"] <= 10


# -- what is done at FLURM, by whom


@pytest.fixture
def running(stack, alike):
    """Starts a job of daemon's that runs at FLURM; returns its id."""
    made = []

    def start(*options, state="RUNNING"):
        job = stack.alpha.sbatch("--cluster-constraint=flurm", "--mem=10",
                                 *options, script=SCRIPT, user=OWNER)
        made.append(job)
        wait_until(lambda: _state(stack, job), lambda now: now == state, 30,
                   f"job {job} at FLURM is {state}")
        return job
    yield start
    stack.alpha.run("scancel", *map(str, made), check=False)


def _state(stack, job):
    done = _at(stack, "flurm", "scontrol", "--oneliner", "show", "job",
               str(job), check=False)
    return _pairs(done.out).get("JobState")


@pytest.fixture(scope="module")
def people(stack, alike):
    add_people(stack)
    return PEOPLE


MAY = {"root": True, "operator": True, "coordinator": True, "owner": True,
       "stranger": False}


@pytest.mark.parametrize("who", MAY)
def test_cancel_at_flurm(stack, running, people, who):
    job = running("--account=science")
    done = _at(stack, "flurm", "scancel", str(job), user=people[who],
               check=False)
    if MAY[who]:
        assert not done.status, done
        wait_until(lambda: _state(stack, job), lambda now: now == "CANCELLED",
                   20, f"job {job} is cancelled by {who}")
        wait_until(lambda: stack.alpha.job(job)["ExitCode"],
                   lambda code: code == "0:15", 20, "its origin knows")
    else:
        assert "Access" in done.err, done
        assert _state(stack, job) == "RUNNING"


@pytest.mark.parametrize("who", MAY)
def test_suspend_and_resume_at_flurm(stack, running, people, who):
    """As with a native, the owner alone may not; test_roles.py compares."""
    job = running("--account=science")
    coordinators = stack.slurm_version >= (24, 11)
    done = _at(stack, "flurm", "scontrol", "suspend", str(job),
               user=people[who], check=False)
    if who in ("owner", "stranger") or (who == "coordinator" and
                                        not coordinators):
        assert done.status and "Access" in done.err, done
        assert _state(stack, job) == "RUNNING"
        return
    assert not done.status, done
    assert _state(stack, job) == "SUSPENDED"
    assert stack.flurm.gateway.job(job)["state"] == "suspended"
    # the origin sends its clients here, and they stay
    stack.alpha.scontrol("resume", str(job), user=people[who])
    assert _state(stack, job) == "RUNNING"
    assert stack.flurm.gateway.job(job)["state"] == "running"
    again = _at(stack, "flurm", "scontrol", "resume", str(job), check=False)
    assert again.status and "not suspended" in again.err, again


@pytest.mark.parametrize("out, back, said", [
    ("kill", "start", "ommunication connection failure"),
    ("pause", "resume", "imed out")])
def test_suspend_while_flurm_is_away(stack, running, people, out, back, said):
    """Who asks is told that it was not done, or that nobody knows."""
    job = running()
    getattr(stack.flurm.gateway, out)()
    try:
        done = _at(stack, "flurm", "scontrol", "suspend", str(job),
                   check=False)
    finally:
        getattr(stack.flurm.gateway, back)()
    assert done.status and said in done.err, done
    # what FLURM has read it does
    expected = "SUSPENDED" if out == "pause" else "RUNNING"
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    wait_until(lambda: _state(stack, job), lambda now: now == expected, 20,
               f"job {job} is {expected}")


def test_time_suspended_is_not_time_run(stack, running, people):
    job = running()
    _at(stack, "flurm", "scontrol", "suspend", str(job))
    one = _job(stack, "flurm", job)
    wait_until(lambda: _at(stack, "flurm", "squeue", "-h", "-j", str(job),
                           "-O", "statecompact,timeused").split(),
               lambda seen: seen[0] == "S", 10, "squeue says suspended")
    two = _job(stack, "flurm", job)
    assert one["RunTime"] == two["RunTime"]
    assert two["SecsPreSuspend"] != "0" or two["RunTime"] == "00:00:00"


@pytest.mark.parametrize("who", MAY)
def test_what_the_origin_does(stack, running, people, who):
    """Hold, update, requeue and release go there by themselves."""
    job = running("--account=science", "--begin=now+1hour", state="PENDING")
    for argv, key, value in (
            (("update", f"jobid={job}", "comment=new"), "Comment", "new"),
            (("hold", str(job)), "Priority", "0")):
        done = _at(stack, "flurm", "scontrol", *argv, user=people[who],
                   check=False)
        assert bool(done.status) is not MAY[who], done
        if MAY[who]:
            assert not done.err, done
            assert stack.alpha.job(job)[key] == value
    done = _at(stack, "flurm", "scancel", str(job), user=people[who],
               check=False)
    if MAY[who]:
        assert not done.status and not done.err, done
        wait_until(lambda: _state(stack, job), lambda now: now != "PENDING",
                   20, f"job {job} is gone")
        assert stack.alpha.job_state(job) == "CANCELLED"
    else:
        assert "Access" in done.err, done
        assert _state(stack, job) == "PENDING"


@pytest.mark.parametrize("which", [
    ("{job}",), ("--name={name}",), ("--state=PENDING", "--name={name}"),
    ("--user={user}", "--name={name}"), ("--name={name}", "{job}")])
def test_scancel_of_what_waits(stack, running, people, which):
    """By its origin, so that no sibling has it any more."""
    name = f"waits{len(which)}"
    other = running("--job-name=stays", "--begin=now+1hour", state="PENDING")
    job = stack.alpha.sbatch("--begin=now+1hour", f"--job-name={name}",
                             script=SCRIPT, user=OWNER)
    everywhere = ("alpha", "beta", "flurm")
    for cluster in everywhere:
        wait_until(lambda: _job(stack, cluster, job)["JobState"],
                   lambda now: now == "PENDING", 20, f"it is at {cluster}")
    argv = [word.format(job=job, name=name, user=OWNER) for word in which]
    _at(stack, "flurm", "scancel", *argv, user=OWNER)
    wait_until(lambda: [_pairs(_at(
        stack, cluster, "scontrol", "--oneliner", "show", "job", str(job),
        check=False).out).get("JobState") for cluster in everywhere],
               lambda seen: "PENDING" not in seen, 20, "it is gone")
    assert stack.alpha.job_state(job) == "CANCELLED"
    assert _state(stack, other) == "PENDING"
    done = _at(stack, "flurm", "scancel", "--state=RUNNING", str(other),
               user=OWNER, check=False)
    assert _state(stack, other) == "PENDING", done


def test_scancel_tells_what_it_did(stack, running, people):
    """Only newer ones are told of each job."""
    if stack.slurm_version < (24, 5):
        pytest.skip("older ones ask of one job at a time")
    job = running("--begin=now+1hour", state="PENDING")
    done = _at(stack, "flurm", "scancel", "--signal=USR1", str(job),
               user=OWNER, check=False)
    assert str(job) in done.err and _state(stack, job) == "PENDING", done
    done = _at(stack, "flurm", "scancel", "--name=nosuch", str(job),
               user=OWNER, check=False)
    assert str(job) in done.err and _state(stack, job) == "PENDING", done
    done = _at(stack, "flurm", "scancel", str(job + 1), user=OWNER,
               check=False)
    assert str(job + 1) in done.err, done
    done = _at(stack, "flurm", "scancel", "-v", str(job), user=OWNER,
               check=False)
    assert f"Terminating job {job}" in done.err, done


@pytest.mark.parametrize("who", MAY)
def test_notify(stack, running, people, who):
    """Of a running job, into its output; by its owner or root."""
    job = running("--account=science")
    words = (f"from {who}", "and more")
    for cluster in ("flurm", "alpha"):  # who sends the client here
        done = _at(stack, cluster, "scontrol", "notify", str(job), *words,
                   user=people[who], check=False)
        assert bool(done.status) is (who not in ("root", "owner")), done
        if done.status:
            assert "Invalid user id" in done.err, done
    with open(stack.path("work", f"{job}.out"), encoding="utf-8") as file:
        if who in ("root", "owner"):
            wait_until(lambda: file.seek(0) or file.read(),
                       lambda text: text.count(
                           f"flurm-gateway: {' '.join(words)}\n") == 2,
                       10, "it is in the output")
    other = running("--account=science", "--begin=now+1hour", state="PENDING")
    done = _at(stack, "flurm", "scontrol", "notify", str(other), "hello",
               check=False)
    assert done.status and "disabled" in done.err, done


def test_requeue_at_flurm(stack, running, people):
    job = running()
    _at(stack, "flurm", "scontrol", "requeue", str(job), user=OWNER)
    wait_until(lambda: _job(stack, "flurm", job).get("Restarts"),
               lambda seen: seen == "1", 40, "it runs again")


def test_scancel_by_filter(stack, running, people):
    """By user, name and state; what is not theirs stays."""
    if stack.slurm_version < (23,):
        pytest.skip("it looks at the origin's record, REVOKED, of what runs "
                    "at a sibling, be it a native one")
    mine, other = running("--job-name=mine"), running("--job-name=other")
    _at(stack, "flurm", "scancel", "--user", OWNER, "--name=mine",
        "--state=RUNNING", user=OWNER)
    wait_until(lambda: _state(stack, mine), lambda now: now == "CANCELLED",
               20, "it is cancelled")
    assert _state(stack, other) == "RUNNING"
    _at(stack, "flurm", "scancel", "--signal=USR1", "--batch", str(other))
    wait_until(lambda: _state(stack, other), lambda now: now == "FAILED",
               20, "the signal has ended it")


def test_ctld_side_scancel(stack, running, people):
    if stack.slurm_version < (24, 5):
        pytest.skip("scancel --ctld is newer")
    job = running("--job-name=bulk")
    _at(stack, "flurm", "scancel", "--ctld", "--name=bulk", user="mail",
        check=False)
    assert _state(stack, job) == "RUNNING"
    _at(stack, "flurm", "scancel", "--ctld", "--name=bulk", user=OWNER)
    wait_until(lambda: _state(stack, job), lambda now: now == "CANCELLED",
               20, "it is cancelled")


def test_script_is_the_owners(stack, running, people):
    job = running()
    for who, may in (("owner", True), ("operator", True), ("stranger", False)):
        done = _at(stack, "flurm", "scontrol", "write", "batch_script",
                   str(job), "-", user=people[who], check=False)
        # some releases only say so
        assert ("retrieval failed" not in done.err) is may, (who, done)


@pytest.mark.parametrize("argv", [
    ("scontrol", "reconfigure"), ("scontrol", "shutdown"),
    ("scontrol", "setdebug", "info"), ("scontrol", "takeover"),
    ("scontrol", "create", "reservation", "users=root", "nodes=ALL",
     "starttime=now", "duration=1"),
    ("scontrol", "update", "nodename=flurm1", "state=drain", "reason=x"),
    ("scontrol", "delete", "partitionname=normal"),
    ("sbatch", "--wrap=true"), ("srun", "true"), ("salloc", "true"),
])
def test_refused_at_flurm(stack, running, people, argv):
    """At once, and nothing happens to the native that hosts us."""
    job = running()
    done = _at(stack, "flurm", *(word.format(job=job) for word in argv),
               check=False, timeout=30)
    assert done.status, done
    assert done.err
    assert stack.alpha.ping()
    assert _state(stack, job) == "RUNNING"


def test_will_run(stack, alike):
    done = _at(stack, "flurm", "sbatch", "--test-only", "--wrap=true",
               check=False)
    assert re.search(r"to start at .* partition normal", done.err), done
    done = _at(stack, "flurm", "sbatch", "--test-only", "--wrap=true",
               "-n100", check=False)
    assert done.status and "configuration is not available" in done.err, done
    done = _at(stack, "flurm", "sbatch", "--test-only", "--wrap=true",
               "-pnosuch", check=False)
    assert done.status and "nvalid partition" in done.err, done
