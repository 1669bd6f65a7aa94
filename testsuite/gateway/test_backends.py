"""What every backend does alike: routes, answers and events."""
import pytest

from gw import Api, Gateway, spec, wait_for

# of an op on a job: method, what follows the id, and its least body
OPS = [
    ("GET", "", None),
    ("DELETE", "", None),
    ("PATCH", "", {}),
    ("POST", "/hold", {}),
    ("POST", "/release", {}),
    ("POST", "/suspend", {}),
    ("POST", "/resume", {}),
    ("POST", "/signal", {"signal": 10}),
    ("POST", "/requeue", {}),
    ("POST", "/start", {"grant": True}),
    ("POST", "/revoke", {}),
    ("POST", "/notify", {"text": "hello"}),
]


@pytest.fixture(scope="module", autouse=True)
def quiet_stream():
    """Of another one where nothing happens, while all the tests run."""
    quiet = Gateway().start()
    events = quiet.events()
    yield events
    events.close()
    quiet.stop()


@pytest.fixture
def each_api(each_backend):
    api = each_backend.api()
    yield api
    api.close()


# with backend sim too, which draws by lot what a script does not say
AT_ONCE = "#FLURM sim duration=0 exit=0\nexit 0"


def request(api, op, job, epoch):
    method, verb, body = op
    query = f"?epoch={epoch}" if method == "DELETE" else ""
    return api.request(method, f"/api/v1/jobs/{job}{verb}{query}",
                       None if body is None else body | {"epoch": epoch})


@pytest.mark.parametrize("op", OPS, ids=lambda op: op[0] + op[1])
def test_op_on_no_job_or_another_epoch(each_api, op):
    reply = request(each_api, op, 0x7fffffff, 1)
    assert reply.status == 404 and reply.json["error"] == "no_such_job"
    for bad in ("0", "-1", "x", "4294967296", "1.5", "%20"):
        assert request(each_api, op, bad, 1).status == 400, bad
    if op[0] == "GET":
        return
    job = each_api.submit(spec(hold=True, epoch=3))
    for epoch in (2, 4):
        reply = request(each_api, op, job, epoch)
        assert reply.status == 409, reply
        assert reply.json["error"] == "epoch_conflict"
        assert reply.json["epoch"] == 3 and reply.json["state"] == "held"
    for bad in ("x", -1, 2 ** 32):
        assert request(each_api, op, job, bad).status == 400
    each_api.cancel(job, epoch=3)


@pytest.mark.parametrize("op", [op for op in OPS if op[2] is not None],
                         ids=lambda op: op[0] + op[1])
def test_op_without_what_it_needs(each_api, op):
    method, verb, body = op
    job = each_api.submit(spec(hold=True))
    whole = body | {"epoch": 1}
    for name in whole:
        part = {key: value for key, value in whole.items() if key != name}
        other = 5 if isinstance(whole[name], str) else "text"
        for wrong in (part, whole | {name: []}, whole | {name: {"a": 1}},
                      whole | {name: other}):
            reply = each_api.request(method, f"/api/v1/jobs/{job}{verb}",
                                     wrong)
            assert reply.status == 400, (wrong, reply)
            assert name in reply.json["reason"], (wrong, reply)
    each_api.cancel(job)


def test_unknown_routes_and_fields(each_api):
    for path in ("/", "/api", "/api/v2/jobs", "/api/v1/job",
                 "/api/v1/jobs/1/dance", "/api/v1/jobs/1/start/now",
                 "/api/v1//jobs", "/api/v1/jobs/"):
        reply = each_api.get(path)
        assert reply.status == 404 and reply.json["error"] == "no_such_route"
    job = each_api.submit(spec(hold=True) | {"of_tomorrow": {"a": [1]}})
    assert each_api.get(f"/api/v1/jobs/{job}?of=tomorrow").status == 200
    assert "of_tomorrow" not in each_api.job(job)
    each_api.cancel(job)


def test_a_job_tells_all_that_it_was_told(each_api):
    """Every field of a spec comes back, but script and environment."""
    told = spec(
        hold=True, account="a", qos="q", wckey="w", argv=["1"],
        std_in="/i", std_err="/e", open_mode="append", partition="long",
        features="fast", num_nodes=1, max_nodes=1, num_tasks=2,
        ntasks_per_node=2, num_cpus=2, cpus_per_task=1, memory_mb=10,
        tmp_disk_mb=1, exclusive=False, submit_time=1, begin_time=1,
        deadline=4102444800, time_limit=60, time_min=30, priority=5, nice=-1,
        dependency="", requeue=True, start_gate=True, warn_signal=10,
        warn_time=5, array_job_id=1, array_task_id=2, array_task_count=3,
        array_task_min=0, array_task_max=9, array_task_step=1,
        comment="c")
    job = each_api.submit(told)
    seen = each_api.job(job)
    hidden = {"script", "environment"}
    for name in set(told) - hidden - {"submit_time", "hold", "dependency"}:
        assert seen.get(name) == told[name], name
    assert not hidden & set(seen)
    each_api.cancel(job)


