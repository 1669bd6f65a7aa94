"""Requests and jobs that mean harm: clear answers, and service goes on."""
import glob
import json
import os
import socket
import stat
import time

import pytest

from gw import Api, as_user, mint, sanitized, spec, wait_for


@pytest.fixture(autouse=True)
def service_goes_on(gateway):
    yield
    api = gateway.api()
    before = time.monotonic()
    assert api.get("/api/v1/health").status == 200
    assert api.wait_over(api.submit(spec()))["state"] == "completed"
    assert time.monotonic() - before < 5
    api.close()


# -- who may

@pytest.mark.parametrize("changes, status", [
    ({"ttl": -3600}, 401),
    ({"exp": None}, 401),
    ({"alg": "none"}, 401),
    ({"alg": "HS512"}, 401),
    ({"alg": "HS384"}, 401),
    ({"iat": 4102444800, "exp": 4102448400}, 401),
    ({"cluster": "other"}, 403),
    ({"cluster": None}, 403),
])
def test_bad_token(gateway, changes, status):
    api = Api(gateway.port, gateway.token(**changes))
    for method, path in (("GET", "/api/v1/jobs"), ("POST", "/api/v1/jobs"),
                         ("GET", "/api/v1/federation/events"),
                         ("GET", "/metrics"), ("DELETE", "/api/v1/jobs/1")):
        reply = api.request(method, path)
        assert reply.status == status, (path, reply)
        assert reply.json["error"] and reply.json["reason"]


@pytest.mark.parametrize("header", [
    None, "", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic Zm9v",
    "Bearer " + "A" * 20000,
])
def test_no_token(gateway, header):
    api = Api(gateway.port)
    reply = api.get("/api/v1/jobs",
                    **({"Authorization": header} if header is not None
                       else {}))
    assert reply.status in (401, 431), reply


def test_wrong_key(gateway):
    api = Api(gateway.port, mint(b"x" * 64))
    reply = api.get("/api/v1/jobs")
    assert reply.status == 401
    assert "x" * 20 not in reply.body.decode()


def test_a_reply_never_quotes_the_token(gateway):
    token = gateway.token(ttl=-3600)
    reply = Api(gateway.port, token).get("/api/v1/jobs")
    assert token.split(".")[2] not in reply.body.decode()
    assert token.split(".")[2] not in gateway.log()


def test_health_tells_strangers_nothing(gateway):
    reply = Api(gateway.port).get("/api/v1/health")
    assert reply.status == 200 and reply.json == {"status": "ok"}
    assert "instance_id" in gateway.api().get("/api/v1/health").json


# -- whose job

@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_runs_nothing(api):
    for fields in ({"user_id": 0, "user": "root"}, {"group_id": 0},
                   {"user_id": 0, "group_id": 0, "user": None}):
        reply = api.post("/api/v1/jobs", spec(**fields))
        assert reply.status == 422 and "root" in reply.json["reason"]
    for wrong in (-1, 2 ** 32, 2 ** 32 - 1, "0", 0.0, None):
        job = spec()
        job["user_id"] = wrong
        assert api.post("/api/v1/jobs", job).status in (400, 422), wrong


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_name_and_uid_of_different_users(api, events):
    job = api.submit(spec("id", user="daemon", start_gate=True))
    events.wait("start_request", job)
    api.start(job)
    assert "not daemon" in events.wait("start_failed", job)["reason"]
    api.cancel(job)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_uid_that_is_nobody_s(api, events):
    job = api.submit(spec("id", user=None, user_id=54321, start_gate=True))
    events.wait("start_request", job)
    api.start(job)
    assert "54321" in events.wait("start_failed", job)["reason"]
    api.cancel(job)


# -- what a job names

