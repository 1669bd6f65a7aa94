"""A job of a native cluster that FLURM runs, or might have run: its whole life.

Each script appends a line to a witness file when it starts; whatever else
happens, a job starts once per submission.
"""
import os

import pytest

from stack import wait_until

USER = "daemon"
WITNESS = """#!/bin/sh
echo "$SLURM_JOB_ID $SLURM_CLUSTER_NAME ${SLURM_RESTART_COUNT:-0}" \
    >>%(work)s/witness
%(rest)s
"""


STACK = {"gateway": "local"}


@pytest.fixture(scope="module")
def jobs(stack):
    """A federation whose FLURM runs jobs."""
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    return stack


@pytest.fixture
def full(jobs):
    """The natives have no room: what runs, runs at FLURM."""
    _natives(jobs, "drain")
    yield jobs
    _natives(jobs, "resume")


def _natives(stack, state):
    for cluster in stack.clusters.values():
        # one that is resumed already cannot be resumed
        cluster.scontrol("update", f"nodename={cluster.name}1",
                         f"state={state}", "reason=test",
                         check=state != "resume")


def script(stack, rest=""):
    return WITNESS % {"work": stack.work, "rest": rest}


def starts(stack, job):
    """[(cluster, restart count)] of each start of a job."""
    path = os.path.join(stack.work, "witness")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        lines = [line.split() for line in file]
    return [(cluster, int(restart)) for job_id, cluster, restart in lines
            if int(job_id) == job]


def wait_started(stack, job, count=1):
    return wait_until(lambda: starts(stack, job),
                      lambda seen: len(seen) == count, 20,
                      f"job {job} has started {count} times")


def gone_at(cluster, job):
    """A native sibling has no unfinished copy of the job."""
    wait_until(lambda: cluster.job_state(job),
               lambda state: state in (None, "REVOKED", "CANCELLED"), 20,
               f"{cluster.name} let go of job {job}")


# -- runs at FLURM


@pytest.mark.parametrize("origin", ["alpha", "beta"])
def test_runs_at_flurm(full, origin):
    """RV at the origin, gone at the sibling, output and exit code right."""
    origin = full.clusters[origin]
    job = origin.sbatch(user=USER, script=script(
        full, 'echo "$(id -un) in $PWD"; sleep 1; exit 7'))
    assert full.flurm.gateway.wait_job(job, "running", "failed")
    wait_until(lambda: origin.job_state(job),
               lambda state: state == "REVOKED", what="RV at the origin")
    for other in full.clusters.values():
        if other is not origin:
            gone_at(other, job)
    wait_until(lambda: origin.job(job).get("ExitCode"),
               lambda code: code == "7:0", what="its exit code")
    assert starts(full, job) == [("flurm", 0)]
    path = os.path.join(full.work, f"{job}.out")
    with open(path) as out:
        assert out.read() == f"daemon in {full.work}\n"
    assert os.stat(path).st_uid == 1


def test_true_exit_is_told(full):
    """Exit code and signal come through exactly."""
    ok = full.alpha.sbatch(user=USER, script=script(full))
    killed = full.alpha.sbatch(user=USER,
                               script=script(full, "kill -9 $$"))
    wait_until(lambda: full.alpha.job(ok).get("JobState"),
               lambda state: state == "REVOKED", what="it ran")
    wait_until(lambda: full.alpha.job(killed).get("ExitCode"),
               lambda code: code == "0:9", what="killed by signal 9")
    wait_until(lambda: full.flurm.gateway.job(ok).get("state"),
               lambda state: state == "completed", what="completed")
    assert full.alpha.job(ok)["ExitCode"] == "0:0"


def test_environment_and_arguments_arrive(full):
    out = full.alpha.run("sbatch", "--parsable", "--output=%x-%u-%j.txt",
                         "--job-name=greet", "--export=ALL,GREETING=h\u00e4llo",
                         stdin='#!/bin/sh\necho "$GREETING $1"\n', user=USER)
    job = int(out.split(";")[0])
    path = os.path.join(full.work, f"greet-daemon-{job}.txt")
    wait_until(lambda: full.flurm.gateway.job(job)["state"],
               lambda state: state == "completed", what="it ran")
    with open(path) as file:
        assert file.read() == "h\u00e4llo \n"


