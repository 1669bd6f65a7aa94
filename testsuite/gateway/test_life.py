"""A job's life over the API, with backend local."""
import os
import pwd
import stat
import time

import pytest

from gw import as_user, spec, wait_for


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def out(gateway, name):
    return f"{gateway.work}/{name}"


# -- the gate

def test_gate_wait_ask_again_grant(gateway, api, events):
    job = api.submit(spec("echo ran", start_gate=True,
                          std_out=out(gateway, "gate")))
    assert events.wait("submitted", job)["job_id"] > 0
    asked = events.wait("start_request", job)
    assert asked["nodes"] == "n1" and asked["cpus"] == 1
    assert asked["epoch"] == 1 and asked["attempt"] == 1
    assert api.job(job)["state"] == "starting"
    assert api.get("/api/v1/cluster/stats").json["available_cpus"] == 3

    # wait gives the resources back and it asks again after retry_after
    waited = time.time()
    reply = api.start(job, grant=False, retry_after=1)
    assert reply.status == 200 and reply.json["state"] == "pending"
    assert api.get("/api/v1/cluster/stats").json["available_cpus"] == 4
    assert api.start(job, grant=False, retry_after=1).status == 200
    assert events.wait("start_request", job)["attempt"] == 2
    assert time.time() - waited >= 0.9

    # a grant, and the same once more
    assert api.start(job, attempt=2).status == 200
    events.wait("started", job)
    assert api.start(job, attempt=2).status == 200
    ended = events.wait("ended", job)
    assert ended["state"] == "completed" and ended["exit_code"] == 0
    assert api.start(job, attempt=2).status == 200
    assert api.start(job, grant=False, attempt=2,
                     retry_after=1).status == 409
    assert read(out(gateway, "gate")) == "ran\n"
    assert events.of(job) == ["submitted", "start_request", "start_request",
                              "started", "ended"]


def test_nothing_runs_before_the_grant(gateway, api, events):
    mark = out(gateway, "too-early")
    job = api.submit(spec(f"touch {mark}", start_gate=True))
    events.wait("start_request", job)
    assert not os.path.exists(mark)
    api.start(job)
    events.wait("ended", job)
    assert os.path.exists(mark)


def test_grant_of_a_job_that_does_not_ask(api):
    job = api.submit(spec(hold=True, start_gate=True))
    assert api.start(job).status == 409
    assert api.start(job, epoch=2).status == 409
    assert api.start(job + 0x100000).status == 404
    assert api.cancel(job).json["state"] == "cancelled"
    assert api.start(job).status == 409


def test_revoke_before_and_after_the_grant(api, events):
    waiting = api.submit(spec(start_gate=True))
    events.wait("start_request", waiting)
    assert api.op(waiting, "revoke", reason="runs on native").json[
        "state"] == "revoked"
    ended = events.wait("ended", waiting)
    assert ended["state"] == "revoked"
    assert ended["reason"] == "runs on native"
    assert api.op(waiting, "revoke").status == 200
    assert api.start(waiting).status == 409

    running = api.submit(spec("sleep 30"))
    api.wait_state(running, "running")
    late = api.op(running, "revoke")
    assert late.status == 409 and late.json["state"] == "running"
    api.cancel(running, signal=9)
    api.wait_over(running)
    assert api.op(running, "revoke").status == 409

    held = api.submit(spec(hold=True))
    assert api.op(held, "revoke").json["state"] == "revoked"


def test_asks_again_without_an_answer(make_gateway):
    gateway = make_gateway(gate_ask_again=1, gate_patience=3,
                           gate_retry=1).start()
    api, events = gateway.api(), gateway.events()
    job = api.submit(spec(start_gate=True))
    assert events.wait("start_request", job)["attempt"] == 1
    assert events.wait("start_request", job)["attempt"] == 1
    # patience comes to an end: resources are given back, then it asks anew
    wait_for("it waits", lambda: api.job(job)["state"] == "pending", 6)
    assert "answered" in api.job(job)["reason"]
    while events.wait("start_request", job)["attempt"] == 1:
        pass
    assert api.job(job)["attempt"] == 2
    events.close()


