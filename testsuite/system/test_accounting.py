"""FLURM's jobs in slurmdbd: what sacct shows, and that nothing gets lost.

What a native sibling's jobs look like there is the measure.
"""
import os
import re
import time

import pytest

from stack import wait_until
from stack.sreport import utilization

USER = "daemon"
STACK = {"gateway": "local"}

# What sacct shows of a job, but for what cannot be alike: ids, times, names
# of nodes and clusters, and what the job used.
FIELDS = """Account AllocCPUS AllocNodes AllocTRES Comment Constraints
    DerivedExitCode ExitCode GID Group JobName Layout McsLabel NCPUS
    NNodes NTasks Partition QOS ReqCPUS ReqMem ReqNodes ReqTRES Reservation State
    SubmitLine Suspended TimelimitRaw UID User WCKey WorkDir""".split()

# Why the others differ:
#   Priority       FLURM schedules by its own
#   Flags          which of Slurm's schedulers started it
#   Reason         the native's last reason to wait
#   mem in *TRES   the natives here do not allocate memory (CR_Core)


@pytest.fixture(scope="module")
def fed_jobs(stack):
    """A federation where a constraint says which cluster runs a job."""
    stack.set_features()
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    # of a job that names none it is not known where it ran before that
    wait_until(lambda: stack.alpha.run("sinfo", "-h", "-M", "flurm",
                                       "--local", check=False).out,
               lambda out: "normal" in out, what="its partitions are known")
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


# one process: a shell whose sleep is killed before it is would tell of that
STAYS = "touch started-$SLURM_JOB_ID\nexec sleep 300"


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
    return submit(stack, where, "-t1", rest="exec sleep 300")


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


def _first_run(found):
    """Of a job's rows the first run's, with its steps, as sacct has them."""
    runs = []
    for row in found:
        if "." not in row["JobID"]:
            runs.append([])
        runs[-1].append(row)
    return min(runs, key=lambda run: run[0]["Submit"], default=[])


def _open_steps(stack, where, job):
    """How many steps of runs that have ended have not, for slurmdbd.

    sacct shows them with the job's end and state, as if it were their own;
    natives say that a job has ended before its step has.
    """
    return int(stack.mariadb.query(
        f"SELECT COUNT(*) FROM {where}_step_table step JOIN {where}_job_table "
        f"job USING (job_db_inx) WHERE job.id_job = {job} AND "
        "job.time_end > 0 AND step.time_end = 0")[0][0])


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
        def look():
            return _first_run(rows(fed_jobs, where, job, "-D", fields=fields))
        # the job and its batch step; what runs after a requeue is a job again
        wait_until(
            look, lambda found: len(found) == 2 and
            found[0]["State"].split()[0] == KINDS[kind][1] and
            found[1]["State"] != "RUNNING" and
            not _open_steps(fed_jobs, where, job), 180,
            f"sacct -M {where} shows job {job} as {kind}")
        seen[where] = [_alike(row, where) for row in look()]
        for row in seen[where]:
            row["JobID"] = row["JobID"].replace(str(job), "N")
            del row["Submit"]
    differ = [{field: (ours[field], theirs[field]) for field in ours
               if ours[field] != theirs[field]}
              for ours, theirs in zip(seen["flurm"], seen["beta"])]
    assert not any(differ), f"FLURM's, and a native's: {differ}"
    assert len(seen["flurm"]) == len(seen["beta"])


def test_suspended(fed_jobs):
    """For how long, once, also if slurmdbd hears of it later."""
    job = submit(fed_jobs, "flurm", rest=STAYS)
    _started(fed_jobs, "flurm", job)

    def told():
        (row,) = rows(fed_jobs, "flurm", job, "-X",
                      fields=["State", "Suspended", "ElapsedRaw"])
        return row
    wait_until(lambda: fed_jobs.alpha.run(
        "squeue", "-M", "flurm", "-h", "-j", str(job), "-o", "%T",
        check=False).out, lambda out: "RUNNING" in out, 10, "squeue shows it")
    for seconds in 2, 3:
        fed_jobs.alpha.scontrol("-M", "flurm", "suspend", str(job))
        wait_until(told, lambda row: row["State"] == "SUSPENDED", 20,
                   "slurmdbd knows that it is suspended")
        if seconds == 3:
            fed_jobs.slurmdbd.kill()
        time.sleep(seconds)
        # -M wants slurmdbd; the origin sends its clients to FLURM
        fed_jobs.alpha.scontrol("resume", str(job))
        if seconds == 3:
            fed_jobs.slurmdbd.start()
        wait_until(told, lambda row: row["State"] == "RUNNING", 60,
                   "slurmdbd knows that it runs")
    suspended = told()["Suspended"]
    assert "00:00:05" <= suspended <= "00:00:20"
    fed_jobs.alpha.run("scancel", str(job), user=USER)
    wait_states(fed_jobs, "flurm", job, ["CANCELLED"])
    assert told()["Suspended"] == suspended
    assert int(told()["ElapsedRaw"]) < 60


