"""A native Slurm cluster: slurmctld (or a pair of them) and one slurmd."""
import contextlib
import os
import re
import socket
import subprocess
import time

from .federation import Federation
from .ports import free_port, listening
from .process import Daemon, Successor
from .wait import wait_until

SLURM_CONF = """\
ClusterName={name}
{hosts}
SlurmctldPort={port}
SlurmdPort={slurmd_port}
SlurmUser={slurm_user}
SlurmdUser=root
{auth}
CredType={cred}
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool
SlurmctldPidFile={run}/slurmctld-{name}.pid
SlurmdPidFile={dir}/slurmd.pid
SlurmctldDebug=debug
SlurmdDebug=info
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
RequeueExit=99
RequeueExitHold=98
MessageTimeout=10
SlurmctldTimeout={ctld_timeout}
SlurmdTimeout=300
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0
PriorityType=priority/multifactor
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost={address}
AccountingStoragePort={dbd_port}
AccountingStoragePass={munge}
AccountingStorageEnforce=associations
NodeName={name}1 NodeHostname=localhost NodeAddr={address} Port={slurmd_port} CPUs=16 RealMemory=8000 State=UNKNOWN
PartitionName=normal Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


class Controller(Daemon):
    """slurmctld, on this machine or on another host. As systemd runs it, where
    it knows systemd (23.11): a reconfigure begins a new process, and the old
    one is there until that one is at work, which NOTIFY_SOCKET is told."""

    def __init__(self, cluster, host=None):
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        super().__init__(f"slurmctld-{host.name if host else cluster.name}",
                         cluster.stack)
        self._notified.bind(os.path.join(cluster.dir, f"{self.name}.notify"))
        self.cluster = cluster
        self.host = host
        self.hostname = host.name if host else _hostname()
        self.address = host.address if host else cluster.stack.address
        self.options = []  # more of the command line

    def environ(self):
        return self.cluster.environ(NOTIFY_SOCKET=self._notified.getsockname())

    def argv(self):
        # which of a pair it is slurmctld knows from the host's name
        return [*(self.host.enter() if self.host else []),
                *self.stack.become(), "slurmctld",
                "--systemd" if self.stack.slurm_version >= (23, 11) else "-D",
                "-L", self.log, *self.options]

    @property
    def child(self):
        """The process that is at work."""
        with contextlib.suppress(BlockingIOError):
            while said := self._notified.recv(256, socket.MSG_DONTWAIT):
                pid = int(re.search(rb"MAINPID=(\d+)", said).group(1))
                if pid != self._child.pid:
                    self._child = Successor(pid)
        return self._child

    @child.setter
    def child(self, child):
        self._child = child

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
        return listening(self.cluster.slurmd_port, self.stack.address)


class Cluster:
    def __init__(self, name, stack, munge, slurmdbd, backup_host=None,
                 conf=()):
        self.name = name
        self.stack = stack
        self.dir = stack.give(stack.mkdir(name))
        self.port = free_port()
        self.slurmd_port = free_port()
        self.conf = os.path.join(self.dir, "slurm.conf")
        # more lines of slurm.conf, instead of those of the same name
        self.extra = [*conf]
        self.plugin_dirs = [_stock_plugin_dir()]
        self._munge = munge
        self._slurmdbd = slurmdbd
        for each in ("state", "spool"):
            os.mkdir(os.path.join(self.dir, each))
        stack.give(os.path.join(self.dir, "state"))
        self.controllers = [Controller(self)]
        if backup_host:
            self.controllers.append(Controller(self, backup_host))
        self.slurmd = Node(self)
        self.write_conf()

    @property
    def slurmctld(self):
        return self.controllers[0]

    @property
    def backup(self):
        return self.controllers[1]

    def write_conf(self):
        hosts = "\n".join(f"SlurmctldHost={each.hostname}({each.address})"
                          for each in self.controllers)
        text = SLURM_CONF.format(
            name=self.name, hosts=hosts, dir=self.dir, run=self.stack.run,
            port=self.port, slurm_user=self.stack.slurm_user,
            slurmd_port=self.slurmd_port, address=self.stack.address,
            munge=self._munge.socket, auth=self.stack.auth_lines(self.dir),
            cred=self.stack.cred, dbd_port=self._slurmdbd.port,
            plugin_dir=":".join(self.plugin_dirs),
            ctld_timeout=5 if len(self.controllers) > 1 else 120)
        names = {line.split("=")[0] for line in self.extra}
        with open(self.conf, "w") as file:
            file.writelines(f"{line}\n" for line in text.splitlines()
                            if line.split("=")[0] not in names)
            file.writelines(f"{line}\n" for line in self.extra)
        with open(os.path.join(self.dir, "cgroup.conf"), "w") as file:
            file.write(_CGROUP_CONF[self.stack.slurm_version >= (23, 11)])

    def environ(self, **more):
        return dict(self.stack.environ(), SLURM_CONF=self.conf, **more)

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

    def reconfigure(self):
        """scontrol reconfigure, until slurmctld answers again.

        Where that is another process (from 23.11 on), what slurmdbd has to
        tell meanwhile keeps both waiting for each other, with FLURM or without
        (doc/internals.md, "Traps of Slurm"), and so may FLURM's registration,
        which all are told; and a SIGTERM is lost."""
        self.stack.wait_registered()
        self.scontrol("reconfigure")
        wait_until(self.ping, timeout=30,
                   what=f"{self.name} answers after reconfigure")

    def ping(self):
        return " is UP" in self.run("scontrol", "ping", timeout=30)

    def sbatch(self, *args, script="#!/bin/sh\ntrue\n", **kw):
        """Submits script; returns the job id."""
        out = self.run("sbatch", "--parsable", "--output=%j.out", *args,
                       stdin=script, **kw)
        return int(out.split(";")[0])

    def job(self, job_id):
        """What scontrol says of a job, as a dictionary; {} if unknown."""
        # 24.11 shows what is revoked to those who want all
        done = self.run("scontrol", "--local", "--all", "--oneliner", "show",
                        "job", str(job_id), check=False)
        if done.status:
            return {}
        return dict(re.findall(r"(\S+?)=(\S*)", done.out))

    def exit_codes(self):
        """{job: exit code} of all that slurmctld still knows."""
        out = self.scontrol("--local", "--all", "--oneliner", "show", "job")
        return {int(job): code for job, code in re.findall(
            r"^JobId=(\d+) .*? ExitCode=(\S+)", out, re.M)}

    def job_state(self, job_id):
        return self.job(job_id).get("JobState")

    def wait_job(self, job_id, *states, timeout=30):
        """Waits until the job is in one of the states (default COMPLETED)."""
        return wait_until(lambda: self.job(job_id),
                          lambda job: job.get("JobState") in
                          (states or ("COMPLETED",)), timeout,
                          f"job {job_id} on {self.name} is "
                          f"{' or '.join(states or ('COMPLETED',))}")

    def wait_saved(self, *job_ids):
        """Until the jobs as they are now are in slurmctld's state file.

        slurmctld writes it some seconds late: what a kill -9 takes away of
        that time is not what our tests are about.
        """
        token = f"saved-{time.monotonic_ns()}"
        for job_id in job_ids:
            self.scontrol("update", f"jobid={job_id}", f"comment={token}")

        def saved():
            with open(os.path.join(self.dir, "state", "job_state"), "rb") as f:
                return f.read().count(token.encode())
        wait_until(saved, lambda count: count >= len(job_ids), 30,
                   f"jobs {job_ids} are in {self.name}'s state file")


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