def test_asks_again_when_the_client_is_back(make_gateway):
    gateway = make_gateway(gate_ask_again=600).start()
    api, events = gateway.api(), gateway.events()
    job = api.submit(spec(start_gate=True))
    asked = events.wait("start_request", job)
    events.close()
    # it says that it has heard the request, but has never answered
    events = gateway.events(after=asked["seq"])
    again = events.wait("start_request", job)
    assert again["seq"] > asked["seq"] and again["nodes"] == "n1"
    # a client that has not heard it gets the same one
    events.close()
    events = gateway.events(after=asked["seq"])
    assert events.wait("start_request", job)["seq"] == again["seq"]
    events.close()


# -- what runs, and as whom

def test_output_and_owner(gateway, api):
    job = api.submit(spec(
        "id -un; pwd; echo to-stderr >&2; cat; umask", name="a name",
        work_dir=gateway.work, std_out="%u-%x-%j.out",
        environment=["SLURM_UMASK=0027", "PATH=/usr/bin:/bin"]))
    done = api.wait_over(job)
    user = as_user().pw_name
    path = out(gateway, f"{user}-a name-{job}.out")
    assert done["state"] == "completed"
    assert read(path) == f"{user}\n{gateway.work}\nto-stderr\n0027\n"
    assert pwd.getpwuid(os.stat(path).st_uid).pw_name == user
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640


def test_default_output_and_separate_error(gateway, api):
    job = api.submit(spec("echo out; echo err >&2", work_dir=gateway.work,
                          std_out=None, std_err="e%j"))
    api.wait_over(job)
    assert read(out(gateway, f"slurm-{job}.out")) == "out\n"
    assert read(out(gateway, f"e{job}")) == "err\n"


def test_open_mode(gateway, api):
    path = out(gateway, "mode")
    for mode, expected in (("truncate", "x\n"), ("append", "x\nx\n"),
                           (None, "x\n")):
        api.wait_over(api.submit(spec("echo x", std_out=path,
                                      open_mode=mode)))
        assert read(path) == expected


def test_stdin_arguments_and_no_interpreter(gateway, api):
    with open(out(gateway, "in"), "w", encoding="utf-8") as file:
        file.write("from the file\n")
    path = out(gateway, "args")
    job = api.submit(spec(std_in=out(gateway, "in"), std_out=path,
                          argv=["one", "two three"],
                          script="cat; echo \"$# $2\"\n") | {
                              "script": "cat; echo \"$# $2\"\n"})
    assert api.wait_over(job)["state"] == "completed"
    assert read(path) == "from the file\n2 two three\n"


def test_script_that_is_not_utf8(gateway, api):
    import base64
    script = b"#!/bin/bash\nprintf '%s' '\xe4\xf6\xfc' | od -An -tx1\n"
    path = out(gateway, "latin1")
    job = spec(std_out=path)
    job["script"] = {"b64": base64.b64encode(script).decode()}
    api.submit(job)
    api.wait_over(job["fed_job_id"])
    assert read(path).split() == ["e4", "f6", "fc"]


