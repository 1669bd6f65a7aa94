"""FLURM's own side: a flurm-gateway, whose jobs run on this machine."""
import base64
import hashlib
import hmac
import json
import os
import shutil
import time
import urllib.error
import urllib.request

from .flurm import built
from .ports import listening
from .process import Daemon
from .wait import wait_until

GATEWAY_CONF = """\
cluster_name = {name}
listen = 127.0.0.1:{port}
token_key_file = {token}
state_dir = {dir}/state
log_level = debug
backend = {backend}
node_name = {name}1
cpus = {cpus}
memory_mb = 8000
kill_wait = 2
gate_retry = 0
min_uid = 0
allow_root = yes
shim = {shim}
partition = normal default=yes
"""


class Gateway(Daemon):
    def __init__(self, flurm, backend="local", cpus=16):
        super().__init__(f"gateway-{flurm.name}", flurm.stack)
        self.flurm = flurm
        self.backend = backend
        self.cpus = cpus
        self.dir = flurm.stack.mkdir(f"{flurm.name}-side")
        self.conf = os.path.join(self.dir, "gateway.conf")
        # each side has the key in a file of its own
        self.token_file = shutil.copy(flurm.token_file, self.dir)
        # more lines of gateway.conf, instead of those of the same name
        self.extra = []

    @property
    def state(self):
        return os.path.join(self.dir, "state")

    def argv(self):
        text = GATEWAY_CONF.format(
            name=self.flurm.name, port=self.flurm.http_port,
            token=self.token_file, dir=self.dir,
            backend=self.backend, cpus=self.cpus,
            shim=built("flurm-gateway-shim"))
        names = {line.split("=")[0] for line in self.extra}
        with open(self.conf, "w") as file:
            file.writelines(f"{line}\n" for line in text.splitlines()
                            if line.split("=")[0] not in names)
            file.writelines(f"{line}\n" for line in self.extra)
        return [built("flurm-gateway"), "-f", self.conf]

    def ready(self):
        return listening(self.flurm.http_port)

    # -- what FLURM itself says

    def open(self, path, timeout, body=None, method=None):
        """Its API's answer to a GET, or to a POST of body, to be read."""
        return urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{self.flurm.http_port}{path}", body,
            headers={"Authorization": f"Bearer {self._token()}",
                     "Content-Type": "application/json"},
            method=method), timeout=timeout)

    def get(self, path, body=None):
        with self.open(path, 10, body) as reply:
            return json.load(reply)

    def cancel(self, job_id):
        """Cancels a job as FLURM's own users do."""
        epoch = self.job(job_id)["epoch"]
        self.open(f"/api/v1/jobs/{job_id}?epoch={epoch}", 10,
                  method="DELETE").close()

    def job(self, job_id):
        """Its job of that federated id, {} if it has none."""
        try:
            return self.get(f"/api/v1/jobs/{job_id}")
        except urllib.error.HTTPError as err:
            if err.code != 404:
                raise
            return {}

    def jobs(self, *states):
        """All its jobs, or those in one of the states."""
        jobs, page = [], {"next": 0}
        query = f"&state={','.join(states)}" if states else ""
        while True:
            page = self.get(f"/api/v1/jobs?limit=1000&after={page['next']}"
                            f"{query}")
            jobs += page["jobs"]
            if not page["next"]:
                return jobs

    def unfinished(self):
        return [job["fed_job_id"] for job in self.jobs(
            "held", "pending", "starting", "running", "suspended",
            "completing")]

    def debug(self, **command):
        """Backend sim: has things happen, and go wrong."""
        return self.get("/api/v1/debug", json.dumps(command).encode())

    def wait_job(self, job_id, *states, timeout=20):
        return wait_until(lambda: self.job(job_id),
                          lambda job: job.get("state") in states, timeout,
                          f"job {job_id} at FLURM is {' or '.join(states)}")

    def _token(self):
        """A bearer token: a JWT, signed with the shared key."""
        with open(self.flurm.token_file, "rb") as file:
            key = file.read().rstrip(b"\n")
        now = int(time.time())
        text = b".".join(_base64(json.dumps(part).encode()) for part in (
            {"alg": "HS256", "typ": "JWT"},
            {"sub": "test", "iss": "test", "iat": now, "exp": now + 300,
             "cluster_id": self.flurm.name}))
        sign = hmac.new(key, text, hashlib.sha256).digest()
        return (text + b"." + _base64(sign)).decode()


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