# -- runs elsewhere


def test_native_wins_and_flurm_lets_go(jobs):
    """FLURM has no room, a native has: FLURM's copy is revoked."""
    busy = jobs.alpha.sbatch("--exclusive", "--clusters=alpha", user=USER,
                             script="#!/bin/sh\nexec sleep 60\n")
    jobs.alpha.wait_job(busy, "RUNNING")
    filler = fill_flurm(jobs)
    job = jobs.alpha.sbatch("--exclusive", user=USER,
                            script=script(jobs, "sleep 2"))
    wait_until(lambda: jobs.beta.job_state(job),
               lambda state: state in ("RUNNING", "COMPLETED"),
               what="beta runs it")
    jobs.flurm.gateway.wait_job(job, "revoked")
    jobs.alpha.run("scancel", str(busy), str(filler))
    wait_until(lambda: jobs.beta.job_state(job),
               lambda state: state == "COMPLETED", what="it ended")
    assert starts(jobs, job) == [("beta", 0)]


def fill_flurm(stack):
    """A job that takes all of FLURM, and nothing of the natives."""
    _natives(stack, "drain")
    job = stack.alpha.sbatch("--ntasks=16", user=USER,
                             script="#!/bin/sh\nexec sleep 300\n")
    stack.flurm.gateway.wait_job(job, "running")
    _natives(stack, "resume")
    return job


# -- cancelled


def test_cancel_pending(full):
    filler = full.alpha.sbatch("--ntasks=16", user=USER,
                               script="#!/bin/sh\nexec sleep 300\n")
    full.flurm.gateway.wait_job(filler, "running")
    job = full.alpha.sbatch("--ntasks=16", user=USER, script=script(full))
    full.flurm.gateway.wait_job(job, "pending")
    full.alpha.run("scancel", str(job), user=USER)
    full.flurm.gateway.wait_job(job, "revoked", "cancelled")
    assert full.alpha.wait_job(job, "CANCELLED")
    full.alpha.run("scancel", str(filler))
    full.flurm.gateway.wait_job(filler, "cancelled")
    assert not starts(full, job)


@pytest.mark.parametrize("through", ["alpha", "beta"])
def test_cancel_running(full, through):
    """From any cluster; with children that ignore TERM."""
    job = full.alpha.sbatch(user=USER, script=script(
        full, "trap '' TERM; echo $$ >pid; sleep 300 & wait; sleep 300"))
    wait_started(full, job)
    # a native that has not heard yet cancels its own copy, and the origin's
    gone_at(full.beta, job)
    full.clusters[through].run("scancel", str(job), user=USER)
    full.flurm.gateway.wait_job(job, "cancelled")
    wait_until(lambda: full.alpha.job(job).get("ExitCode"),
               lambda code: code in ("0:9", "0:15"),
               what="the origin knows of the signal")
    assert full.alpha.job_state(job) == "REVOKED"


def test_signal_is_delivered(full):
    job = full.alpha.sbatch(user=USER, script=script(
        full, "trap 'echo got it; exit 3' USR1; while :; do sleep 0.1; done"))
    wait_started(full, job)
    full.alpha.run("scancel", "--signal=USR1", "--full", str(job), user=USER)
    wait_until(lambda: full.alpha.job(job).get("ExitCode"),
               lambda code: code == "3:0", what="it took the signal")
    with open(os.path.join(full.work, f"{job}.out")) as out:
        assert out.read().endswith("got it\n")