def test_environment(gateway, api):
    path = out(gateway, "env")
    job = api.submit(spec(
        "env -0 | tr '\\n\\0' '|\\n'", name="env test", std_out=path,
        account="phys", num_tasks=2, cpus_per_task=2, num_cpus=None,
        memory_mb=100, partition="long", work_dir=gateway.work,
        environment=["MINE=a b=c", "SLURM_JOB_ID=1", "EMPTY=",
                     "LINES=1\n2"]))
    api.wait_over(job)
    env = dict(line.split("=", 1) for line in read(path).splitlines())
    user = as_user()
    expected = {
        "MINE": "a b=c", "EMPTY": "", "LINES": "1|2",
        "SLURM_JOB_ID": str(job), "SLURM_JOBID": str(job),
        "SLURM_CLUSTER_NAME": "flurm", "SLURM_JOB_PARTITION": "long",
        "SLURM_JOB_NAME": "env test", "SLURM_JOB_ACCOUNT": "phys",
        "SLURM_JOB_USER": user.pw_name, "SLURM_JOB_UID": str(user.pw_uid),
        "SLURM_CPUS_ON_NODE": "4", "SLURM_CPUS_PER_TASK": "2",
        "SLURM_NTASKS": "2", "SLURM_JOB_NODELIST": "n1",
        "SLURM_NODELIST": "n1", "SLURM_NNODES": "1",
        "SLURM_JOB_NUM_NODES": "1", "SLURM_TASKS_PER_NODE": "2",
        "SLURM_JOB_CPUS_PER_NODE": "4", "SLURM_MEM_PER_NODE": "100",
        "SLURM_SUBMIT_DIR": gateway.work, "SLURMD_NODENAME": "n1",
        "SLURM_PROCID": "0", "SLURM_NODEID": "0", "SLURM_LOCALID": "0",
        "USER": user.pw_name, "HOME": user.pw_dir, "ENVIRONMENT": "BATCH",
    }
    assert {name: env.get(name) for name in expected} == expected
    assert env["SLURM_TASK_PID"].isdigit()


def test_session_of_its_own(gateway, api):
    path = out(gateway, "session")
    api.wait_over(api.submit(spec("ps -o pid=,sid=,pgid= -p $$",
                                  std_out=path)))
    assert len(set(read(path).split())) == 1


# -- how it ends

@pytest.mark.parametrize("script, state, exit_code, signal", [
    ("exit 0", "completed", 0, 0),
    ("exit 3", "failed", 3, 0),
    ("exit 255", "failed", 255, 0),
    ("kill -9 $$", "failed", 0, 9),
    ("kill -SEGV $$", "failed", 0, 11),
    ("trap 'exit 7' USR1; kill -USR1 $$", "failed", 7, 0),
])
def test_exit(api, events, script, state, exit_code, signal):
    job = api.submit(spec(script))
    ended = events.wait("ended", job)
    assert (ended["state"], ended["exit_code"], ended["signal"]) == (
        state, exit_code, signal)
    assert ended["start_time"] <= ended["end_time"]
    seen = api.job(job)
    assert (seen["state"], seen["exit_code"], seen["signal"]) == (
        state, exit_code, signal)


def notify(api, job, text):
    return api.request("POST", f"/api/v1/jobs/{job}/notify",
                       {"epoch": 1, "text": text}).status


@pytest.mark.parametrize("own", [True, False], ids=["stderr", "stdout"])
def test_notices_are_in_its_output(gateway, api, own):
    path = out(gateway, f"notices-{own}")
    job = api.submit(spec("echo began >&2; sleep 60",
                          std_out="/dev/null" if own else path,
                          **{"std_err": path} if own else {}))
    api.wait_state(job, "running")
    wait_for("its script has begun", lambda: read(path))
    texts = ["hello", "", "two\nlines", "x" * 5000,
             "not ASCII: \u00e4 %s%n", *map(str, range(20))]
    for text in texts:
        assert notify(api, job, text) == 200
    # two that come at the same time are two children's
    wanted = sorted(line for text in texts
                    for line in f"flurm-gateway: {text}".split("\n"))
    wait_for("all are there", lambda: sorted(
        read(path).split("\n")[1:-1]) == wanted)
    assert read(path).startswith("began\n")
    api.cancel(job)
    assert api.wait_over(job)["state"] == "cancelled"
    assert notify(api, job, "too late") == 409


def test_usage(api):
    # the kernel ends it after a second of CPU time, however long that takes
    job = api.submit(spec("bash -c 'ulimit -t 1; while :; do :; done'; :"))
    usage = api.wait_over(job)["usage"]
    assert 700_000 < usage["user_us"] + usage["system_us"] < 3_000_000
    assert usage["max_rss_kb"] > 500


