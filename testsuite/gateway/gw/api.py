"""A client of the API: one connection, kept open, requests in order."""
import http.client
import json
import queue
import threading
import time

OVER = {"completed", "failed", "cancelled", "timeout", "out_of_memory",
        "node_fail", "preempted", "boot_fail", "revoked"}


class Gone(Exception):
    """The connection broke: nobody knows whether the request was done."""


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Api:
    """Answers are Reply objects, whatever their status.

    check, if set, is called with each exchange, event_check with each event.
    """
    check = None
    event_check = None

    def __init__(self, port, token=None, timeout=20):
        self.port, self.token, self.timeout = port, token, timeout
        self._conn = None

    def close(self):
        if self._conn:
            self._conn.close()
        self._conn = None

    def request(self, method, path, body=None, headers=None):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = dict(headers or {})
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        for last in (False, True):
            fresh = self._conn is None
            if fresh:
                self._conn = http.client.HTTPConnection(
                    "127.0.0.1", self.port, timeout=self.timeout)
            try:
                self._conn.request(method, path, body, headers)
                answer = self._conn.getresponse()
                reply = Reply(answer.status, answer.headers, answer.read())
                if answer.will_close:
                    self.close()
                if Api.check:
                    Api.check(method, path, reply)
                return reply
            except (OSError, http.client.HTTPException) as error:
                self.close()
                # one that lay idle may have been closed meanwhile
                if fresh or last or method != "GET":
                    raise Gone(f"{method} {path}: {error!r}") from error

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def post(self, path, body=None):
        return self.request("POST", path, {} if body is None else body)

    # -- what a sibling does

    def submit(self, job):
        reply = self.post("/api/v1/jobs", job)
        assert reply.status in (200, 201), reply
        return job["fed_job_id"]

    def batch(self, ops):
        reply = self.post("/api/v1/jobs/batch", {"ops": ops})
        assert reply.status == 200, reply
        return reply.json["results"]

    def job(self, fed_job_id):
        reply = self.get(f"/api/v1/jobs/{fed_job_id}")
        assert reply.status == 200, reply
        return reply.json

    def op(self, fed_job_id, verb, epoch=1, **fields):
        return self.post(f"/api/v1/jobs/{fed_job_id}/{verb}",
                         {"epoch": epoch, **fields})

    def start(self, fed_job_id, grant=True, epoch=1, attempt=1, **fields):
        """Answer a start_request; attempt None leaves it out."""
        if attempt is not None:
            fields["attempt"] = attempt
        return self.op(fed_job_id, "start", epoch, grant=grant, **fields)

    def cancel(self, fed_job_id, epoch=1, signal=None):
        query = f"?epoch={epoch}" + (f"&signal={signal}" if signal else "")
        return self.request("DELETE", f"/api/v1/jobs/{fed_job_id}{query}")

    def jobs(self, **query):
        """All jobs, page by page."""
        found, after = [], 0
        while True:
            text = "&".join(f"{k}={v}" for k, v in query.items())
            reply = self.get(f"/api/v1/jobs?after={after}&{text}")
            assert reply.status == 200, reply
            page = reply.json
            assert page["complete"] is True
            found += page["jobs"]
            after = page["next"]
            if not after:
                return found

    def wait_state(self, fed_job_id, *states, timeout=20):
        deadline = time.monotonic() + timeout
        while True:
            job = self.job(fed_job_id)
            if job["state"] in states:
                return job
            assert time.monotonic() < deadline, \
                f"not {states} within {timeout} s: {job}"
            assert job["state"] not in OVER, f"not {states}: {job}"
            time.sleep(0.02)

    def wait_over(self, fed_job_id, timeout=30):
        return self.wait_state(fed_job_id, *OVER, timeout=timeout)


class Events:
    """The event stream, read by a thread of its own into a list."""

    def __init__(self, port, token=None, after=None):
        self.seen, self.heartbeats, self.status = [], 0, None
        self.ended = False
        self._new = queue.Queue()
        self._conn = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        query = "" if after is None else f"?after={after}"
        self._conn.request("GET", f"/api/v1/federation/events{query}",
                           headers=headers)
        self._answer = self._conn.getresponse()
        self.status = self._answer.status
        self.body = None
        if self.status != 200:
            self.body = self._answer.read()
            return
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            for line in self._answer:
                if line.endswith(b"\n"):
                    self._take(json.loads(line))
        except (OSError, http.client.HTTPException, ValueError,
                AttributeError):
            pass
        self._new.put(None)

    def _take(self, event):
        if Api.event_check:
            try:
                Api.event_check(event)
            except AssertionError as wrong:
                event = {"type": "wrong", "why": str(wrong), "seq": 0}
        if event["type"] == "heartbeat":
            self.heartbeats += 1
            return
        self.seen.append(event)
        self._new.put(event)

    def next(self, timeout):
        """The next event; None within the time, or when it has ended."""
        try:
            event = self._new.get(timeout=timeout)
        except queue.Empty:
            return None
        self.ended = event is None
        return event

    @property
    def cursor(self):
        return self.seen[-1]["seq"] if self.seen else None

    def close(self):
        sock = self._conn.sock
        if sock:
            try:
                sock.shutdown(2)
            except OSError:
                pass
        self._conn.close()

    def wait(self, kind, fed_job_id=None, timeout=20):
        """The first such event not yet waited for; others are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                event = self._new.get(timeout=max(left, 0.001))
            except queue.Empty:
                raise AssertionError(
                    f"no {kind} of {fed_job_id} within {timeout} s; "
                    f"last seen: {self.seen[-10:]}") from None
            assert event, f"stream ended; last seen: {self.seen[-10:]}"
            assert event["type"] != "wrong", event["why"]
            if event["type"] == kind and fed_job_id in (
                    None, event.get("fed_job_id")):
                return event

    def of(self, fed_job_id):
        return [event["type"] for event in self.seen
                if event.get("fed_job_id") == fed_job_id]
