"""A job of a native cluster that FLURM runs, or might have run: its life without
accidents, as all clusters and the job itself tell it.

Whatever else happens, a job starts once per submission: the fixture looks.
"""
import os

import pytest

from stack import GONE, wait_until

USER = "daemon"
LONG = "#!/bin/sh\nexec sleep 300\n"


def other_of(stack, origin):
    return next(cluster for cluster in stack.clusters.values()
                if cluster is not origin)


def exit_code(cluster, job, want):
    wait_until(lambda: cluster.job(job).get("ExitCode"),
               lambda code: code in want.split("|"), 20,
               f"{cluster.name} knows that job {job} ended with {want}")


def flurm_has_told(stack):
    """Nothing is owed to anybody any more."""
    wait_until(lambda: stack.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: set(states) <= {"gone"}, 20, "all is told")


# -- who runs it


@pytest.mark.parametrize("origin", ["alpha", "beta"])
def test_runs_at_flurm(full, origin):
    """RV at the origin, gone at the sibling, output and exit code right."""
    origin = full.clusters[origin]
    other = other_of(full, origin)
    job = origin.sbatch(user=USER, script=full.witness.script(
        f'echo "$(id -un) in $PWD"\n{full.witness.until_released}exit 7'))
    full.wait_states(job, flurm="running",
                     **{origin.name: "REVOKED", other.name: GONE})
    seen = origin.job(job)
    assert seen["FedActiveSiblings"] == "flurm"
    assert seen["StartTime"] != "Unknown"
    full.witness.release(job)
    exit_code(origin, job, "7:0")
    full.wait_states(job, flurm="failed",
                     **{origin.name: "REVOKED", other.name: GONE})
    assert full.witness.starts(job) == [("flurm", 0)]
    path = os.path.join(full.work, f"{job}.out")
    with open(path) as out:
        assert out.read() == f"daemon in {full.work}\n"
    assert os.stat(path).st_uid == 1
    flurm_has_told(full)


@pytest.mark.parametrize("origin", ["alpha", "beta"])
@pytest.mark.parametrize("runner", ["alpha", "beta"])
def test_a_native_runs_it_and_flurm_lets_go(jobs, origin, runner):
    """FLURM has no room. The one that has is the origin, or its sibling."""
    filler = jobs.fill_flurm()
    origin, runner = jobs.clusters[origin], jobs.clusters[runner]
    job = origin.sbatch("--ntasks=2", user=USER,
                        script=jobs.witness.script("sleep 1"))
    jobs.wait_states(job, flurm="pending", alpha="PENDING", beta="PENDING")
    runner.scontrol("update", f"nodename={runner.name}1", "state=resume")
    runner.wait_job(job, "RUNNING", "COMPLETED")
    jobs.wait_states(job, flurm="revoked")
    runner.wait_job(job, "COMPLETED")
    for cluster in jobs.clusters.values():
        if cluster is not runner:
            jobs.wait_states(job, **{cluster.name: GONE})
    assert jobs.witness.starts(job) == [(runner.name, 0)]
    assert jobs.flurm.gateway.job(filler)["state"] == "running"
    flurm_told = jobs.flurm.flurmfed("job", str(job))
    assert "running" not in flurm_told and "gone" in flurm_told


def test_flurm_waits_for_room(full):
    """It has none now, and runs the job when it has."""
    filler = full.fill_flurm()
    job = full.beta.sbatch("--ntasks=16", user=USER,
                           script=full.witness.script())
    full.wait_states(job, flurm="pending", alpha="PENDING", beta="PENDING")
    full.alpha.run("scancel", str(filler))
    full.witness.wait_started(job)
    full.wait_states(job, flurm="completed", alpha=GONE, beta="REVOKED")