def test_time_limit(gateway, api):
    path = out(gateway, "limit")
    job = api.submit(spec("trap 'echo term' TERM; sleep 60 & wait; echo on; "
                          "trap '' TERM; while :; do sleep 0.1; done",
                          time_limit=1, std_out=path))
    done = api.wait_over(job)
    assert done["state"] == "timeout" and done["signal"] == 9
    assert read(path) == "term\non\n"


def test_warning_before_the_limit(gateway, api):
    """For the script alone, as sbatch --signal=B: has it."""
    path = out(gateway, "warn")
    job = api.submit(spec(
        "trap 'echo warned; kill -9 $child; exit' USR1; "
        "bash -c 'trap \"echo child\" USR1; while :; do sleep 0.05; done' & "
        "child=$!; while :; do sleep 0.05; done",
        std_out=path, time_limit=5, warn_signal=10, warn_time=4))
    assert api.wait_over(job)["state"] == "completed"
    assert read(path) == "warned\n"


def test_limits_of_the_environment(gateway, api):
    """As sbatch sends them: with a U those that --propagate named."""
    path = out(gateway, "limits")
    job = api.submit(spec(
        "ulimit -Sn; ulimit -Sc", std_out=path, environment=[
            "SLURM_RLIMIT_NOFILE=U123", "SLURM_RLIMIT_CORE=0"]))
    assert api.wait_over(job)["state"] == "completed"
    assert read(path) == "123\n0\n"


def test_reasons(api):
    for fields, reason in (({"hold": True}, "JobHeldUser"),
                           ({"dependency": "afterok:1"}, "Dependency"),
                           ({"begin_time": 4102444800}, "BeginTime")):
        job = api.submit(spec(**fields))
        assert api.job(job)["reason"] == reason
        api.cancel(job)


def test_memory_limit(api):
    job = api.submit(spec("exec /usr/bin/python3 -c 'import time\n"
                          "x = bytearray(300 << 20)\ntime.sleep(60)'",
                          memory_mb=100))
    assert api.wait_over(job)["state"] == "out_of_memory"


def test_cancel_pending(api, events):
    job = api.submit(spec(hold=True))
    reply = api.cancel(job)
    assert reply.status == 200 and reply.json["state"] == "cancelled"
    assert events.wait("ended", job)["state"] == "cancelled"
    again = api.cancel(job)
    assert again.status == 200 and again.json["state"] == "cancelled"


def test_cancel_running_with_children_that_ignore_term(gateway, api):
    pids = out(gateway, "pids")
    job = api.submit(spec(
        f"trap '' TERM; setsid bash -c \"trap '' TERM; echo \\$\\$ >>{pids}; "
        f"while :; do sleep 0.1; done\" & (bash -c \"trap '' TERM; echo "
        f"\\$\\$ >>{pids}; sleep 100\" & ) ; echo $$ >>{pids}; "
        "while :; do sleep 0.1; done"))
    wait_for("all three run", lambda: os.path.exists(pids) and
             len(read(pids).split()) == 3)
    assert api.cancel(job).status == 200
    assert api.job(job)["state"] == "completing"
    done = api.wait_over(job)
    assert done["state"] == "cancelled" and done["signal"] == 9
    for pid in read(pids).split():
        assert not os.path.exists(f"/proc/{pid}")


def test_cancel_kill_at_once(api):
    job = api.submit(spec("trap '' TERM; while :; do sleep 0.1; done"))
    api.wait_state(job, "running")
    api.cancel(job, signal=9)
    done = api.wait_over(job)
    assert (done["state"], done["signal"]) == ("cancelled", 9)


def test_children_are_killed_when_the_script_ends(gateway, api):
    path = out(gateway, "left")
    job = api.submit(spec(f"setsid sleep 1000 & echo $! >{path}; "
                          "(setsid nohup sleep 1001 >/dev/null 2>&1 & "
                          f"echo $! >>{path}); exit 0"))
    assert api.wait_over(job)["state"] == "completed"
    for pid in read(path).split():
        assert not os.path.exists(f"/proc/{pid}")