def _fails_to_start(api, events, **fields):
    job = api.submit(spec("echo pwned", start_gate=True, **fields))
    events.wait("start_request", job)
    api.start(job)
    reason = events.wait("start_failed", job)["reason"]
    api.cancel(job)
    return reason


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_output_that_is_not_the_user_s(gateway, api, events):
    secret = f"{gateway.dir}/secret"
    with open(secret, "w", encoding="utf-8") as file:
        file.write("untouched")
    os.chmod(secret, 0o600)
    link = f"{gateway.work}/link"
    os.symlink(secret, link)
    deep = "../" * 30 + secret.lstrip("/")
    for path in (secret, deep, link, f"{gateway.dir}/new",
                 f"{gateway.dir}/state/ledger/x", "/proc/1/mem",
                 f"{gateway.work}/no/such/dir"):
        for field in ("std_out", "std_err"):
            reason = _fails_to_start(api, events, **{field: path})
            assert "output" in reason
    assert "input" in _fails_to_start(api, events, std_in=secret)
    assert "input" in _fails_to_start(api, events, std_in=link)
    with open(secret, encoding="utf-8") as file:
        assert file.read() == "untouched"
    assert not os.path.exists(f"{gateway.dir}/new")
    # a name can bring a path along, and gains as little
    reason = _fails_to_start(api, events, std_out="%x", name=deep)
    assert "output" in reason


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_notices_go_only_where_the_user_may_write(gateway, api):
    """What is in the place of its output by then is opened as the user."""
    secret, fifo = f"{gateway.dir}/notes", f"{gateway.work}/notes-fifo"
    with open(secret, "w", encoding="utf-8") as file:
        file.write("untouched")
    os.chmod(secret, 0o600)
    os.mkfifo(fifo)
    os.chmod(fifo, 0o666)
    out = f"{gateway.work}/notes"
    job = api.submit(spec("exec sleep 60", std_out=out))
    api.wait_state(job, "running")
    # its own: that of the job before may be about to end
    shim, = gateway.shims(job)

    def children():
        with open(f"/proc/{shim}/task/{shim}/children",
                  encoding="ascii") as file:
            return len(file.read().split())

    def notify(text):
        assert api.request("POST", f"/api/v1/jobs/{job}/notify",
                           {"epoch": 1, "text": text}).status == 200
        wait_for("it was tried", lambda: children() == 1 and not glob.glob(
            f"{gateway.dir}/state/jobs/{job}.*/notice.*"))

    notify("here")
    wait_for("it is told", lambda: os.path.getsize(out))
    for place in (secret, fifo, f"{gateway.dir}/notes-new"):
        os.unlink(out)
        os.symlink(place, out)
        notify("elsewhere")
    with open(secret, encoding="utf-8") as file:
        assert file.read() == "untouched"
    assert not os.path.exists(f"{gateway.dir}/notes-new")
    api.cancel(job, signal=9)
    assert api.wait_over(job)["state"] == "cancelled"


def test_fifo_as_input_does_not_stop_us(gateway, api, events):
    fifo = f"{gateway.work}/fifo"
    os.mkfifo(fifo)
    os.chmod(fifo, 0o666)
    job = api.submit(spec("cat", std_in=fifo))
    wait_for("its shim runs", gateway.shims)
    assert api.cancel(job, signal=9).status == 200
    done = api.wait_over(job)
    assert done["state"] == "cancelled" and "start_time" not in done


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_a_job_can_see_and_do(gateway, api):
    out = f"{gateway.work}/probe"
    job = api.submit(spec(
        f"cd {gateway.dir}/state\n"
        "ls -d . ledger/* jobs/* jobs/*/* 2>&1 | "
        "grep -v -e denied -e 'No such'\n"
        "cat ../key ledger/* jobs/$SLURM_JOB_ID.1/{spec,env,claim} 2>&1 | "
        "grep -v -e denied -e 'No such'\n"
        "echo x >jobs/$SLURM_JOB_ID.1/ctl\n"
        "echo x >jobs/$SLURM_JOB_ID.1/new\n"
        "kill -9 $PPID; kill -STOP $PPID\n"
        "ls /proc/self/fd | wc -l\n"
        "grep -E 'CapEff|Groups|NoNewPrivs' /proc/self/status\n"
        "echo end", std_out=out, std_err="/dev/null"))
    assert api.wait_over(job)["state"] == "completed"
    with open(out, encoding="utf-8") as file:
        lines = file.read().split("\n")
    assert lines[0] == "."
    # 0, 1, 2 and that of the directory it reads
    assert lines[1] == "4", lines
    assert any(line.split() == ["CapEff:", "0" * 16] for line in lines)
    groups = [line for line in lines if line.startswith("Groups:")]
    assert " 0" not in groups[0]
    assert "end" in lines


