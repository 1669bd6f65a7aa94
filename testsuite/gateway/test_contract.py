"""doc/flurm-api.yaml is true of the gateway: routes, answers, examples."""
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from gw.api import Api
from gw.gateway import TOP, Gateway

yaml = pytest.importorskip("yaml", reason="no python3-yaml")
from gw.contract import Contract, contains  # noqa: E402

contract = Contract()
# what every backend has
OPERATIONS = [entry for entry in contract.operations()
              if entry[2]["tags"] != ["debug"]]


def name(value):
    return value if isinstance(value, str) else ""


def path_of(template):
    return template.replace("{id}", "67199999").replace("{name}", "x")


def fits(template, path):
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)


@pytest.fixture(scope="module", params=["local", "sim"])
def settings(request):
    return {"backend": request.param, "sim_nodes": 1}


@pytest.fixture(scope="module")
def gateway(settings):
    gateway = Gateway(**settings)
    yield gateway.start()
    gateway.stop()


def test_the_page_is_up_to_date():
    result = subprocess.run([f"{TOP}/doc/api-page", "--check"],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_gateway_has_no_other_routes():
    with open(f"{TOP}/src/gateway/routes.c", encoding="utf-8") as file:
        text = file.read()
    served = set()
    for line in text.splitlines():
        for macro in ("ROUTE(", "PUBLIC("):
            if line.lstrip().startswith(macro + '"'):
                method, path = line.split('"')[1:4:2]
                served.add((method, path))
    assert served == {(method, path) for path, method, _ in
                      contract.operations()}


@pytest.mark.parametrize("path,method,op", OPERATIONS, ids=name)
def test_route(gateway, api, path, method, op):
    where = path_of(path)
    if op["tags"] == ["events"] and method == "GET":
        stream = gateway.events()
        assert stream.status == 200
        stream.close()
    else:
        body = {} if method in ("POST", "PATCH") else None
        reply = api.request(method, where, body)
        assert reply.status != 404 or \
            reply.json["error"] == "no_such_job", reply
        check(op, reply.status, reply.body)
    others = {"GET", "POST", "PATCH", "DELETE", "PUT"} - {
        m for p, m, _ in OPERATIONS if fits(p, where)}
    for other in sorted(others):
        reply = api.request(other, where, {})
        assert reply.status == 405, (other, reply)
        assert method in reply.headers["Allow"]
    assert api.get(where + "/x/y/z").status == 404


@pytest.mark.parametrize("path,method,op", OPERATIONS, ids=name)
def test_who_may(gateway, path, method, op):
    api = Api(gateway.port)
    reply = api.request(method, path_of(path), {} if method != "GET" else None)
    assert reply.status == (200 if op.get("security") == [] else 401)
    check(op, reply.status, reply.body)
    api.close()


@pytest.mark.parametrize("path,method,op", [
    entry for entry in OPERATIONS if entry[1] in ("POST", "PATCH")], ids=name)
def test_bad_bodies(api, path, method, op):
    for body in (b"", b"{", b"[]", b"7", b'{"epoch":1,"epoch":2}',
                 b"{}" * 2, b'{"a":"\\u0000"}', b"\xff" * 9, b"[" * 5000):
        reply = api.request(method, path_of(path), body)
        assert reply.status == 400, (body, reply)
        assert reply.json["error"] == "bad_request"
        assert reply.json["reason"]


def check(op, status, body):
    """The answer is what the contract says."""
    if status in (400, 401, 404):       # of every route
        wrong = contract.wrong(json.loads(body), {
            "$ref": "#/components/schemas/Error"})
    else:
        assert str(status) in op["responses"], (status, body)
        schema = contract.answer_schema(op, status)
        if not schema:
            return
        wrong = contract.wrong(json.loads(body), schema)
    wrong = list(wrong)
    assert not wrong, (wrong, body)


def run(example, url, auth):
    result = subprocess.run(
        ["bash", "-c", example], capture_output=True, check=False, timeout=30,
        env={"PATH": os.environ["PATH"], "URL": url, "AUTH": auth})
    return result.stdout


def test_examples(make_gateway, settings):
    """Every curl of the page, in order, says what it should."""
    if not shutil.which("curl"):
        pytest.skip("no curl")
    gateway = make_gateway(**settings).start()
    url = f"http://127.0.0.1:{gateway.port}"
    auth = f"Authorization: Bearer {gateway.token()}"
    stream = gateway.events()           # so that the first event is a job's
    instance = stream.wait("instance")
    gateway.api().post("/api/v1/federation/events/ack",
                       {"seq": instance["seq"]})
    stream.close()
    for path, method, op in contract.examples():
        wanted = op.get("x-says")
        deadline = time.monotonic() + 10
        while True:
            out = run(op["x-run"], url, auth)
            if path == "/metrics":
                assert int(out) > 5
                break
            answer = json.loads(out)
            if wanted is None or contains(answer, wanted):
                schema = contract.answer_schema(op, 200) or \
                    contract.answer_schema(op, 201)
                wrong = list(contract.wrong(answer, schema))
                assert not wrong, (method, path, wrong)
                break
            # a state may take a moment
            assert time.monotonic() < deadline, (method, path, answer, wanted)
            time.sleep(0.1)


def test_events_are_as_the_contract_says(make_gateway, settings):
    gateway = make_gateway(**settings).start()
    api, events = gateway.api(), gateway.events()
    api.submit({"fed_job_id": 67108865, "epoch": 0, "user_id": 65534,
                "group_id": 65534, "script": "#!/bin/sh\n#FLURM sim duration=0 exit=3\nexit 3\n",
                "work_dir": "/tmp", "std_out": "/dev/null"})
    events.wait("start_request", 67108865)
    api.start(67108865, epoch=0)
    events.wait("ended", 67108865)
    events.close()
    schema = {"$ref": "#/components/schemas/Event"}
    for event in events.seen:
        wrong = list(contract.wrong(event, schema))
        assert not wrong, (wrong, event)
