"""The built flurm-gateway in a private directory, on a free port."""
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .api import Api, Events
from .token import mint, new_key
from .wait import wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))))


def build_dir():
    """FED_FLURM_BUILD, or the build whose gateway is the newest."""
    if os.environ.get("FED_FLURM_BUILD"):
        return os.environ["FED_FLURM_BUILD"]
    built = glob.glob(f"{TOP}/build/*/flurm-gateway")
    assert built, "no flurm-gateway in build/*: make first"
    return os.path.dirname(max(built, key=os.path.getmtime))


def sanitized():
    """Was it built with a sanitizer?"""
    with open(f"{build_dir()}/flurm-gateway", "rb") as file:
        program = file.read()
    return b"__asan_init" in program or b"__tsan_init" in program


class Gateway:
    """start() and kill() as often as you like; stop() also ends its jobs."""

    def __init__(self, **settings):
        # what jobs write goes here too, whoever they are
        self.dir = tempfile.mkdtemp(prefix="gw-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.work = f"{self.dir}/work"
        os.mkdir(self.work)
        os.chmod(self.work, 0o1777)
        self.key = new_key(f"{self.dir}/key")
        self.settings = {
            "cluster_name": "flurm",
            "listen": "127.0.0.1:0",
            "token_key_file": f"{self.dir}/key",
            "state_dir": f"{self.dir}/state",
            "node_name": "n1",
            "cpus": 4,
            "memory_mb": 4000,
            "features": "fast,ssd",
            "kill_wait": 1,
            "gate_retry": 0,
            "shim": f"{build_dir()}/flurm-gateway-shim",
            "partition": ["debug default=yes max_time=1-0", "long"],
        }
        self.settings.update(settings)
        self.env = {"PATH": "/usr/bin:/bin",
                    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0"}
        self.options = ["-v", "-v"]
        self.process = None
        self.port = 0
        self.failed = False

    # -- its life

    def write_conf(self, **settings):
        self.settings.update(settings)
        with open(f"{self.dir}/gateway.conf", "w", encoding="utf-8") as file:
            for name, value in self.settings.items():
                for one in value if isinstance(value, list) else [value]:
                    if one is not None:
                        file.write(f"{name} = {one}\n")
        return f"{self.dir}/gateway.conf"

    def start(self, *options):
        offset = self.spawn(*options)
        self.port = wait_for("the gateway listens",
                             lambda: self._listening(offset), 30, 0.005)
        return self

    def spawn(self, *options):
        """Start it, do not wait; returns where its log begins."""
        conf = self.write_conf()
        with open(f"{self.dir}/log", "ab") as log:
            offset = log.tell()
            self.process = subprocess.Popen(
                [f"{build_dir()}/flurm-gateway", *self.options, "-f", conf,
                 *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env)
        return offset

    def _listening(self, offset):
        with open(f"{self.dir}/log", encoding="utf-8",
                  errors="replace") as log:
            log.seek(offset)
            found = re.search(r"listens on \S+ port (\d+)", log.read())
        if not found:
            assert self.process.poll() is None, \
                f"the gateway did not start:\n{self.log()}"
        return int(found.group(1)) if found else None

    def kill(self):
        """As a crash: nothing is finished, jobs go on."""
        self.process.kill()
        self.process.wait()

    def terminate(self):
        """As systemd does; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def restart(self):
        self.terminate()
        return self.start()

    def stop(self, keep=False):
        alive = self.process and self.process.poll() is None
        if alive:
            assert self.terminate() == 0, self.log()
        self.end_jobs()
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def shims(self, job=""):
        """pids of the shims that run jobs of this gateway, or one of them"""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    args = file.read().split(b"\0")
            except OSError:
                continue
            if args[0].endswith(b"-shim") and args[1].startswith(
                    f"{self.dir}/state/jobs/{job}".encode()):
                found.append(int(path.split("/")[2]))
        return found

    def end_jobs(self):
        """What a failed test has left running."""
        for ctl in glob.glob(f"{self.dir}/state/jobs/*/ctl"):
            try:
                fd = os.open(ctl, os.O_WRONLY | os.O_NONBLOCK)
                os.write(fd, b"cancel 9\n")
                os.close(fd)
            except OSError:
                pass
        deadline = time.monotonic() + 10
        while self.shims() and time.monotonic() < deadline:
            time.sleep(0.02)

    def log(self, lines=60):
        with open(f"{self.dir}/log", encoding="utf-8",
                  errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    # -- speaking with it

    def token(self, **changes):
        return mint(self.key, **changes)

    def api(self, **options):
        return Api(self.port, self.token(), **options)

    def events(self, after=None):
        return Events(self.port, self.token(), after)
