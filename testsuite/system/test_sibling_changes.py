"""A job of a native cluster is changed, held, requeued: what becomes of its copy
at FLURM, and of the job when FLURM runs it."""
import pytest

from stack import GONE, wait_until

USER = "daemon"


def waiting_job(stack, *options, **kw):
    """A job that waits everywhere, as nobody has room."""
    filler = stack.fill_flurm()
    job = stack.alpha.sbatch("--ntasks=16", *options, user=USER,
                             script=stack.witness.script(**kw))
    stack.wait_states(job, flurm="pending", alpha="PENDING", beta="PENDING")
    return filler, job


def again(cluster, job):
    """A requeued job waits for two minutes: let it begin now."""
    wait_until(lambda: cluster.job_state(job),
               lambda state: state == "PENDING", 20,
               f"job {job} is pending again")
    cluster.scontrol("update", f"jobid={job}", "starttime=now")


# -- requeued

TWICE = '[ "$SLURM_RESTART_COUNT" = 1 ] || '


@pytest.mark.parametrize("through", ["alpha", "beta"])
def test_requeue(full, through):
    """Killed there, in its queue here, and started once more."""
    job = full.alpha.sbatch("--requeue", user=USER,
                            script=full.witness.script(TWICE + "sleep 300"))
    full.witness.wait_started(job)
    full.wait_states(job, alpha="REVOKED", beta=GONE)
    full.clusters[through].scontrol("requeue", str(job))
    again(full.alpha, job)
    full.witness.wait_started(job, 2, 60)
    assert full.witness.starts(job) == [("flurm", 0), ("flurm", 1)]
    full.wait_states(job, flurm="completed", alpha="REVOKED", beta=GONE)
    assert full.alpha.job(job)["Restarts"] == "1"


def test_requeue_to_a_native(full):
    """The second run need not be where the first was."""
    job = full.alpha.sbatch("--requeue", user=USER,
                            script=full.witness.script(TWICE + "sleep 300"))
    full.witness.wait_started(job)
    full.wait_states(job, alpha="REVOKED")
    full.alpha.scontrol("requeue", str(job))
    full.flurm.gateway.wait_job(job, "cancelled", "pending", "starting")
    full.fill_flurm()
    full.beta.scontrol("update", "nodename=beta1", "state=resume")
    again(full.alpha, job)
    full.witness.wait_started(job, 2, 60)
    assert full.witness.starts(job) == [("flurm", 0), ("beta", 1)]
    full.wait_states(job, beta="COMPLETED", alpha="REVOKED")


def test_requeue_and_hold(full):
    job = full.alpha.sbatch("--requeue", user=USER,
                            script=full.witness.script(TWICE + "sleep 300"))
    full.witness.wait_started(job)
    full.wait_states(job, alpha="REVOKED")
    full.alpha.scontrol("requeuehold", str(job))
    full.wait_states(job, alpha="PENDING", flurm="cancelled")
    assert full.alpha.job(job)["Priority"] == "0"
    full.alpha.scontrol("release", str(job))
    again(full.alpha, job)
    full.witness.wait_started(job, 2, 60)
    full.wait_states(job, flurm="completed", alpha="REVOKED")


def test_requeue_because_of_its_exit_code(full):
    """RequeueExit: the origin decides, and submits the same id again."""
    job = full.alpha.sbatch("--requeue", user=USER,
                            script=full.witness.script(TWICE + "exit 99"))
    full.witness.wait_started(job)
    again(full.alpha, job)
    full.witness.wait_started(job, 2, 60)
    assert full.witness.starts(job) == [("flurm", 0), ("flurm", 1)]
    full.wait_states(job, flurm="completed", alpha="REVOKED", beta=GONE)