@pytest.mark.parametrize("scope, expected", [
    ("batch", {"shell"}),
    ("steps", {"child"}),
    (None, {"child"}),
    ("full", {"child", "shell"}),
])
def test_signal(gateway, api, scope, expected):
    path = out(gateway, f"signal-{scope}")
    job = api.submit(spec(
        "trap 'echo shell; got=1' USR1\n"
        "bash -c 'trap \"echo child; exit\" USR1; echo ready; "
        "while :; do sleep 0.05; done' &\n"
        "echo ready; while :; do sleep 0.05; done", std_out=path))
    wait_for("both are ready", lambda: os.path.exists(path) and
             read(path).count("ready") == 2)
    api.wait_state(job, "running")
    body = {"signal": 10} | ({"scope": scope} if scope else {})
    assert api.op(job, "signal", **body).status == 200

    def got():
        # beside what bash says of the sleep that it hits
        return [word for word in read(path).split()
                if word in ("child", "shell")]
    wait_for("it has arrived", lambda: expected <= set(got()))
    # once more to all, so that what did not come did not come late
    assert api.op(job, "signal", signal=10, scope="full").status == 200
    wait_for("it has arrived", lambda: got().count("shell") ==
             1 + ("shell" in expected))
    assert set(got()[:len(expected)]) == expected
    api.cancel(job, signal=9)
    api.wait_over(job)
    assert api.op(job, "signal", signal=10).status == 409


# -- holding, suspending, queueing

def test_hold_and_release(api, events):
    job = api.submit(spec(hold=True))
    assert api.job(job)["state"] == "held"
    assert api.op(job, "hold").status == 200
    assert api.op(job, "release").json["state"] == "pending"
    events.wait("released", job)
    assert events.wait("ended", job)["state"] == "completed"
    assert api.op(job, "release").status == 409
    assert api.op(job, "hold").status == 409


def test_hold_gives_resources_back(api, events):
    job = api.submit(spec(start_gate=True))
    events.wait("start_request", job)
    assert api.op(job, "hold").json["state"] == "held"
    events.wait("held", job)
    assert api.get("/api/v1/cluster/stats").json["available_cpus"] == 4
    assert api.start(job).status == 409
    api.op(job, "release")
    assert events.wait("start_request", job)["attempt"] == 2
    assert api.start(job).json["error"] == "attempt_conflict"
    api.start(job, attempt=2)
    assert events.wait("ended", job)["state"] == "completed"


def test_suspend_and_resume(gateway, api, events):
    path = out(gateway, "ticks")
    job = api.submit(spec("while :; do date +%s.%N; sleep 0.05; done",
                          std_out=path, time_limit=30))
    wait_for("it ticks", lambda: os.path.exists(path) and read(path))
    assert api.op(job, "suspend").json["state"] == "suspended"
    events.wait("suspended", job)
    assert api.op(job, "suspend").status == 200

    def still():
        before = read(path)
        time.sleep(0.3)
        return read(path) == before
    wait_for("it stands still", still)
    assert api.op(job, "resume").json["state"] == "running"
    events.wait("resumed", job)
    before = len(read(path))
    wait_for("it ticks again", lambda: len(read(path)) > before)
    # a suspended one can be cancelled
    api.op(job, "suspend")
    api.cancel(job)
    assert api.wait_over(job)["state"] == "cancelled"


def test_fifo_priority_and_backfill(make_gateway):
    gateway = make_gateway(cpus=2).start()
    api = gateway.api()
    events = gateway.events()
    first = api.submit(spec("sleep 30", time_limit=5))
    events.wait("started", first)
    wide = api.submit(spec(num_cpus=2, time_limit=60))
    long_one = api.submit(spec(time_limit=600))
    short = api.submit(spec(time_limit=2))
    # a priority stands for itself, whatever the nice value
    less = api.submit(spec(num_cpus=2, time_limit=60, priority=900,
                           nice=-500))
    urgent = api.submit(spec(num_cpus=2, time_limit=60, priority=1000))
    events.wait("ended", short)
    assert api.job(long_one)["state"] == "pending"
    api.cancel(first, signal=9)
    for job in (urgent, less, wide, long_one):
        events.wait("started", job)
    events.close()


