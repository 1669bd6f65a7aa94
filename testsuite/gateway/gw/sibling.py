"""What a plugin does, in short: submit until answered, follow, grant."""
import threading
import time

from .api import Api, Events, Gone, OVER


class Sibling:
    """Follows the gateway through its crashes; errors end up in .wrong."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.cursor = None
        self.seqs = []
        self.view = {}          # fed_job_id -> its events, in order
        self.accepted = {}      # fed_job_id -> job_id, as answered
        self.granted = set()    # of which the answer was 200
        self.wrong = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def patiently(self, request):
        """Try until there is an answer; request gets an Api."""
        while True:
            api = Api(self.gateway.port, self.gateway.token(), timeout=5)
            try:
                reply = request(api)
                if reply.status < 500:
                    return reply
            except Gone:
                pass
            finally:
                api.close()
            assert not self._stop.is_set()
            time.sleep(0.005)

    def submit(self, job):
        reply = self.patiently(lambda api: api.post("/api/v1/jobs", job))
        assert reply.status in (200, 201), reply
        job_id = reply.json["job_id"]
        assert self.accepted.setdefault(job["fed_job_id"], job_id) == job_id

    def over(self, fed_job_id):
        """Its last event if that is an end."""
        events = self.view.get(fed_job_id)
        return events[-1] if events and events[-1]["type"] == "ended" else None

    def _follow(self):
        while not self._stop.is_set():
            try:
                stream = Events(self.gateway.port, self.gateway.token(),
                                self.cursor)
            except OSError:
                time.sleep(0.005)
                continue
            if stream.status != 200:
                self.wrong.append((stream.status, stream.body))
                return
            self._read(stream)
            stream.close()

    def _read(self, stream):
        while not self._stop.is_set():
            event = stream.next(0.2)
            if event is None:
                if stream.ended:
                    return
                continue
            if self.seqs and event["seq"] != self.seqs[-1] + 1:
                self.wrong.append(("gap", self.seqs[-1], event))
            self.seqs.append(event["seq"])
            self.cursor = event["seq"]
            job = event.get("fed_job_id")
            if job:
                self.view.setdefault(job, []).append(event)
            if event["type"] == "start_request":
                # a thread of its own: the stream must not wait for it
                threading.Thread(target=self._grant, args=(event,),
                                 daemon=True).start()

    def _grant(self, event):
        job = event["fed_job_id"]
        try:
            reply = self.patiently(lambda api: api.start(
                job, epoch=event["epoch"], attempt=event["attempt"]))
        except AssertionError:
            return
        if reply.status == 200:
            self.granted.add(job)
        elif reply.json.get("state") not in OVER | {"pending"}:
            self.wrong.append((event, reply))