def test_races(jobs):
    """Room on all three at the same moment: each of 300 starts once."""
    count = 300
    path = os.path.join(jobs.work, "race.sh")
    with open(path, "w") as file:
        file.write(jobs.witness.script("sleep 1"))
    out = [origin.run("sh", "-c", f"seq {count // 2} | xargs -P 4 -I{{}} "
                      f"sbatch --parsable --output=/dev/null {path}",
                      user=USER, timeout=120)
           for origin in jobs.clusters.values()]
    ids = {int(line) for line in "".join(out).split()}
    assert len(ids) == count
    seen = wait_until(lambda: [line for line in jobs.witness.lines("start")
                               if line.job in ids],
                      lambda lines: len({line.job for line in lines}) == count,
                      120, "all have started")
    assert len(seen) == count
    assert {line.cluster for line in seen} == {"alpha", "beta", "flurm"}
    # and no cluster has one left
    for cluster in jobs.clusters.values():
        wait_until(lambda: cluster.run("squeue", "--local", "--noheader"),
                   lambda out: not out.strip(), 60, f"{cluster.name} is empty")
    wait_until(jobs.flurm.gateway.unfinished, lambda left: not left, 30,
               "FLURM is empty")
    flurm_has_told(jobs)


# -- how it ends


@pytest.mark.parametrize("how,code,state", [
    ("true", "0:0", "completed"), ("exit 255", "255:0", "failed"),
    ("kill -9 $$", "0:9", "failed"), ("kill -11 $$", "0:11", "failed")])
def test_its_end_is_told_as_it_was(full, how, code, state):
    job = full.beta.sbatch(user=USER, script=full.witness.script(how))
    full.wait_states(job, flurm=state, alpha=GONE, beta="REVOKED")
    exit_code(full.beta, job, code)


def test_environment_and_arguments_arrive(full):
    script = os.path.join(full.work, "greet.sh")
    with open(script, "w") as file:
        file.write('#!/bin/sh\necho "$GREETING $1 $2"\n')
    out = full.alpha.run("sbatch", "--parsable", "--output=%x-%u-%j.txt",
                         "--job-name=greet", "--export=ALL,GREETING=h\u00e4llo",
                         script, "to you", "$HOME", user=USER)
    job = int(out.split(";")[0])
    full.wait_states(job, flurm="completed")
    with open(os.path.join(full.work, f"greet-daemon-{job}.txt")) as file:
        assert file.read() == "h\u00e4llo to you $HOME\n"


# -- cancelled


def test_cancel_pending(full):
    """It is gone everywhere. (At a native sibling it would not be: Slurm ends
    that sibling's copy and the origin's then, and tells nobody else.)"""
    filler = full.fill_flurm()
    job = full.alpha.sbatch("--ntasks=16", user=USER,
                            script=full.witness.script())
    full.wait_states(job, flurm="pending", beta="PENDING")
    full.alpha.run("scancel", str(job), user=USER)
    full.wait_states(job, alpha="CANCELLED", beta=GONE, flurm="revoked")
    full.alpha.run("scancel", str(filler))
    full.flurm.gateway.wait_job(filler, "cancelled")
    flurm_has_told(full)
    assert not full.witness.starts(job)


@pytest.mark.parametrize("through", ["alpha", "beta"])
def test_cancel_running(full, through):
    """From any cluster; with children that ignore TERM."""
    job = full.alpha.sbatch(user=USER, script=full.witness.script(
        "trap '' TERM; sleep 300 & wait; sleep 300"))
    full.witness.wait_started(job)
    # a native that has not heard yet cancels its own copy, and the origin's
    full.wait_states(job, alpha="REVOKED", beta=GONE)
    full.clusters[through].run("scancel", str(job), user=USER)
    full.wait_states(job, flurm="cancelled", alpha="REVOKED")
    exit_code(full.alpha, job, "0:9|0:15")


def test_others_may_not_cancel(full):
    job = full.alpha.sbatch(user=USER, script=full.witness.script("sleep 1"))
    full.witness.wait_started(job)
    full.wait_states(job, alpha="REVOKED", beta=GONE)
    for cluster in full.clusters.values():
        assert cluster.run("scancel", str(job), user="nobody",
                           check=False).status
    full.wait_states(job, flurm="completed")
    exit_code(full.alpha, job, "0:0")


def test_signal_reaches_the_whole_job(full):
    job = full.alpha.sbatch(user=USER, script=full.witness.script(
        "trap 'echo got it; exit 3' USR1; while :; do sleep 0.1; done"))
    full.witness.wait_started(job)
    full.wait_states(job, alpha="REVOKED")
    full.alpha.run("scancel", "--signal=USR1", "--full", str(job), user=USER)
    exit_code(full.alpha, job, "3:0")
    with open(os.path.join(full.work, f"{job}.out")) as out:
        assert out.read().endswith("got it\n")