def test_begin_time(api, events):
    begin = int(time.time()) + 2
    job = api.submit(spec(begin_time=begin))
    assert api.job(job)["state"] == "pending"
    assert events.wait("started", job)["start_time"] >= begin


def test_deadline(api, events):
    job = api.submit(spec(deadline=int(time.time()) + 1, hold=True))
    ended = events.wait("ended", job)
    assert ended["state"] == "cancelled" and "deadline" in ended["reason"]


def test_dependency_keeps_it_waiting(api, events):
    job = api.submit(spec(dependency="afterok:1"))
    assert api.job(job)["state"] == "pending"
    update = api.request("PATCH", f"/api/v1/jobs/{job}",
                         {"epoch": 1, "dependency": ""})
    assert update.status == 200
    assert events.wait("ended", job)["state"] == "completed"


def test_update(api, events):
    job = api.submit(spec("sleep 30", hold=True, partition="debug"))
    reply = api.request("PATCH", f"/api/v1/jobs/{job}", {
        "epoch": 1, "time_limit": 1, "partition": "long", "name": "new",
        "priority": 7})
    assert reply.status == 200 and reply.json["state"] == "held"
    assert events.wait("updated", job)["changes"] == {
        "time_limit": 1, "partition": "long", "name": "new", "priority": 7}
    seen = api.job(job)
    assert (seen["time_limit"], seen["partition"], seen["name"],
            seen["priority"]) == (1, "long", "new", 7)
    bad = api.request("PATCH", f"/api/v1/jobs/{job}",
                      {"epoch": 1, "partition": "nowhere"})
    assert bad.status == 422
    assert api.job(job)["partition"] == "long"
    api.op(job, "release")
    assert events.wait("ended", job)["state"] == "timeout"
    late = api.request("PATCH", f"/api/v1/jobs/{job}",
                       {"epoch": 1, "name": "x"})
    assert late.status == 409


def test_requeue(gateway, api, events):
    path = out(gateway, "requeue")
    job = api.submit(spec("echo run $SLURM_RESTART_COUNT; sleep 30",
                          std_out=path, open_mode="append"))
    wait_for("it runs", lambda: os.path.exists(path) and read(path))
    assert api.op(job, "requeue").status == 200
    assert api.op(job, "requeue").status == 200
    requeued = events.wait("requeued", job)
    assert requeued["epoch"] == 1
    assert events.wait("started", job)["epoch"] == 2
    wait_for("it runs again", lambda: read(path) == "run\nrun 1\n")
    assert api.op(job, "requeue", epoch=1).json["epoch"] == 2
    assert api.cancel(job, epoch=1).status == 409
    api.cancel(job, epoch=2, signal=9)
    assert events.wait("ended", job)["epoch"] == 2


def test_next_epoch(api, events):
    job = spec("exit 4")
    api.submit(job)
    assert events.wait("ended", job["fed_job_id"])["exit_code"] == 4
    first = api.post("/api/v1/jobs", job)
    assert first.status == 200 and first.json["state"] == "failed"
    again = api.post("/api/v1/jobs", job | {"epoch": 2})
    assert again.status == 201 and again.json["epoch"] == 2
    assert events.wait("ended", job["fed_job_id"])["epoch"] == 2
    late = api.post("/api/v1/jobs", job)
    assert late.status == 409 and late.json["error"] == "epoch_conflict"
    running = spec("sleep 30")
    api.submit(running)
    api.wait_state(running["fed_job_id"], "running")
    assert api.post("/api/v1/jobs", running | {"epoch": 2}).status == 409
    api.cancel(running["fed_job_id"], signal=9)
    api.wait_over(running["fed_job_id"])
    waiting = spec(hold=True)
    api.submit(waiting)
    assert api.post("/api/v1/jobs", waiting | {"epoch": 5}).status == 201
    assert api.job(waiting["fed_job_id"])["epoch"] == 5


