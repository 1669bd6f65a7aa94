"""FLURM as a member: its virtual controller's configuration and who hosts it.

Hosted by the first native cluster's slurmctld, which loads the plugin, or by
a fed_flurmd of its own (host="fed_flurmd"). What the URL leads to, FLURM's
own side, is not there yet: nothing listens.
"""
import glob
import json
import os
import subprocess

from .ports import free_port
from .process import Daemon
from .release import slurm_release

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))


def build_dir():
    """Where it was built: $FED_FLURM_BUILD, else build/<version> of ./check."""
    return os.environ.get("FED_FLURM_BUILD",
                          os.path.join(TOP, "build", slurm_release()))


def built(name):
    """The path of something that was built, wherever libtool put it."""
    for pattern in (name, f".libs/{name}", f"src/**/.libs/{name}",
                    f"src/**/{name}"):
        for path in glob.glob(os.path.join(build_dir(), pattern),
                              recursive=True):
            if os.path.isfile(path):
                return path
    raise FileNotFoundError(f"no {name} in {build_dir()}: not built?")


class Flurm:
    """One FlurmCluster line and all that belongs to it."""

    def __init__(self, stack, name="flurm", host="plugin"):
        self.stack = stack
        self.name = name
        self.host = host
        self.port = free_port()
        self.http_port = free_port()
        self.url_port = None  # if there is something on the way to http_port
        self.dir = stack.give(stack.mkdir(name))
        self.ledger = os.path.join(self.dir, "ledger")
        self.status_socket = os.path.join(self.dir, "status")
        self.token_file = os.path.join(self.dir, "token")
        self.lines = []  # more lines of fed_flurm.conf
        self.options = {
            "Url": f"http://127.0.0.1:{self.http_port}",
            "Port": self.port,
            "TokenFile": self.token_file,
        }
        if stack.backup_host is None:  # a pair has an address each
            self.options["Address"] = "127.0.0.1"
        with open(self.token_file, "w") as file:
            stack.give(self.token_file)
            os.fchmod(file.fileno(), 0o600)
            file.write(os.urandom(32).hex() + "\n")
        self.disk = None  # MiB, if the ledger has a disk of its own
        self.daemon = None
        self.gateway = None

    def join(self, cluster):
        """Makes cluster's slurmctld its host, or prepares fed_flurmd."""
        self.conf = os.path.join(cluster.dir, "fed_flurm.conf")
        if self.disk:
            self.mount()
        self.write_conf()
        if self.host == "plugin":
            plugin = built("job_submit_fed_flurm.so")
            cluster.plugin_dirs.insert(0, os.path.dirname(plugin))
            cluster.extra.append("JobSubmitPlugins=fed_flurm")
            cluster.write_conf()
        else:
            self.daemon = FedFlurmd(self, cluster)

    def mount(self):
        """A small disk for the ledger, which can be full."""
        os.mkdir(self.ledger)
        subprocess.run(["mount", "-t", "tmpfs", "-o",
                        f"size={self.disk}m,mode=755", "tmpfs", self.ledger],
                       check=True)

    def line(self):
        if self.url_port:
            self.options["Url"] = f"http://127.0.0.1:{self.url_port}"
        return " ".join([f"FlurmCluster={self.name}"] + [
            f"{key}={value}" for key, value in self.options.items()])

    def write_conf(self, text=None):
        """Its fed_flurm.conf; with a text, that instead."""
        if text is None:
            text = "\n".join([f"LedgerDir={self.ledger}",
                              f"StatusSocket={self.status_socket}",
                              *self.lines, self.line()]) + "\n"
        with open(self.conf, "w") as file:
            file.write(text)

    def flurmfed(self, *args, **kw):
        """Runs the administrator's command; returns its stdout."""
        return self.stack.first.run(built("flurmfed"), *args, **kw)

    def status(self):
        """What `flurmfed status --json` says, also of what is wrong."""
        return json.loads(self.flurmfed("status", "--json", check=False).out)


class FedFlurmd(Daemon):
    """The virtual controller as a process of its own."""

    start_timeout = 60  # a build with sanitizers is slow

    def __init__(self, flurm, cluster):
        super().__init__("fed_flurmd", flurm.stack)
        self.flurm = flurm
        self.cluster = cluster

    def environ(self):
        return dict(self.cluster.environ(), TSAN_OPTIONS="suppressions=" +
                    os.path.join(TOP, "testsuite", "tsan.supp"),
                    LSAN_OPTIONS="print_suppressions=0:suppressions=" +
                    os.path.join(TOP, "testsuite", "lsan.supp"))

    def argv(self):
        return [*self.stack.become(), built("fed_flurmd"), "-v", "-f",
                self.flurm.conf]

    def ready(self):
        return os.path.exists(self.flurm.status_socket)

    def stop(self, timeout=300):
        """Last, LeakSanitizer names the places of all that Slurm's own
        unpackers lost: after 360,000 damaged frames that takes minutes."""
        return super().stop(timeout)

    def reports(self):
        """What sanitizers have said so far, if it was built with any."""
        with open(self.output, errors="replace") as file:
            lines = file.readlines()
        found = [at for at, line in enumerate(lines)
                 if "Sanitizer:" in line or "runtime error:" in line]
        return "".join("".join(lines[at:at + 30]) for at in found[:3])

    def finish(self):
        """Stops it; returns what was not well with it, "" if nothing."""
        if self.child is None:
            return ""
        status = self.stop() if self.alive else 0
        said = self.reports()
        if status:
            said += f"fed_flurmd ended with status {status}:\n{self.tail()}"
        return said