def test_signal_reaches_the_script_alone(full):
    """scancel --batch: its children hear nothing of it."""
    job = full.alpha.sbatch(user=USER, script=full.witness.script("""
trap 'echo script; kill -9 $child; exit 4' USR2
sh -c 'trap "echo child" USR2; while :; do sleep 0.1; done' & child=$!
while :; do sleep 0.1; done"""))
    full.witness.wait_started(job)
    full.wait_states(job, alpha="REVOKED")
    full.alpha.run("scancel", "--signal=USR2", "--batch", str(job), user=USER)
    exit_code(full.alpha, job, "4:0")
    with open(os.path.join(full.work, f"{job}.out")) as out:
        assert out.read() == "script\n"


def test_cancel_of_one_sibling(full):
    """scancel --sibling=flurm: it runs elsewhere."""
    full.fill_flurm()
    job = full.alpha.sbatch("--ntasks=16", user=USER,
                            script=full.witness.script())
    full.wait_states(job, flurm="pending", beta="PENDING")
    full.alpha.run("scancel", "--sibling=flurm", str(job), user=USER)
    full.wait_states(job, flurm="revoked", alpha="PENDING")
    full.natives("resume")
    wait_until(lambda: full.witness.starts(job), what="a native ran it")
    assert full.witness.starts(job)[0][0] in ("alpha", "beta")
    flurm_has_told_of(full, job)


def flurm_has_told_of(stack, job):
    wait_until(lambda: stack.flurm.flurmfed("job", str(job)).splitlines(),
               lambda lines: any(" gone" in line for line in lines),
               what=f"job {job} is gone at FLURM")


# -- what it waits for


def predecessor(stack, code, *options):
    """A job at FLURM that another waits for, and that one; its origin has seen
    that it waits, else Slurm would forget to give it to the siblings."""
    first = stack.alpha.sbatch(user=USER, script=stack.witness.script(
        f"{stack.witness.until_released}exit {code}"))
    second = stack.alpha.sbatch(*(option.format(first) for option in options),
                                user=USER, script=stack.witness.script())
    wait_until(lambda: stack.alpha.job(second)["Reason"],
               lambda reason: reason == "Dependency", what="it waits")
    stack.wait_states(first, flurm="running", alpha="REVOKED")
    assert not stack.flurm.gateway.job(second)
    return first, second


@pytest.mark.parametrize("kind,code", [
    ("afterok", 0), ("afternotok", 1), ("afterany", 1), ("after", 0)])
def test_dependency_on_a_job_at_flurm(full, kind, code):
    first, second = predecessor(full, code, f"--dependency={kind}:{{}}")
    full.witness.release(first)
    full.witness.wait_started(second)
    assert full.witness.starts(first) == [("flurm", 0)]
    full.wait_states(second, flurm="completed", alpha="REVOKED", beta=GONE)


def test_dependency_that_never_holds(full):
    """What waits for the success of a job that fails never starts."""
    first, second = predecessor(full, 1, "--dependency=afterok:{}",
                                "--kill-on-invalid-dep=yes")
    full.witness.release(first)
    full.wait_states(second, alpha="CANCELLED", timeout=60)
    assert not full.flurm.gateway.job(second)


def test_dependency_of_another_clusters_job(full):
    """beta's job waits for alpha's, which runs at FLURM."""
    first = full.alpha.sbatch(user=USER, script=full.witness.script("sleep 1"))
    second = full.beta.sbatch(f"--dependency=afterok:{first}", user=USER,
                              script=full.witness.script())
    # a native looks at what others wait for twice a minute
    full.witness.wait_started(second, timeout=90)
    ends = full.flurm.gateway.job(first)["end_time"]
    assert full.flurm.gateway.job(second)["start_time"] >= ends


# -- what FLURM does not run


def test_array_stays_at_its_origin(jobs):
    job = jobs.alpha.sbatch("--array=1-3", user=USER,
                            script=jobs.witness.script())
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
