"""kill -9 of the gateway: nothing that was answered is lost or done twice."""
import collections
import random
import threading
import time

import pytest

from gw import Sibling, sanitized, spec, wait_for
from gw.job import next_id

# with a sanitizer it takes ten times as long to start
KILLS = 50 if sanitized() else 200


def exit_code(fed_job_id):
    return fed_job_id % 5


def script(backend, gateway, fed_job_id):
    if backend == "sim":
        return f"#FLURM sim duration=0.02 exit={exit_code(fed_job_id)}"
    return (f"echo $SLURM_JOB_ID >>{gateway.work}/ran; sleep 0.02; "
            f"exit {exit_code(fed_job_id)}")


def submit_all(sibling, jobs, kills):
    """All along, so that every crash meets jobs in every state: the last of
    them after the last crash."""
    for count, job in enumerate(jobs):
        while count * KILLS > len(kills) * len(jobs):
            time.sleep(0.002)
        sibling.submit(job)


@pytest.mark.parametrize("backend, count", [("local", 500), ("sim", 2000)])
def test_killed_200_times_while_jobs_run(make_gateway, backend, count):
    gateway = make_gateway(backend=backend, cpus=12, cgroup="off",
                           sim_cpus=12).start()
    count = count * KILLS // 200
    ids = [next_id() for _ in range(count)]
    jobs = [spec(script(backend, gateway, job), fed_job_id=job,
                 start_gate=True) for job in ids]
    sibling = Sibling(gateway)
    chance = random.Random(1)
    kills = []
    submitter = threading.Thread(target=submit_all, daemon=True,
                                 args=(sibling, jobs, kills))
    submitter.start()

    while len(kills) < KILLS:
        # anywhere from before it listens to well after it works again
        time.sleep(chance.uniform(0.0, 0.06))
        gateway.kill()
        kills.append(sum(map(bool, map(sibling.over, ids))))
        if len(kills) == KILLS // 2:
            # in the middle of starting, too
            gateway.spawn()
            time.sleep(chance.uniform(0.0, 0.01))
            gateway.kill()
        gateway.start()
    # it was in the middle of things all along
    assert kills[-1] < count
    submitter.join(60)
    assert len(sibling.accepted) == count
    wait_for("all jobs are over", lambda: all(map(sibling.over, ids)), 60)
    sibling.stop()
    assert not sibling.wrong, sibling.wrong[:5]
    assert sibling.granted == set(ids)

    if backend == "local":
        with open(f"{gateway.work}/ran", encoding="utf-8") as file:
            times = collections.Counter(int(line) for line in file)
        assert {job: times[job] for job in ids if times[job] != 1} == {}
    listed = {job["fed_job_id"]: job for job in gateway.api().jobs()}
    for job in ids:
        assert_told_once_and_truly(sibling, job, listed[job])


def assert_told_once_and_truly(sibling, job, now):
    end, code = sibling.over(job), exit_code(job)
    state = "failed" if code else "completed"
    assert (end["state"], end["exit_code"], end["signal"]) == \
        (state, code, 0), end
    for name in ("state", "exit_code", "signal", "start_time", "end_time",
                 "job_id"):
        assert now[name] == end[name], (now, end)
    assert now["job_id"] == sibling.accepted[job]
    kinds = [event["type"] for event in sibling.view[job]]
    assert kinds.count("submitted") == kinds.count("started") == \
        kinds.count("ended") == 1, kinds
    assert kinds[0] == "submitted" and kinds[-2:] == ["started", "ended"]
