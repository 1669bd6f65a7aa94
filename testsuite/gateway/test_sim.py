"""Backend sim: virtual nodes, virtual time, and what goes wrong on purpose."""
import json
import os
import subprocess
import time

import pytest

from gw import build_dir
from gw.api import Api
from gw.wait import wait_for

NEXT = iter(range(67108865, 67208865))


def spec(plan="duration=1000", **more):
    job = {"fed_job_id": next(NEXT), "epoch": 1, "user_id": 1000,
           "group_id": 1000, "start_gate": False, "time_limit": 36000,
           "script": f"#!/bin/sh\n#FLURM sim {plan}\n"}
    job.update(more)
    return job


@pytest.fixture
def sim(make_gateway):
    gateway = make_gateway(backend="sim", sim_nodes=4, sim_cpus=8,
                           sim_memory_mb=1000).start()
    gateway.client = gateway.api()
    yield gateway
    gateway.client.close()


def debug(gateway, **command):
    reply = gateway.client.post("/api/v1/debug", command)
    assert reply.status == 200, reply
    return reply.json


def over(gateway, plan, advance=None, **more):
    """How a job with this plan ends, when time leaps."""
    api = gateway.client
    job = api.submit(spec(plan, **more))
    if advance:
        api.wait_state(job, "running")
        debug(gateway, advance=advance)
    return api.wait_over(job)


def test_it_exists_here_alone(gateway):
    assert gateway.api().post("/api/v1/debug").status == 404


def test_plans(sim):
    job = over(sim, "duration=500 exit=3 rss=77", advance=500)
    assert job["state"] == "failed"
    assert (job["exit_code"], job["signal"]) == (3, 0)
    assert job["usage"]["max_rss_kb"] == 77
    job = over(sim, "duration=500", advance=500)
    assert (job["state"], job["exit_code"]) == ("completed", 0)
    job = over(sim, "duration=500 signal=11", advance=500)
    assert (job["state"], job["signal"]) == ("failed", 11)
    job = over(sim, "duration=500 oom=100", advance=100)
    assert (job["state"], job["signal"]) == ("out_of_memory", 9)
    job = over(sim, "duration=500", advance=60, time_limit=60)
    assert (job["state"], job["signal"]) == ("timeout", 15)
    job = over(sim, "duration=0.01")
    assert job["state"] == "completed"


def test_bad_plans_are_refused(sim):
    for plan in ("duratoin=3", "duration=-1", "duration=x", "exit=256",
                 "exit", "term=never", "x" * 600):
        reply = sim.client.post("/api/v1/jobs", spec(plan))
        assert reply.status == 422, (plan, reply)
        assert "#FLURM sim" in reply.json["reason"]


def test_lots_are_the_same_after_a_restart(make_gateway):
    gateway = make_gateway(backend="sim", sim_nodes=50, sim_cpus=8,
                           sim_duration=10000, sim_failures=30).start()
    gateway.client = gateway.api()
    jobs = [gateway.client.submit(spec(script="#!/bin/sh\n",
                                       time_limit=86400))
            for _ in range(100)]
    for job in jobs:
        gateway.client.wait_state(job, "running")
    gateway.kill()
    gateway.client.close()
    gateway.client = gateway.start().api()
    debug(gateway, advance=10000)

    def over_now():
        return sum(gateway.client.job(job)["state"] != "running"
                   for job in jobs)
    # of an exponential distribution two thirds are over after its mean
    wait_for("half of them are over", lambda: over_now() >= 45)
    assert over_now() <= 80
    debug(gateway, advance=1000000)
    ends = [gateway.client.wait_over(job)["state"] for job in jobs]
    assert 15 <= ends.count("failed") <= 45
    assert ends.count("failed") + ends.count("completed") == 100


def test_signals_and_cancel(sim):
    api = sim.client
    job = api.submit(spec("duration=1000 term=ignore"))
    api.wait_state(job, "running")
    assert api.op(job, "signal", signal=15).status == 200
    assert api.op(job, "signal", signal=10).status == 200
    time.sleep(0.2)
    assert api.job(job)["state"] == "running"
    assert api.cancel(job).status == 200
    time.sleep(0.2)
    assert api.job(job)["state"] in ("running", "completing")
    debug(sim, advance=10)      # kill_wait
    job = api.wait_over(job)
    assert (job["state"], job["signal"]) == ("cancelled", 9)
    job = api.submit(spec())
    api.wait_state(job, "running")
    api.op(job, "signal", signal=2)
    assert api.wait_over(job)["signal"] == 2


def test_suspended_time_does_not_count(sim):
    api = sim.client
    job = api.submit(spec("duration=100"))
    api.wait_state(job, "running")
    assert api.op(job, "suspend").json["state"] == "suspended"
    time.sleep(0.1)
    debug(sim, advance=1000)
    time.sleep(0.2)
    assert api.job(job)["state"] == "suspended"
    assert api.op(job, "resume").json["state"] == "running"
    time.sleep(0.2)
    assert api.job(job)["state"] == "running"
    debug(sim, advance=100)
    assert api.wait_over(job)["state"] == "completed"