def test_state_is_private(gateway):
    for name in ("ledger", "shim.sock"):
        mode = os.stat(f"{gateway.dir}/state/{name}").st_mode
        assert stat.S_IMODE(mode) & 0o077 == 0


# -- broken and hostile HTTP

def _raw(gateway, data, timeout=10, more=b""):
    """Send bytes; all that comes back until the peer closes or is silent."""
    answer = b""
    with socket.create_connection(("127.0.0.1", gateway.port),
                                  timeout) as sock:
        try:
            sock.sendall(data)
            if more:
                sock.sendall(more)
        except OSError:
            pass        # it has heard enough
        try:
            while True:
                part = sock.recv(65536)
                if not part:
                    break
                answer += part
        except OSError:
            pass
    return answer


def _status(answer):
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer.split(b" ")[1])


def _head(gateway, method, path, *headers):
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x",
                        f"Authorization: Bearer {gateway.token()}",
                        *headers, "", "")).encode()


def test_body_of_100_mb(gateway):
    head = _head(gateway, "POST", "/api/v1/jobs",
                 f"Content-Length: {100 << 20}", "Connection: close")
    answer = _raw(gateway, head, more=b"x" * (100 << 20))
    if answer:      # it may have been cut off in the middle of sending
        assert _status(answer) == 413
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    head = _head(gateway, "POST", "/api/v1/jobs",
                 "Transfer-Encoding: chunked", "Connection: close")
    answer = _raw(gateway, head, more=chunk * 100 + b"0\r\n\r\n")
    if answer:
        assert _status(answer) == 413
    with open(f"/proc/{gateway.process.pid}/status",
              encoding="utf-8") as file:
        peak = next(line for line in file if line.startswith("VmHWM"))
    if not sanitized():
        assert int(peak.split()[1]) < 200 << 10


def test_10000_headers(gateway):
    headers = [f"X-Header-{i}: {i}" for i in range(10000)]
    answer = _raw(gateway, _head(gateway, "GET", "/api/v1/jobs", *headers))
    assert not answer or 400 <= _status(answer) < 500


def test_endless_request_line(gateway):
    answer = _raw(gateway, b"GET /" + b"a" * 1000000 + b" HTTP/1.1\r\n\r\n")
    assert not answer or 400 <= _status(answer) < 500


def test_slowloris_with_200_connections(gateway):
    socks = [socket.create_connection(("127.0.0.1", gateway.port))
             for _ in range(200)]
    head = _head(gateway, "POST", "/api/v1/jobs", "Content-Length: 100")
    for count, sock in enumerate(socks):
        # half of them in the header, half in the body
        sock.sendall(head[:40] if count % 2 else head + b"{")
    api = gateway.api()
    for _ in range(20):
        before = time.monotonic()
        assert api.wait_over(api.submit(spec()))["state"] == "completed"
        assert time.monotonic() - before < 5
        for sock in socks:
            try:
                sock.sendall(b" ")
            except OSError:
                pass
    for sock in socks:
        sock.close()


SMUGGLED = b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("headers", [
    ["Content-Length: 4", "Transfer-Encoding: chunked"],
    ["Content-Length: 4", "Content-Length: 40"],
    ["Content-Length: 4", "Content-Length: 4"],
    ["Content-Length: +4"], ["Content-Length: 0x4"], ["Content-Length: -4"],
    ["Content-Length: 4, 4"], ["Content-Length: 99999999999999999999"],
    ["Transfer-Encoding: chunked, identity"],
    ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    ["Content-Length : 4"], [" Content-Length: 4"],
    ["X: y\r\n Content-Length: 4"],
    ["Transfer-Encoding:\x0bchunked"],
])
def test_smuggling(gateway, headers):
    data = _head(gateway, "POST", "/api/v1/jobs", *headers)
    answer = _raw(gateway, data + b"4\r\nxxxx\r\n0\r\n\r\n" + SMUGGLED,
                  timeout=2)
    # refused, and whatever follows is not taken for a request
    assert answer == b"" or 400 <= _status(answer) < 600, answer[:200]
    assert answer.count(b"HTTP/1.1 ") <= 1 or b'"ok"' not in answer, answer