def test_cancelled_by_nobody_known(fed_jobs):
    """Of who cancels a job at FLURM itself nothing is known."""
    job = submit(fed_jobs, "flurm", rest=STAYS)
    _started(fed_jobs, "flurm", job)
    fed_jobs.flurm.gateway.cancel(job)
    wait_until(lambda: rows(fed_jobs, "flurm", job, "-X", fields=["State"]),
               lambda seen: seen == [{"State": "CANCELLED"}], 20,
               "it is cancelled, by nobody")


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
    allocated, reported = utilization(
        fed_jobs, "flurm", ["Allocated", "Reported"],
        "UPDATE flurm_event_table SET time_start = time_start - 10800;"
        "UPDATE flurm_job_table SET time_start = time_start - 7200,"
        "time_eligible = time_eligible - 7200,"
        f"time_end = time_end - 7200 + 600 WHERE id_job = {job}")
    # four CPUs for ten minutes
    assert 38 <= allocated <= 44
    assert reported >= 16 * 60


def test_no_runaway_jobs(fed_jobs):
    """What runs and what has ended is known to both sides alike."""
    ended = submit(fed_jobs, "flurm")
    wait_states(fed_jobs, "flurm", ended, ["COMPLETED"])
    job = submit(fed_jobs, "flurm", rest=STAYS)
    _started(fed_jobs, "flurm", job)
    assert "No runaway jobs found on cluster flurm" in fed_jobs.alpha.run(
        "sacctmgr", "show", "runawayjobs", "cluster=flurm")
    fed_jobs.alpha.run("scancel", str(job), user=USER)


def test_commit_delay(fed_jobs):
    """What slurmdbd would commit later is not lost with it."""
    conf = fed_jobs.path("dbd", "slurmdbd.conf")
    with open(conf) as file:
        text = file.read()

    def restart(seconds):
        with open(conf, "w") as file:
            file.write(text.replace("CommitDelay=0", f"CommitDelay={seconds}"))
        fed_jobs.slurmdbd.restart()
        fed_jobs.wait_linked()
    restart(600)
    try:
        job = submit(fed_jobs, "flurm", rest="exit 4")
        fed_jobs.flurm.gateway.wait_job(job, "failed")
        wait_spooled(fed_jobs)
        fed_jobs.slurmdbd.kill()
    finally:
        restart(0)
    assert rows(fed_jobs, "flurm", job, fields=["JobName", "State",
                                                "ExitCode"]) == [
        {"JobName": name, "State": "FAILED", "ExitCode": "4:0"}
        for name in ("sbatch", "batch")]


# -- who may run jobs there


def _refused(stack, job):
    """Waits until flurmfed says that FLURM refused the job; returns why."""
    def told():
        return stack.flurm.flurmfed("job", str(job), check=False).out
    return wait_until(told, lambda out: "reason:" in out, 20,
                      f"job {job} is refused")


def _known_associations(stack):
    return stack.flurm.status()["clusters"][0]["slurmdbd"]["associations"]


def test_association_is_wanted(fed_jobs):
    """Without one on FLURM a job is refused there; with one it runs."""
    stack = fed_jobs
    before = _known_associations(stack)
    stack.sacctmgr("add", "user", "games", "account=science",
                   "cluster=alpha,beta")
    job = stack.alpha.sbatch("--cluster-constraint=flurm", "-t5",
                             user="games")
    # of the user it may not have heard yet either
    assert re.search("slurmdbd has no (association of user games with a "
                     "default account on this cluster|user for uid )",
                     _refused(stack, job))
    assert states(stack, "flurm", job, "-D") == []
    stack.alpha.run("scancel", str(job), user="games")
    # slurmdbd tells of the new one by itself
    stack.sacctmgr("add", "user", "games", "account=science", "cluster=flurm")
    wait_until(lambda: _known_associations(stack),
               lambda count: count > before, 20, "FLURM hears of it")
    job = stack.alpha.sbatch("--cluster-constraint=flurm", "-t5",
                             user="games")
    wait_states(stack, "flurm", job, ["COMPLETED"])


def _enforce(stack, what):
    """Restarts FLURM's host with another AccountingStorageEnforce."""
    with open(stack.alpha.conf) as file:
        text = re.sub("AccountingStorageEnforce=.*\n", "", file.read())
    with open(stack.alpha.conf, "w") as file:
        file.write(text + (f"AccountingStorageEnforce={what}\n" if what
                           else ""))
    stack.flurm.daemon.restart()
    stack.wait_linked()


