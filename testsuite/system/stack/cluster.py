"""A native Slurm cluster: slurmctld (or a pair of them) and one slurmd."""
import os
import re
import socket
import subprocess

from .federation import Federation
from .ports import free_port, listening
from .process import Daemon
from .wait import wait_until

SLURM_CONF = """\
ClusterName={name}
{hosts}
SlurmctldPort={port}
SlurmdPort={slurmd_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={munge}
CredType=cred/munge
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool
SlurmctldPidFile={dir}/slurmctld.%h.pid
SlurmdPidFile={dir}/slurmd.pid
SlurmctldDebug=debug
SlurmdDebug=debug
DebugFlags=Federation
LogTimeFormat=iso8601_ms
PluginDir={plugin_dir}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
PropagateResourceLimits=NONE
ReturnToService=2
KillWait=2
MessageTimeout=10
SlurmctldTimeout={ctld_timeout}
SlurmdTimeout=300
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0
PriorityType=priority/multifactor
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
AccountingStoragePass={munge}
AccountingStorageEnforce=associations
NodeName={name}1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={slurmd_port} CPUs=16 RealMemory=8000 State=UNKNOWN
PartitionName=normal Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


class Controller(Daemon):
    """slurmctld. One with an address is half of a pair: it answers there."""

    def __init__(self, cluster, hostname=None, address="127.0.0.1"):
        suffix = f"-{hostname}" if hostname else ""
        super().__init__(f"slurmctld-{cluster.name}{suffix}", cluster.stack)
        self.cluster = cluster
        self.hostname = hostname
        self.address = address

    def environ(self):
        return self.cluster.environ()

    def argv(self):
        argv = ["slurmctld", "-D", "-L", self.log]
        if self.hostname:
            # which of a pair it is slurmctld knows from the host's name
            argv = ["unshare", "--uts", "sh", "-c",
                    'hostname "$0" && exec "$@"', self.hostname, *argv]
        return argv

    def ready(self):
        return listening(self.cluster.port, self.address)


class Node(Daemon):
    """slurmd"""

    def __init__(self, cluster):
        super().__init__(f"slurmd-{cluster.name}", cluster.stack)
        self.cluster = cluster

    def environ(self):
        return self.cluster.environ()

    def argv(self):
        return ["slurmd", "-D", "-L", self.log,
                "-N", f"{self.cluster.name}1"]

    def ready(self):
        return listening(self.cluster.slurmd_port)


class Cluster:
    def __init__(self, name, stack, munge, slurmdbd, pair=False):
        self.name = name
        self.stack = stack
        self.dir = stack.mkdir(name)
        self.port = free_port()
        self.slurmd_port = free_port()
        self.conf = os.path.join(self.dir, "slurm.conf")
        self.extra = []  # more lines of slurm.conf
        self.plugin_dirs = [_stock_plugin_dir()]
        self._munge = munge
        self._slurmdbd = slurmdbd
        for each in ("state", "spool"):
            os.mkdir(os.path.join(self.dir, each))
        # slurmctld finds its own line by the host's name
        if pair:
            self.controllers = [
                Controller(self, f"{name}-ctl1", "127.0.0.1"),
                Controller(self, f"{name}-ctl2", "127.0.0.2")]
        else:
            self.controllers = [Controller(self)]
        self.slurmd = Node(self)
        self.write_conf()

    @property
    def slurmctld(self):
        return self.controllers[0]

    @property
    def backup(self):
        return self.controllers[1]

    def write_conf(self):
        hosts = [f"SlurmctldHost={c.hostname or _hostname()}({c.address})"
                 for c in self.controllers]
        if len(hosts) > 1:
            hosts.append("CommunicationParameters=NoCtldInAddrAny")
        text = SLURM_CONF.format(
            name=self.name, hosts="\n".join(hosts), dir=self.dir,
            port=self.port, slurmd_port=self.slurmd_port,
            munge=self._munge.socket, dbd_port=self._slurmdbd.port,
            plugin_dir=":".join(self.plugin_dirs),
            ctld_timeout=5 if len(hosts) > 1 else 120)
        with open(self.conf, "w") as file:
            file.write(text + "".join(f"{line}\n" for line in self.extra))
        with open(os.path.join(self.dir, "cgroup.conf"), "w") as file:
            file.write(_CGROUP_CONF[self.stack.slurm_version >= (23, 11)])

    def environ(self, **more):
        return dict(self.stack.environ(), SLURM_CONF=self.conf, **more)

    def start(self):
        self.slurmctld.start()
        self.slurmd.start()
        for controller in self.controllers[1:]:
            controller.start()

    def daemons(self):
        return [self.slurmd, *reversed(self.controllers)]

    # -- as a user of the cluster

    def run(self, *argv, user=None, check=True, timeout=60, stdin=None,
            env=None):
        """Runs a client command; returns its stdout."""
        done = self.popen(*argv, user=user, env=env,
                          stdin=subprocess.PIPE if stdin is not None
                          else subprocess.DEVNULL)
        try:
            out, err = done.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            done.kill()
            out, err = done.communicate()
            raise CommandFailed(argv, f"no end in {timeout} s", out, err) \
                from None
        if check and done.returncode:
            raise CommandFailed(argv, f"status {done.returncode}", out, err)
        return out if check else Result(done.returncode, out, err)

    def popen(self, *argv, user=None, env=None, stdin=subprocess.DEVNULL):
        return subprocess.Popen(
            argv, env=self.environ(**(env or {})), cwd=self.stack.work,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, user=user, group=None, start_new_session=True)

    def scontrol(self, *args, **kw):
        return self.run("scontrol", *args, **kw)

    def federation(self):
        return Federation(self.scontrol("show", "federation"))

    def ping(self):
        return " is UP" in self.run("scontrol", "ping", timeout=30)

    def sbatch(self, *args, script="#!/bin/sh\ntrue\n", **kw):
        """Submits script; returns the job id."""
        out = self.run("sbatch", "--parsable", "--output=%j.out", *args,
                       stdin=script, **kw)
        return int(out.split(";")[0])

    def job(self, job_id):
        """What scontrol says of a job, as a dictionary; {} if unknown."""
        done = self.run("scontrol", "--local", "--oneliner", "show", "job",
                        str(job_id), check=False)
        if done.status:
            return {}
        return dict(re.findall(r"(\S+?)=(\S*)", done.out))

    def job_state(self, job_id):
        return self.job(job_id).get("JobState")

    def wait_job(self, job_id, *states, timeout=30):
        """Waits until the job is in one of the states (default COMPLETED)."""
        return wait_until(lambda: self.job(job_id),
                          lambda job: job.get("JobState") in
                          (states or ("COMPLETED",)), timeout,
                          f"job {job_id} on {self.name} is "
                          f"{' or '.join(states or ('COMPLETED',))}")


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}\n{self.out}{self.err}"


class CommandFailed(AssertionError):
    def __init__(self, argv, how, out, err):
        super().__init__(f"{' '.join(argv)}: {how}\n{out}{err}")
        self.out, self.err = out, err


# The nodes here have no cgroups of their own and need none.
_CGROUP_CONF = {False: "", True: "CgroupPlugin=disabled\n"}


def _hostname():
    return socket.gethostname().split(".")[0]


def _stock_plugin_dir():
    """The directory of Slurm's own plugins, which has libslurmfull.so."""
    for top in ("/usr/lib", "/usr/lib64", "/usr/local/lib"):
        for path, dirs, files in os.walk(top):
            if "libslurmfull.so" in files:
                return path
            if path.count("/") > top.count("/") + 1:
                dirs.clear()
    raise RuntimeError("no libslurmfull.so below /usr/lib: is Slurm there?")