# -- what cannot be

@pytest.mark.parametrize("fields, code, said", [
    ({"num_cpus": 5}, "too_large", "nodes"),
    ({"num_nodes": 2}, "too_large", "nodes"),
    ({"num_tasks": 3, "cpus_per_task": 2, "num_nodes": 1}, "too_large",
     "CPUs"),
    ({"memory_mb": 4001}, "too_large", "MB"),
    ({"memory_per_cpu_mb": 2000, "num_cpus": 3}, "too_large", "MB"),
    ({"partition": "nowhere"}, "unknown_partition", "nowhere"),
    ({"time_limit": 86401}, "not_acceptable", "time_limit"),
    ({"gres": "gpu:1"}, "not_acceptable", "gres"),
    ({"licenses": "matlab"}, "not_acceptable", "licenses"),
    ({"features": "slow"}, "not_acceptable", "features"),
    ({"work_dir": "relative"}, "not_acceptable", "work_dir"),
    ({"std_out": "%x" * 1000, "name": "y" * 60}, "not_acceptable", "std_out"),
])
def test_refused_at_once(api, fields, code, said):
    reply = api.post("/api/v1/jobs", spec(**fields))
    assert reply.status == 422, reply
    assert reply.json["error"] == code and said in reply.json["reason"]


def test_features_that_are_here(api):
    for features in ("fast", "fast&ssd", "slow|ssd"):
        assert api.wait_over(api.submit(spec(features=features)))[
            "state"] == "completed"


def test_failed_start_is_given_back_then_held(make_gateway):
    gateway = make_gateway(start_attempts=2, gate_retry=1).start()
    api, events = gateway.api(), gateway.events()
    job = api.submit(spec("touch never", std_out="/etc/not-mine",
                          start_gate=True))
    for attempt in (1, 2):
        assert events.wait("start_request", job)["attempt"] == attempt
        assert api.start(job, attempt=attempt).status == 200
        failed = events.wait("start_failed", job)
        assert failed["attempt"] == attempt
        assert "Permission denied" in failed["reason"]
        # the grant is used up: said again, it starts nothing
        assert api.start(job, attempt=attempt).status == 409
    held = events.wait("held", job)
    assert "Permission denied" in held["reason"]
    assert api.job(job)["state"] == "held"
    assert api.op(job, "release").status == 200
    assert events.wait("start_request", job)["attempt"] == 3
    assert api.start(job, attempt=2).json["error"] == "attempt_conflict"
    events.close()


def test_work_dir_that_is_not_here(gateway, api):
    path = out(gateway, "nodir")
    job = api.submit(spec("pwd", work_dir="/nowhere", std_out=path))
    assert api.wait_over(job)["state"] == "completed"
    assert "couldn't chdir" in read(path) and read(path).endswith("/tmp\n")


# -- many at once

def test_batch_of_1000(gateway, api):
    jobs = [spec("exit 0", hold=True) for _ in range(1000)]
    results = api.batch([{"op": "submit", **job} for job in jobs])
    assert [result["status"] for result in results] == [201] * 1000
    assert [result["fed_job_id"] for result in results] == \
        [job["fed_job_id"] for job in jobs]
    mixed = api.batch([
        {"op": "cancel", "fed_job_id": jobs[0]["fed_job_id"], "epoch": 1},
        {"op": "hold", "fed_job_id": 0x7000001, "epoch": 1},
        {"op": "dance"},
        {"op": "release", "fed_job_id": jobs[1]["fed_job_id"], "epoch": 2},
        {"op": "submit", **jobs[2]},
    ])
    assert [result["status"] for result in mixed] == [200, 404, 400, 409, 200]
    held = api.jobs(state="held", limit=300)
    ids = {job["fed_job_id"] for job in held}
    assert ids >= {job["fed_job_id"] for job in jobs[1:]}
    results = api.batch([{"op": "cancel", "fed_job_id": job["fed_job_id"],
                          "epoch": 1} for job in jobs])
    assert all(result["state"] == "cancelled" for result in results)