def test_health(each_backend, each_api):
    health = each_api.get("/api/v1/health").json
    assert health["status"] == "ok" and health["cluster"] == "flurm"
    assert health["api"] == 1 and health["instance_id"]
    assert set(health["capabilities"]) == {
        "gate", "batch", "events", "nodes", "update", "suspend"}


def test_nodes_partitions_and_stats_agree(each_api):
    nodes = each_api.get("/api/v1/nodes").json
    partitions = each_api.get("/api/v1/partitions").json
    stats = each_api.get("/api/v1/cluster/stats").json
    assert stats["node_count"] == len(nodes)
    assert stats["cpu_count"] == sum(node["cpus"] for node in nodes)
    assert [part["name"] for part in partitions] == ["debug", "long"]
    assert [part["default"] for part in partitions] == [True, False]
    assert partitions[0]["max_time"] == 86400
    assert partitions[1]["max_time"] == "unlimited"
    assert all(node["partitions"] == "debug,long" for node in nodes)


def test_pages(each_api):
    jobs = [each_api.submit(spec(hold=True)) for _ in range(7)]
    first = each_api.get("/api/v1/jobs?limit=3&state=held").json
    assert len(first["jobs"]) == 3 and first["complete"] and first["next"]
    found = each_api.jobs(limit=2, state="held,pending")
    assert {job["fed_job_id"] for job in found} >= set(jobs)
    assert len(found) == len({job["fed_job_id"] for job in found})
    one = each_api.job(jobs[0])
    same = each_api.get(f"/api/v1/jobs?job_id={one['job_id']}").json
    assert same["fed_job_id"] == jobs[0]
    for bad in ("limit=0", "limit=x", "after=-1", "state=dancing",
                "job_id=0"):
        assert each_api.get(f"/api/v1/jobs?{bad}").status == 400, bad
    for job in jobs:
        each_api.cancel(job)


def test_repeated_submission(each_api):
    job = spec(hold=True)
    first, again = (each_api.post("/api/v1/jobs", job) for _ in range(2))
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    each_api.cancel(job["fed_job_id"])
    third = each_api.post("/api/v1/jobs", job)
    assert third.status == 200 and third.json["state"] == "cancelled"


def test_events(each_backend, each_api):
    events = each_backend.events()
    job = each_api.submit(spec(hold=True))
    told = events.wait("submitted", job)
    assert told["job_id"] == each_api.job(job)["job_id"]
    each_api.cancel(job)
    events.wait("ended", job)
    events.close()
    assert each_backend.events(after="x").status == 400


def test_life(each_api, each_backend):
    """Asked, told to wait, asked again, granted, over."""
    events = each_backend.events()
    job = each_api.submit(spec(AT_ONCE, start_gate=True))
    events.wait("start_request", job)
    assert each_api.start(job, grant=False,
                          retry_after=0).json["state"] == "pending"
    events.wait("start_request", job)
    assert each_api.start(job, attempt=2).status == 200
    events.wait("started", job)
    ended = events.wait("ended", job)
    assert ended["state"] == "completed" and ended["exit_code"] == 0
    assert each_api.job(job)["state"] == "completed"
    events.close()


def conflicts(reply, state):
    """It was for another attempt, and has changed nothing."""
    return (reply.status, reply.json["error"], reply.json["state"]) == \
        (409, "attempt_conflict", state)


def test_an_answer_is_for_one_attempt(each_api, each_backend):
    events = each_backend.events()
    job = each_api.submit(spec(AT_ONCE, start_gate=True))
    assert "attempt" not in events.wait("submitted", job)
    assert events.wait("start_request", job)["attempt"] == 1
    assert each_api.job(job)["attempt"] == 1
    assert conflicts(each_api.start(job, attempt=2), "starting")
    assert conflicts(each_api.start(job, attempt=None), "starting")
    each_api.start(job, grant=False, retry_after=0)
    assert events.wait("start_request", job)["attempt"] == 2
    # what was said to the first one comes late, or again
    for late in ({"grant": True}, {"grant": False}, {"grant": True}):
        assert conflicts(each_api.start(job, retry_after=9, **late),
                         "starting")
    assert each_api.job(job)["attempt"] == 2
    assert each_api.start(job, attempt=2).status == 200
    assert events.wait("ended", job)["exit_code"] == 0
    assert conflicts(each_api.start(job, grant=False, attempt=1), "completed")
    assert conflicts(each_api.start(job, attempt=1), "completed")
    assert events.of(job) == ["submitted", "start_request", "start_request",
                              "started", "ended"]
    for bad in (-1, "1", 2 ** 32, 1.5, True):
        assert each_api.start(job, attempt=bad).status == 400
    # the next epoch counts anew
    again = spec(AT_ONCE, fed_job_id=job, epoch=2, start_gate=True)
    each_api.submit(again)
    assert events.wait("start_request", job)["attempt"] == 1
    each_api.cancel(job, epoch=2)
    events.close()


def test_heartbeat(quiet_stream):
    wait_for("a heartbeat", lambda: quiet_stream.heartbeats, 10)
