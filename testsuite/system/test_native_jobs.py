"""Native scheduling goes on as without FLURM, whose own side does not exist:
nothing listens at its Url."""
import re

import pytest

from stack import wait_until

pytestmark = [pytest.mark.fed_flurmd, pytest.mark.none]

QUICK = "#!/bin/sh\nexec sleep 1\n"
LONG = "#!/bin/sh\nexec sleep 300\n"


@pytest.fixture(params=["alpha", "beta"])
def native(fed, request):
    return fed.clusters[request.param]


def test_job_of_one_cluster_runs_there(native):
    job = native.sbatch(f"--clusters={native.name}")
    assert native.wait_job(job)["NodeList"] == f"{native.name}1"


def test_federated_job_runs_on_a_native(fed, native):
    job = native.sbatch()
    name, seen = fed.wait_done(job)
    assert name in ("alpha", "beta")
    assert seen["JobState"] == "COMPLETED"
    assert seen["FedOrigin"] == native.name
    assert set(seen["FedViableSiblings"].split(",")) == set(fed.members())


def test_federated_job_of_an_ordinary_user_runs(fed, native):
    job = native.sbatch(user="nobody", script="#!/bin/sh\nid -un\n")
    _, seen = fed.wait_done(job)
    assert seen["JobState"] == "COMPLETED"
    with open(fed.path("work", f"{job}.out")) as out:
        assert out.read() == "nobody\n"


def test_federated_job_goes_where_there_is_room(fed):
    """alpha is full, so its job runs on beta, and the other way round."""
    for full, free in ((fed.alpha, fed.beta), (fed.beta, fed.alpha)):
        filler = full.sbatch(f"--clusters={full.name}", "--exclusive",
                             script=LONG)
        full.wait_job(filler, "RUNNING")
        job = full.sbatch("--clusters=alpha,beta")
        name, seen = fed.wait_done(job)
        assert (name, seen["JobState"]) == (free.name, "COMPLETED")
        full.run("scancel", str(filler))
        full.wait_job(filler, "CANCELLED")


def test_failed_job_keeps_its_exit_code(fed, native):
    job = native.sbatch(script="#!/bin/sh\nexit 7\n")
    _, seen = fed.wait_done(job)
    assert (seen["JobState"], seen["ExitCode"]) == ("FAILED", "7:0")


def test_singleton_runs_after_its_namesake(fed):
    """Every sibling, FLURM too, must say that it has no such job."""
    pairs = [[native.sbatch(f"--job-name=single-{native.name}",
                            "--dependency=singleton", script=QUICK)
              for _ in range(2)] for native in fed.clusters.values()]
    for pair in pairs:
        first, second = (fed.wait_done(job)[1] for job in pair)
        assert (first["JobState"], second["JobState"]) == ("COMPLETED",) * 2
        assert first["EndTime"] <= second["StartTime"]


def test_array(native):
    job = native.sbatch("--array=1-3", script="#!/bin/sh\n"
                        'test -n "$SLURM_ARRAY_TASK_ID"\n')
    for task in range(1, 4):
        native.wait_job(f"{job}_{task}")


def test_held_job_waits_for_its_release(fed, native):
    job = native.sbatch("--hold")
    assert native.job(job)["Reason"] == "JobHeldUser"
    native.scontrol("release", str(job))
    assert fed.wait_done(job)[1]["JobState"] == "COMPLETED"


@pytest.mark.parametrize("kind,code,state", [
    ("afterok", 0, "COMPLETED"), ("afternotok", 1, "COMPLETED"),
    ("afterany", 1, "COMPLETED")])
def test_dependent_job_runs_after_its_predecessor(fed, native, kind, code,
                                                  state):
    first = native.sbatch(script=f"#!/bin/sh\nsleep 1\nexit {code}\n")
    second = native.sbatch(f"--dependency={kind}:{first}")
    before, after = (fed.wait_done(job)[1] for job in (first, second))
    assert after["JobState"] == state
    assert before["EndTime"] <= after["StartTime"]


def test_dependency_on_another_clusters_job(fed):
    first = fed.alpha.sbatch("--clusters=alpha", script=QUICK)
    second = fed.beta.sbatch(f"--dependency=afterok:{first}")
    _, before = fed.wait_done(first)
    _, after = fed.wait_done(second)
    assert after["JobState"] == "COMPLETED"
    assert before["EndTime"] <= after["StartTime"]


def test_srun(native):
    node = native.run("srun", "--ntasks=1", "printenv", "SLURMD_NODENAME")
    assert node.strip() in ("alpha1", "beta1")


def test_salloc(native):
    out = native.run("salloc", "--ntasks=1", "sh", "-c", "echo $SLURM_JOB_ID")
    assert re.match(r"\d+$", out.strip())


def test_pending_federated_job_is_cancelled_everywhere(fed, native):
    job = native.sbatch("--begin=now+1hour")
    native.wait_job(job, "PENDING")
    native.run("scancel", str(job))
    native.wait_job(job, "CANCELLED")


def test_running_federated_job_is_cancelled(fed, native):
    job = native.sbatch("--clusters=alpha,beta", script=LONG)
    wait_until(lambda: {c.job_state(job) for c in fed.clusters.values()},
               lambda states: "RUNNING" in states, what="the job runs")
    native.run("scancel", str(job))
    assert fed.wait_done(job)[1]["JobState"] == "CANCELLED"


def test_requeued_job_runs_again(fed, native):
    job = native.sbatch(f"--clusters={native.name}", "--requeue", script=LONG)
    native.wait_job(job, "RUNNING")
    native.scontrol("requeue", str(job))
    native.wait_job(job, "PENDING")
    # by itself it would wait for two minutes; within the second of its
    # first start slurmd would refuse its credential
    native.scontrol("update", f"jobid={job}", "starttime=now+3seconds")
    wait_until(lambda: native.job(job),
               lambda seen: (seen["JobState"], seen["Restarts"]) ==
               ("RUNNING", "1"), 30, "the job runs again")
    native.run("scancel", str(job))
    native.wait_job(job, "CANCELLED")


def test_links_are_up_after_all_that(fed):
    fed.wait_linked(15)