@pytest.mark.parametrize("data", [
    b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET /api/v1/jobs HTTP/9.9\r\n\r\n", b"\0" * 1000,
    b"GET /api/v1/jobs\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/v1/jobs/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/v1/jobs/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/v1/jobs/%2e%2e%2f HTTP/1.1\r\nHost: x\r\n\r\n",
])
def test_not_http(gateway, data):
    answer = b""
    with socket.create_connection(("127.0.0.1", gateway.port)) as sock:
        sock.sendall(data)
        # one thread reads from all: what comes later is answered later
        for _ in range(2):
            assert Api(gateway.port).get("/api/v1/health").status == 200
        sock.setblocking(False)
        try:
            answer = sock.recv(65536)
        except (BlockingIOError, ConnectionResetError):
            pass
    assert answer == b"" or 400 <= _status(answer) < 600, answer


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b"1", b"\"x\"", b"{}x", b"{\"a\":1,\"a\":2}",
    b"\xff\xfe{\x00}\x00", b"[" * 100000, b"{\"a\":" * 100000,
    b"{\"fed_job_id\":1e400}", b"{\"fed_job_id\":99999999999999999999}",
    b"{\"fed_job_id\":-1,\"epoch\":1}", b"{\"fed_job_id\":1.5,\"epoch\":1}",
    b"{\"fed_job_id\":\"1\",\"epoch\":1}",
    b"{\"name\":\"a\\u0000b\",\"fed_job_id\":1,\"epoch\":1}",
    b"{\"script\":{\"b64\":\"!!!\"},\"fed_job_id\":1,\"epoch\":1}",
    b"{\"environment\":[1],\"fed_job_id\":1,\"epoch\":1}",
    b"{\"environment\":\"X=1\",\"fed_job_id\":1,\"epoch\":1}",
])
def test_bad_json(api, body):
    for method, path in (("POST", "/api/v1/jobs"),
                         ("POST", "/api/v1/jobs/batch")):
        reply = api.request(method, path, body)
        assert reply.status == 400, (path, reply)
        assert reply.json["error"] == "bad_request"
        assert reply.json["reason"]


@pytest.mark.parametrize("field", [
    "name", "work_dir", "std_out", "user", "partition", "script"])
def test_nul_in_a_text(api, field):
    assert api.post("/api/v1/jobs",
                    spec() | {field: "a\0b"}).status == 400
    reply = api.post("/api/v1/jobs", spec() | {field: {"b64": "YQBi"}})
    assert reply.status == 400 and field in reply.json["reason"], reply


def test_nul_in_the_environment(api):
    job = spec(environment=["A=1", "B=x\0LD_PRELOAD=/tmp/x"])
    assert api.post("/api/v1/jobs", job).status == 400


def test_texts_that_look_like_our_own_files(gateway, api):
    """A newline, an equals sign and a quote mean nothing in a spec."""
    out = f"{gateway.work}/a\nuid=0\nb"
    job = api.submit(spec("id -u", std_out=out, name="x\ngid=0",
                          argv=["uid=0", "a\nb"]))
    assert api.wait_over(job)["state"] == "completed"
    with open(out, encoding="utf-8") as file:
        assert file.read() == f"{as_user().pw_uid}\n"


def test_batch_of_too_many(api):
    reply = api.request("POST", "/api/v1/jobs/batch", json.dumps(
        {"ops": [{"op": "hold", "fed_job_id": 1, "epoch": 1}] * 10001}
    ).encode())
    assert reply.status == 413


def test_max_jobs(make_gateway):
    gateway = make_gateway(max_jobs=3).start()
    api = gateway.api()
    jobs = [api.submit(spec(hold=True)) for _ in range(3)]
    reply = api.post("/api/v1/jobs", spec(hold=True))
    assert reply.status == 429 and int(reply.headers["Retry-After"]) > 0
    api.cancel(jobs[0])
    api.submit(spec(hold=True))