def test_hold_because_of_its_exit_code(full):
    """RequeueExitHold"""
    job = full.alpha.sbatch("--requeue", user=USER,
                            script=full.witness.script(TWICE + "exit 98"))
    full.witness.wait_started(job)
    wait_until(lambda: full.alpha.job(job), lambda seen:
               seen["JobState"] in ("PENDING", "SPECIAL_EXIT") and
               seen["Priority"] == "0", 20, "held")
    assert len(full.witness.starts(job)) == 1
    full.alpha.scontrol("release", str(job))
    again(full.alpha, job)
    full.witness.wait_started(job, 2, 60)
    full.wait_states(job, flurm="completed", alpha="REVOKED")


def test_cancelled_after_requeue(full):
    """It never starts a second time."""
    job = full.alpha.sbatch("--requeue", user=USER,
                            script=full.witness.script(TWICE + "sleep 300"))
    full.witness.wait_started(job)
    full.wait_states(job, alpha="REVOKED")
    full.alpha.scontrol("requeue", str(job))
    full.wait_states(job, alpha="PENDING")
    full.alpha.run("scancel", str(job))
    full.wait_states(job, alpha="CANCELLED", beta=GONE,
                     flurm=("cancelled", "revoked"))
    assert len(full.witness.starts(job)) == 1


# -- held


def test_hold_and_release(full):
    """FLURM lets go of a job that is held, and has it again."""
    filler, job = waiting_job(full)
    full.alpha.scontrol("hold", str(job))
    full.wait_states(job, flurm="revoked", beta=GONE, alpha="PENDING")
    full.alpha.run("scancel", str(filler))
    full.flurm.gateway.wait_job(filler, "cancelled")
    assert not full.witness.starts(job)
    full.alpha.scontrol("release", str(job))
    full.witness.wait_started(job)
    full.wait_states(job, flurm="completed", alpha="REVOKED", beta=GONE)


# -- changed


def test_update_of_a_job_that_waits(full):
    filler, job = waiting_job(full, "--time=10")
    full.alpha.scontrol("update", f"jobid={job}", "timelimit=5",
                        "jobname=other", "comment=changed", "nice=7")
    wait_until(lambda: full.flurm.gateway.job(job), lambda seen: (
        seen["time_limit"], seen["name"], seen["comment"], seen["nice"]) ==
        (300, "other", "changed", 7), what="FLURM heard of the change")
    full.alpha.run("scancel", str(filler))
    # the lock is not refused for long: the update was answered
    full.witness.wait_started(job)


def test_update_of_a_job_that_runs_there(full):
    """Changes at its origin alone, and does no harm: FLURM refuses it."""
    job = full.alpha.sbatch("--time=10", user=USER, script=full.witness.script(
        full.witness.until_released))
    full.witness.wait_started(job)
    full.wait_states(job, alpha="REVOKED")
    full.alpha.scontrol("update", f"jobid={job}", "timelimit=20")
    def refused():
        return full.alpha.slurmctld.logged(
            f"job {job} is running: only a waiting one can be changed")
    wait_until(refused, what="FLURM has refused the change")
    assert full.flurm.gateway.job(job)["time_limit"] == 600
    # and is not asked again
    wait_until(lambda: full.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: states.get("running") == 1, what="it runs")
    assert len(refused()) == 1
    full.witness.release(job)
    full.wait_states(job, flurm="completed", alpha="REVOKED")
    assert full.alpha.job(job)["ExitCode"] == "0:0"


def test_update_takes_flurm_away_and_gives_it_back(full):
    """scontrol update clusters="""
    filler, job = waiting_job(full)
    full.alpha.scontrol("update", f"jobid={job}", "clusters=alpha,beta")
    full.wait_states(job, flurm="revoked", alpha="PENDING", beta="PENDING")
    full.alpha.run("scancel", str(filler))
    full.flurm.gateway.wait_job(filler, "cancelled")
    assert not full.witness.starts(job)
    full.alpha.scontrol("update", f"jobid={job}", "clusters=alpha,flurm")
    full.witness.wait_started(job)
    full.wait_states(job, flurm="completed", alpha="REVOKED", beta=GONE)