@pytest.mark.fed_flurmd
def test_what_is_enforced(make_stack):
    """None: all is accepted. QOS: one that is not allowed is refused. Nojobs,
    nosteps: those are not in slurmdbd."""
    stack = make_stack(flurm="fed_flurmd", gateway="local")
    stack.sacctmgr("modify", "cluster", "flurm", "set", "features=flurm")
    stack.sacctmgr("add", "qos", "fast")
    before = _known_associations(stack)
    stack.sacctmgr("delete", "user", "nobody", "where", "cluster=flurm")
    wait_until(lambda: _known_associations(stack),
               lambda count: count < before, 20, "FLURM hears of it")
    stack.sacctmgr("modify", "user", USER, "where", "cluster=alpha", "set",
                   "qos+=fast")

    def sbatch(*args, user):
        return stack.alpha.sbatch("--cluster-constraint=flurm", "-t5", *args,
                                  user=user)
    assert "no association" in _refused(stack, sbatch(user="nobody"))
    _enforce(stack, None)
    job = sbatch(user="nobody")
    wait_states(stack, "flurm", job, ["COMPLETED"])
    job = sbatch("--qos=fast", user=USER)
    wait_states(stack, "flurm", job, ["COMPLETED"])
    assert rows(stack, "flurm", job, "-X", fields=["QOS"]) == [
        {"QOS": "fast"}]
    _enforce(stack, "associations,qos")
    assert "may not use QOS fast" in _refused(stack, sbatch("--qos=fast",
                                                            user=USER))
    job = sbatch("--qos=normal", user=USER)
    wait_states(stack, "flurm", job, ["COMPLETED"])
    _enforce(stack, "nojobs")
    untold = sbatch(user=USER)
    stack.flurm.gateway.wait_job(untold, "completed")
    _enforce(stack, "associations,nosteps")
    job = sbatch(user=USER)
    wait_states(stack, "flurm", job, ["COMPLETED"])
    assert rows(stack, "flurm", job, fields=["JobName"]) == [
        {"JobName": "sbatch"}]
    # told of in the same order
    assert states(stack, "flurm", untold, "-D") == []
    # what was known holds while slurmdbd is away, over a restart too
    stack.slurmdbd.stop()
    stack.flurm.daemon.restart()
    stack.wait_linked()
    assert "no association" in _refused(stack, sbatch(user="nobody"))
    job = sbatch(user=USER)
    stack.flurm.gateway.wait_job(job, "completed")
    stack.slurmdbd.start()
    wait_states(stack, "flurm", job, ["COMPLETED"])


# -- outages

MANY = """
i=0
while [ $i -lt %d ]; do
    sbatch --parsable --output=/dev/null --cluster-constraint=flurm -t5 \
        witness.sh || exit 1
    i=$((i+1))
done
"""
WITNESS = """#!/bin/sh
code=$((SLURM_JOB_ID % 5))
echo $SLURM_JOB_ID $code >>witness
exit $code
"""


def _submit_many(stack, count):
    out = stack.alpha.run("sh", "-c", MANY % count, user=USER, timeout=300)
    jobs = [int(line.split(";")[0]) for line in out.split()]
    assert len(jobs) == count
    return jobs


def _crash(stack, jobs):
    """kill -9, when all of these jobs are at FLURM's controller.

    A native may lose what it submits when the link breaks, and until it is
    there again; that is not what this is about.
    """
    wait_until(lambda: stack.flurm.status()["clusters"][0]["jobs"]["known"],
               lambda known: known >= len(jobs), what="all jobs have come")
    stack.flurm.daemon.kill()
    stack.flurm.daemon.start()
    stack.wait_linked()


@pytest.mark.fed_flurmd
def test_nothing_is_lost_in_outages(make_stack):
    """500 jobs, slurmdbd and MariaDB away in turn, kill -9 in between."""
    stack = make_stack(flurm="fed_flurmd", gateway="local")
    stack.sacctmgr("modify", "cluster", "flurm", "set", "features=flurm")
    with open(os.path.join(stack.work, "witness.sh"), "w") as file:
        file.write(WITNESS)
    witness = os.path.join(stack.work, "witness")

    assert "accounting  slurmdbd knows all\n" in \
        stack.flurm.flurmfed("status", check=False).out
    stack.slurmdbd.kill()
    jobs = _submit_many(stack, 170)
    _crash(stack, jobs)
    wait_until(lambda: spool(stack)["waiting"],
               lambda count: count >= 170, what="rows wait")
    assert "rows wait for slurmdbd, the oldest for" in \
        stack.flurm.flurmfed("status", check=False).out
    stack.slurmdbd.start()
    _crash(stack, jobs)
    stack.mariadb.kill()
    jobs += _submit_many(stack, 170)
    _crash(stack, jobs)
    stack.mariadb.start()
    if not stack.slurmdbd.alive:
        stack.slurmdbd.start()
    jobs += _submit_many(stack, 160)
    _crash(stack, jobs)

    def ran():
        with open(witness) as file:
            return dict(map(int, line.split()) for line in file)
    seen = wait_until(ran, lambda seen: len(seen) == len(jobs), 180,
                      "all jobs have run")
    wait_until(lambda: stack.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: set(states) == {"gone"}, 60, "all is said")
    spooled = wait_spooled(stack, 180)
    assert spooled["dropped"] == 0
    found = sacct(stack, "flurm", "-X", "-D", fields=["JobID", "State",
                                                      "ExitCode"])
    assert sorted(int(row["JobID"]) for row in found) == sorted(jobs)
    for row in found:
        code = seen[int(row["JobID"])]
        assert row["ExitCode"] == f"{code}:0", row
        assert row["State"] == ("FAILED" if code else "COMPLETED"), row
    steps = stack.mariadb.query(
        "SELECT COUNT(*), SUM(time_end > 0) FROM flurm_step_table")
    assert steps == [["500", "500"]]