def test_cancel_of_one_sibling(full):
    """scancel --sibling=flurm: it runs elsewhere."""
    filler = full.alpha.sbatch("--ntasks=16", user=USER,
                               script="#!/bin/sh\nexec sleep 300\n")
    full.flurm.gateway.wait_job(filler, "running")
    job = full.alpha.sbatch("--ntasks=16", user=USER, script=script(full))
    full.flurm.gateway.wait_job(job, "pending")
    full.alpha.run("scancel", "--sibling=flurm", str(job), user=USER)
    full.flurm.gateway.wait_job(job, "revoked")
    full.alpha.run("scancel", str(filler))
    full.flurm.gateway.wait_job(filler, "cancelled")
    assert full.alpha.job_state(job) == "PENDING"
    _natives(full, "resume")
    wait_until(lambda: starts(full, job), what="a native ran it")
    assert starts(full, job)[0][0] in ("alpha", "beta")


# -- changed, held, requeued


def test_requeue(full):
    job = full.alpha.sbatch("--requeue", user=USER, script=script(
        full, '[ "$SLURM_RESTART_COUNT" = 1 ] || sleep 300'))
    wait_started(full, job)
    full.alpha.scontrol("requeue", str(job))
    # a requeued job waits for its begin time
    full.flurm.gateway.wait_job(job, "cancelled", "completed")
    wait_until(lambda: full.alpha.job_state(job),
               lambda state: state == "PENDING", what="pending again")
    full.alpha.scontrol("update", f"jobid={job}", "starttime=now")
    wait_until(lambda: starts(full, job), lambda seen: len(seen) == 2, 60,
               "it ran again")
    assert starts(full, job) == [("flurm", 0), ("flurm", 1)]
    wait_until(lambda: full.alpha.job_state(job),
               lambda state: state == "REVOKED", what="over")


def test_hold_and_release(full):
    filler = full.alpha.sbatch("--ntasks=16", user=USER,
                               script="#!/bin/sh\nexec sleep 300\n")
    full.flurm.gateway.wait_job(filler, "running")
    job = full.alpha.sbatch("--ntasks=16", user=USER, script=script(full))
    full.flurm.gateway.wait_job(job, "pending")
    full.alpha.scontrol("hold", str(job))
    full.flurm.gateway.wait_job(job, "revoked")
    full.alpha.run("scancel", str(filler))
    full.flurm.gateway.wait_job(filler, "cancelled")
    assert not starts(full, job)
    full.alpha.scontrol("release", str(job))
    wait_started(full, job)


def test_update(full):
    filler = full.alpha.sbatch("--ntasks=16", user=USER,
                               script="#!/bin/sh\nexec sleep 300\n")
    full.flurm.gateway.wait_job(filler, "running")
    job = full.alpha.sbatch("--ntasks=16", "--time=10", user=USER,
                            script=script(full))
    full.flurm.gateway.wait_job(job, "pending")
    full.alpha.scontrol("update", f"jobid={job}", "timelimit=5",
                        "jobname=other")
    wait_until(lambda: full.flurm.gateway.job(job), lambda seen:
               (seen["time_limit"], seen["name"]) == (300, "other"),
               what="FLURM heard of the change")
    full.alpha.run("scancel", str(filler))
    # the lock is not refused for long: the update was answered
    wait_started(full, job)


def test_dependency_on_a_job_at_flurm(full):
    first = full.alpha.sbatch(user=USER, script=script(full, "sleep 1"))
    ok = full.alpha.sbatch(f"--dependency=afterok:{first}", user=USER,
                           script=script(full))
    wait_started(full, ok)
    assert starts(full, first) == [("flurm", 0)]


def test_array_stays_at_its_origin(jobs):
    job = jobs.alpha.sbatch("--array=1-3", user=USER, script=script(jobs))
    wait_until(lambda: jobs.alpha.run(
        "squeue", "--local", "-h", f"--jobs={job}", check=False).out,
        lambda out: not out.strip(), 60, "the array is over")
    assert not jobs.flurm.gateway.job(job)


def test_interactive_job_runs_natively(jobs):
    """FLURM says no to its copy, and a native runs it."""
    out = jobs.alpha.run("srun", "sh", "-c", "echo $SLURM_CLUSTER_NAME",
                         user=USER)
    assert out.strip() in ("alpha", "beta")