def test_starts_that_fail(make_gateway):
    gateway = make_gateway(backend="sim", start_attempts=3).start()
    api, events = gateway.api(), gateway.events()
    job = api.submit(spec("duration=0 start_fails=1"))
    events.wait("start_failed", job)
    events.wait("started", job)
    assert events.wait("ended", job)["state"] == "completed"
    events.close()


def test_nodes_go_down(sim):
    api = sim.client
    jobs = [api.submit(spec(num_cpus=8)) for _ in range(4)]
    for job in jobs:
        api.wait_state(job, "running")
    reply = api.post("/api/v1/debug", {"node": {"name": "sim9", "up": True}})
    assert reply.status == 400
    debug(sim, node={"name": "sim2", "up": False, "reason": "flooded"})
    wait_for("its job ends", lambda: sum(
        api.job(job)["state"] == "node_fail" for job in jobs) == 1)
    node = [n for n in api.get("/api/v1/nodes").json if n["name"] == "sim2"]
    assert (node[0]["state"], node[0]["reason"]) == ("down", "flooded")
    waiting = api.submit(spec(num_cpus=8))
    time.sleep(0.3)
    assert api.job(waiting)["state"] == "pending"
    debug(sim, node={"name": "sim2", "up": True})
    api.wait_state(waiting, "running")


def test_end_now(sim):
    job = sim.client.submit(spec())
    sim.client.wait_state(job, "running")
    debug(sim, end={"fed_job_id": job, "exit": 5})
    assert sim.client.wait_over(job)["exit_code"] == 5


def test_faults(sim):
    api = sim.client
    assert debug(sim)["refuse"]["share"] == 0
    debug(sim, refuse={"share": 1, "status": 429, "retry_after": 2})
    reply = api.get("/api/v1/jobs")
    assert (reply.status, reply.headers["Retry-After"]) == (429, "2")
    debug(sim, refuse={"share": 0}, delay_ms=300)
    began = time.monotonic()
    job = api.submit(spec())
    assert time.monotonic() - began >= 0.3
    debug(sim, delay_ms=0, lose=1)
    lost = Api(sim.port, sim.token())
    with pytest.raises(Exception, match="POST"):
        lost.post("/api/v1/jobs", spec(fed_job_id=job + 5000))
    debug(sim, lose=0)
    # it was done all the same
    assert api.job(job + 5000)["state"] in ("pending", "running")
    debug(sim, duplicate=1)
    events = sim.events()
    first, second = events.next(5), events.next(5)
    assert first == second
    events.close()
    for bad in ({"lose": 2}, {"lose": "x"}, {"refuse": {"status": 200}},
                {"delay_ms": -1}, {"restart": True}, {"advance": "x"}):
        assert api.post("/api/v1/debug", bad).status == 400, bad


def test_restart(sim):
    instance = sim.client.get("/api/v1/health").json["instance_id"]
    job = sim.client.submit(spec())
    sim.client.wait_state(job, "running")

    def again(forget):
        debug(sim, restart={"forget": forget})
        sim.client.close()
        time.sleep(0.5)
        return wait_for("it is back", lambda: _health(sim))
    assert again(False) == instance
    assert sim.client.job(job)["state"] == "running"
    assert again(True) != instance
    assert sim.client.get(f"/api/v1/jobs/{job}").status == 404


def _health(gateway):
    try:
        return gateway.client.get("/api/v1/health").json["instance_id"]
    except OSError:
        return None
    except Exception:       # http.client has many
        return None


def test_the_client_comes_through(make_gateway):
    """The real client, 3000 jobs, and everything goes wrong at once."""
    program = f"{build_dir()}/testsuite/bench/flurm_bench"
    if not os.path.exists(program):
        pytest.skip("flurm_bench is not built")
    gateway = make_gateway(backend="sim", sim_nodes=100, sim_cpus=8,
                           gate_ask_again=1).start()
    gateway.settings["listen"] = f"127.0.0.1:{gateway.port}"
    gateway.client = gateway.api()
    debug(gateway, refuse={"share": 0.05, "status": 503}, lose=0.05,
          duplicate=0.2, delay_ms=5)
    for batch_ops in (1, 64):
        first = next(NEXT) + 10000 * batch_ops
        client = subprocess.Popen(
            [program, "-c", "-n", "3000", "-w", "500", "-b", str(batch_ops),
             "-i", str(first), f"http://127.0.0.1:{gateway.port}"],
            stdout=subprocess.PIPE, text=True,
            env={"FLURM_TOKEN": gateway.token(), "ASAN_OPTIONS":
                 "detect_leaks=0"})
        for _ in range(3):
            time.sleep(0.3)
            gateway.kill()
            gateway.start()
            gateway.client.close()
            gateway.client = gateway.api()
            debug(gateway, refuse={"share": 0.05, "status": 503}, lose=0.05,
                  duplicate=0.2, delay_ms=5)
        out = client.communicate(timeout=240)[0]
        assert client.returncode == 0, out
        assert "checked 3000 wrong 0 gaps 0" in out, out
    assert json.loads(gateway.client.get("/api/v1/health").body)