def test_interactive_job_cannot_be_sent_to_flurm_alone(full):
    """Its origin says so at once, rather than let it wait for ever."""
    done = full.alpha.popen("salloc", "--no-shell", user=USER)
    job = wait_until(lambda: full.alpha.run(
        "squeue", "--local", "-ho", "%i", user=USER).split(), what="queued")[0]
    refused = full.alpha.run("scontrol", "update", f"jobid={job}",
                             "clusters=flurm", check=False)
    assert refused.status and "batch" in (refused.out + refused.err).lower()
    full.alpha.run("scancel", job)
    done.wait(20)


# -- faults


def test_flurm_side_is_away(full):
    """Accepted, kept, delivered when it is back; the rest goes on."""
    full.flurm.gateway.kill()
    job = full.alpha.sbatch(user=USER, script=script(full))
    wait_until(lambda: full.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: states.get("delivering"), what="kept")
    full.flurm.gateway.start()
    wait_started(full, job)
    wait_until(lambda: full.alpha.job_state(job),
               lambda state: state == "REVOKED", what="told")


@pytest.mark.parametrize("who", ["plugin", "gateway", "origin"])
def test_kill_while_it_runs(full, who):
    """kill -9 of either end: it runs on, ends once, and is told as it was."""
    origin = full.beta if who == "origin" else full.alpha
    job = origin.sbatch(user=USER, script=script(
        full, f"while [ ! -e {full.work}/go-{who} ]; do sleep 0.1; done; "
        "exit 5"))
    wait_started(full, job)
    wait_until(lambda: origin.job_state(job),
               lambda state: state == "REVOKED", what="RV")
    origin.wait_saved(job)
    victim = full.flurm.gateway if who == "gateway" else origin.slurmctld
    victim.kill()
    victim.start()
    full.wait_linked(60)
    with open(f"{full.work}/go-{who}", "w"):
        pass
    wait_until(lambda: origin.job(job).get("ExitCode"),
               lambda code: code == "5:0", 40, "the exit code is told")
    assert starts(full, job) == [("flurm", 0)]


def test_flurm_loses_its_store(full):
    """What ran is not called completed; what waited is delivered again."""
    running = full.alpha.sbatch("--ntasks=16", user=USER,
                                script=script(full, "sleep 300"))
    wait_started(full, running)
    waiting = full.alpha.sbatch("--ntasks=16", user=USER,
                                script=script(full))
    full.flurm.gateway.wait_job(waiting, "pending")
    gateway = full.flurm.gateway
    gateway.kill()
    os.rename(gateway.state, gateway.state + ".lost")
    gateway.start()
    wait_started(full, waiting)
    wait_until(lambda: full.alpha.job_state(running),
               lambda state: state in ("REVOKED", "NODE_FAIL", "PENDING"),
               what="the other is not running")
    assert full.alpha.job(running)["ExitCode"] != "0:0" or \
        full.alpha.job_state(running) != "COMPLETED"


def test_races(jobs):
    """Room on all three at the same moment: each job starts once."""
    count = 300
    jobs_ids = []
    for origin in (jobs.alpha, jobs.beta):
        out = origin.run("sh", "-c", f"for i in $(seq {count // 2}); do "
                         "sbatch --parsable --output=/dev/null "
                         f"{_write(jobs, 'race.sh', script(jobs, 'sleep 2'))}; "
                         "done",
                         user=USER, timeout=120)
        jobs_ids += [int(line.split(";")[0]) for line in out.splitlines()]
    assert len(jobs_ids) == count
    seen = wait_until(lambda: {job: starts(jobs, job) for job in jobs_ids},
                      lambda seen: all(seen.values()), 120,
                      "all have started")
    assert all(len(each) == 1 for each in seen.values())
    clusters = {each[0][0] for each in seen.values()}
    assert clusters == {"alpha", "beta", "flurm"}


def _write(stack, name, text):
    path = os.path.join(stack.work, name)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path
