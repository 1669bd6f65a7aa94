"""The whole: directory, daemons in order, federation, and the end of it all."""
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile

from . import guard
from .cluster import Cluster
from .flurm import Flurm
from .gateway import Gateway
from .host import Host
from .mariadb import MariaDB
from .munge import Munge
from .proxy import Proxy
from .ports import free_port
from .release import slurm_release
from .slurmdbd import Slurmdbd
from .wait import TimedOut, wait_until
from .witness import Witness

FEDERATION = "fed"
ACCOUNT = "science"
FINAL = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
GONE = (None, "REVOKED", "CANCELLED")  # a sibling has let go of its copy
USERS = ("root", "daemon", "nobody")


class Stack:
    """Use it as a context manager, or call start() and stop().

    natives  names of the native clusters; the first hosts FLURM's controller
    flurm    who hosts FLURM's controller: "plugin", "fed_flurmd", or None
             for stock Slurm alone
    pair     the first cluster has a backup slurmctld, on a second host
    gateway  backend of FLURM's own side, or None: there is no such side
    wires    there is a proxy on the way to FLURM's controller, to FLURM's own
             side and, after reroute(), to a native: self.wires[name]
    disk     FLURM's ledger has a file system of its own, of so many MiB
    conf     more lines of the natives' slurm.conf
    auth     "munge", or "slurm" (24.11) for auth/slurm
    slurm_user  SlurmUser, whom all controllers and slurmdbd run as
    """

    def __init__(self, natives=("alpha", "beta"), flurm=None, pair=False,
                 gateway=None, wires=False, disk=None, conf=(),
                 auth="munge", slurm_user="root"):
        # a short path: unix socket names have at most 107 characters
        self.dir = tempfile.mkdtemp(prefix="ff-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.slurm_user = slurm_user
        self.cred = "cred/munge" if auth == "munge" else "auth/slurm"
        self._slurm_key = os.urandom(64) if auth == "slurm" else None
        self._alone = contextlib.ExitStack()  # what only one stack may have
        self.give(self.mkdir("log"))
        self.run = self.give(self.mkdir("run"))  # what belongs to one host
        self.work = self.mkdir("work")  # where jobs run and write
        os.chmod(self.work, 0o1777)
        self.witness = Witness(self)
        self._guard = subprocess.Popen(
            [sys.executable, guard.__file__, self.dir],
            stdin=subprocess.PIPE, start_new_session=True)
        # another host reaches this machine under another address
        self.backup_host = Host(f"{natives[0]}-backup", self) if pair else None
        self.address = self.backup_host.outside if pair else "127.0.0.1"
        self.slurm_version = tuple(map(int, slurm_release().split(".")))
        self.munge = Munge(self)
        self.mariadb = MariaDB(self)
        self.slurmdbd = Slurmdbd(self, self.mariadb)
        self.clusters = {}
        self.conf = conf
        self.wires = {}
        self._outpost = Host("outpost", self) if wires else None
        for name in natives:
            self.add_cluster(name, None if self.clusters
                             else self.backup_host)
        self.flurm = None
        if flurm:
            self.flurm = Flurm(self, host=flurm)
            if wires:
                self.flurm.options["Address"] = self._outpost.address
                self.flurm.url_port = free_port()
            self.flurm.disk = disk
            self.flurm.join(self.first)
            if gateway:
                self.flurm.gateway = Gateway(self.flurm, gateway)

    def add_cluster(self, name, backup_host=None):
        self.clusters[name] = Cluster(name, self, self.munge, self.slurmdbd,
                                      backup_host, self.conf)
        return self.clusters[name]

    def __getattr__(self, name):
        """stack.alpha is its cluster alpha."""
        try:
            return self.__dict__["clusters"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def first(self):
        return next(iter(self.clusters.values()))

    # -- files

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def give(self, path):
        """Gives a file or directory to SlurmUser; returns its path."""
        shutil.chown(path, self.slurm_user)
        return path

    def auth_lines(self, directory):
        """AuthType and AuthInfo for a file in a directory, which gets the key
        that auth/slurm has beside it."""
        if not self._slurm_key:
            return f"AuthType=auth/munge\nAuthInfo=socket={self.munge.socket}"
        path = os.path.join(directory, "slurm.key")
        with open(path, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(self._slurm_key)
        self.give(path)
        return "AuthType=auth/slurm\nAuthInfo=use_client_ids"

    def become(self):
        """What to put before a command so that it runs as SlurmUser."""
        return ["setpriv", f"--reuid={self.slurm_user}",
                f"--regid={self.slurm_user}", "--clear-groups"]

    def mkdir(self, *names):
        os.mkdir(self.path(*names))
        return self.path(*names)

    def environ(self):
        env = {key: value for key, value in os.environ.items()
               if not re.match("SLURM|SBATCH|SRUN|SQUEUE|SINFO|SACCT", key)}
        env[guard.MARK] = self.dir
        env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:" \
            "/sbin:/bin"
        return env

    # -- life

    def start(self):
        if self._slurm_key:
            # all slurmctlds of this machine have one socket in /run for the
            # credentials of clients (auth/slurm/sack.c): one stack at a time
            lock = self._alone.enter_context(
                open("/run/lock/fed_flurm-sack", "w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        if self.backup_host:
            self.backup_host.start()
        if self._outpost:
            self._outpost.start()
            self._lay_wires()
        self.munge.spawn()
        self.mariadb.start()
        self.mariadb.prepare()
        self.munge.wait_ready()
        self.slurmdbd.start()
        # as an administrator does: first the clusters, then who may run jobs
        self.sacctmgr("add", "cluster", ",".join(self.members()))
        self.sacctmgr("add", "account", ACCOUNT)
        self.sacctmgr("add", "user", ",".join(USERS), f"account={ACCOUNT}")
        for cluster in self.clusters.values():
            cluster.slurmctld.spawn()
        for cluster in self.clusters.values():
            cluster.slurmctld.wait_ready()
            cluster.slurmd.spawn()
        if self.flurm and self.flurm.gateway:
            self.flurm.gateway.start()
        if self.flurm and self.flurm.daemon:
            self.flurm.daemon.start()
        # a federation of members that slurmdbd does not know yet leaves some
        # of them unlinked for a long time
        for cluster in self.clusters.values():
            wait_until(lambda: self.registered(cluster.name), timeout=30,
                       what=f"{cluster.name} is registered in slurmdbd")
            # what slurmdbd tells one that still starts has both wait for
            # each other
            wait_until(cluster.ping, timeout=30,
                       what=f"{cluster.name} has started")
            # not before: a primary that starts asks the backup for control,
            # and waits half a minute if that one starts, too
            for backup in cluster.controllers[1:]:
                backup.spawn()
        # until then slurmdbd has FLURM where it registers from, past the wire
        if self.wires:
            self.wait_registered()
        self.sacctmgr("add", "federation", FEDERATION,
                      f"clusters={','.join(self.members())}")
        return self

    def _lay_wires(self):
        self.wires["flurm"] = Proxy(self._outpost.address, self.flurm.port,
                                    self.flurm.port, host=self._outpost,
                                    whole_requests=self.slurm_version <
                                    (24, 11))
        self.wires["gateway"] = Proxy("127.0.0.1", self.flurm.url_port,
                                      self.flurm.http_port)
        for cluster in self.clusters.values():
            self.wires[cluster.name] = Proxy("127.0.0.1", free_port(),
                                             cluster.port)

    def reroute(self, cluster):
        """Has FLURM find cluster's slurmctld at its proxy, until that
        registers again."""
        port = self.wires[cluster.name].port
        self.mariadb.query(f"UPDATE cluster_table SET control_port={port} "
                           f"WHERE name='{cluster.name}'")
        self.push()
        wait_until(lambda: self.wires[cluster.name].joined,
                   what=f"FLURM finds {cluster.name} there")
        self.wait_linked()

    def members(self):
        """Names of the clusters of the federation, FLURM last."""
        return [*self.clusters, *([self.flurm.name] if self.flurm else [])]

    def sacctmgr(self, *args, **kw):
        return self.first.run("sacctmgr", "--immediate", *args, **kw)

    def push(self):
        """Has slurmdbd tell all members how the federation is: what changes
        no feature is told as well."""
        self.sacctmgr("modify", "cluster", self.first.name, "set",
                      "features-=none")

    def wait_linked(self, timeout=30):
        """Until every cluster has all others as active, synced siblings.

        Two natives that connect to each other in the same moment may each take
        the other's connection for gone, and connect again only when they have
        something to say, or are told (doc/internals.md, "Traps of Slurm"):
        after half of the time they are."""
        natives = list(self.clusters)
        try:
            self._wait_linked(self.members(), timeout / 2)
        except TimedOut:
            if not _all_linked(self._federations(), natives):
                self.push()
            self._wait_linked(self.members(), timeout / 2)

    def _federations(self):
        return {name: cluster.federation()
                for name, cluster in self.clusters.items()}

    def _wait_linked(self, members, timeout):
        wait_until(self._federations, lambda feds: _all_linked(feds, members),
                   timeout, f"{', '.join(members)} are linked")

    def wait_registered(self, timeout=75):
        """Until FLURM is registered: it tries slurmdbd again after 2 s, then
        less and less often."""
        def registered():
            return all(cluster["slurmdbd"]["registered"]
                       for cluster in self.flurm.status()["clusters"])
        if self.flurm:
            wait_until(registered, timeout=timeout,
                       what="FLURM is registered in slurmdbd")

    def wait_flurm_linked(self, timeout=30):
        """Until FLURM is linked with all natives, as it sees it itself.

        Natives that lost each other connect again when they have something to
        say, and may take a connection of ours for gone that is not
        (fed_mgr.c, _persist_callback_fini())."""
        wait_until(lambda: self.flurm.status()["clusters"][0]["peers"],
                   lambda peers: len(peers) == len(self.clusters) and all(
                       peer["send"] and peer["recv"] and peer["synced"]
                       for peer in peers), timeout,
                   "FLURM is linked with all natives")

    def mend_natives(self):
        """Until the natives have each other's list of jobs; none of them
        schedules before. One that was lost on its way does not come again with
        22.05 (fed_mgr.c, _agent_thread(): "bitmap too small"): then one of
        them begins anew, and the other one if that is lost, too. With 24.11
        one that begins anew may wait for a slurmdbd that waits for it
        (proc_req.c, _add_registered_cluster())."""
        natives = list(self.clusters)
        for daemon in *(cluster.slurmctld for cluster in
                        reversed(self.clusters.values())), self.slurmdbd:
            with contextlib.suppress(TimedOut):
                self._wait_linked(natives, 20)
                return
            daemon.kill()
            daemon.spawn()
        self._wait_linked(natives, 60)

    def wait_nodes(self, timeout=30):
        for cluster in self.clusters.values():
            wait_until(lambda: cluster.run("sinfo", "--local", "-ho", "%T"),
                       lambda state: state.strip() in
                       ("idle", "mixed", "allocated"), timeout,
                       f"node of {cluster.name} is up")

    def registered(self, name):
        """slurmdbd knows where the cluster's controller is."""
        out = self.sacctmgr("-nP", "show", "cluster", name,
                            "format=controlport,rpc")
        return all(int(value) for value in out.split("|"))

    def rpc_version(self):
        """The protocol version that the native clusters speak."""
        return int(self.sacctmgr("-nP", "show", "cluster", self.first.name,
                                 "format=rpc"))

    def federate(self, *args):
        """sacctmgr modify federation ..."""
        self.sacctmgr("modify", "federation", FEDERATION, "set", *args)

    def set_features(self):
        """Each member has one, its name: a constraint says who runs a job."""
        for name in self.members():
            self.sacctmgr("modify", "cluster", name, "set", f"features={name}")
        wait_until(self.first.federation, lambda fed: all(
            f"Features:{name}" in fed.text for name in self.members()),
            what=f"{self.first.name} knows the features")
        # natives may lose each other for a minute when they hear of features
        self.wait_linked(100)

    def wait_done(self, job_id, timeout=60):
        """Waits until the job has ended where it ran, whichever cluster that
        is; returns its name and what it says of the job."""
        def look():
            return {name: cluster.job(job_id)
                    for name, cluster in self.clusters.items()}

        def ran(job):
            # the copies that lost, and the origin's of a job that ran
            # elsewhere, end as REVOKED or CANCELLED without a start
            return job.get("JobState") in FINAL and job["NodeList"] != "(null)"
        seen = wait_until(look, lambda jobs: any(map(ran, jobs.values())),
                          timeout, f"job {job_id} has ended")
        return next((name, job) for name, job in seen.items() if ran(job))

    def wait_states(self, job_id, timeout=20, **wanted):
        """Waits until each of the named clusters has the job in its state,
        or one of its states; FLURM's are its own words, as in "running"."""
        def look():
            return {name: self.flurm.gateway.job(job_id).get("state")
                    if self.flurm and name == self.flurm.name
                    else self.clusters[name].job_state(job_id)
                    for name in wanted}

        def right(seen):
            return all(seen[name] == state or isinstance(state, tuple) and
                       seen[name] in state for name, state in wanted.items())
        return wait_until(look, right, timeout,
                          f"job {job_id} is so: {wanted}")

    def natives(self, state):
        """Drains or resumes their nodes."""
        for cluster in self.clusters.values():
            # one that is resumed already cannot be resumed
            cluster.scontrol("update", f"nodename={cluster.name}1",
                             f"state={state}", "reason=test",
                             check=state != "resume")

    def fill_flurm(self):
        """A job that takes all of FLURM, and nothing of the natives, which
        are drained for that and stay so."""
        self.natives("drain")
        job = self.first.sbatch(f"--ntasks={self.flurm.gateway.cpus}",
                                user="daemon",
                                script="#!/bin/sh\nexec sleep 300\n")
        self.flurm.gateway.wait_job(job, "running")
        return job

    def queues(self):
        """{cluster: {job: state}} of what is unfinished at the natives."""
        return {name: dict(
            (int(job), state) for job, state in (
                line.split() for line in cluster.run(
                    "squeue", "--local", "--all", "--array", "--noheader",
                    "--format=%A %t").splitlines()))
                for name, cluster in self.clusters.items()}

    def cancel_all(self):
        """Of whatever is left of jobs nothing is left after this, but records
        of jobs that ran elsewhere (RV), if a native lost the end of one."""
        ids = {name: int(cluster.federation().self.id)
               for name, cluster in self.clusters.items()}

        def cancel(mine):
            for name, jobs in self.queues().items():
                jobs = [str(job) for job in jobs
                        if (job >> 26 == ids[name]) == mine]
                if jobs:
                    self.clusters[name].run("scancel", *jobs, check=False)
        # at their origins: who cancels a sibling's copy ends the origin's, too,
        # and nobody tells the other siblings
        cancel(True)
        if self.flurm and self.flurm.gateway:
            wait_until(self.flurm.gateway.unfinished, lambda jobs: not jobs,
                       what="FLURM has no job left")
        cancel(False)
        try:
            self._wait_no_job(8)
        except TimedOut:
            self._restart_forgetful()
            self._wait_no_job(30)

    def _jobs_left(self):
        """{cluster: its jobs}, of those that have any."""
        left = {name: {job: state for job, state in jobs.items()
                       if state != "RV"}
                for name, jobs in self.queues().items()}
        return {name: jobs for name, jobs in left.items() if jobs}

    def _wait_no_job(self, timeout):
        wait_until(self._jobs_left, lambda left: not left, timeout,
                   "no job is left")

    def _restart_forgetful(self):
        """What a native keeps of jobs that their origin has done with, it
        learns only from that one's next list, and 24.11 sends a scancel there
        (doc/internals.md, "Traps of Slurm")."""
        for name in self._jobs_left():
            self.clusters[name].slurmctld.restart()
        if self.flurm:
            self.wait_flurm_linked(60)

    def daemons(self):
        """All that may run."""
        if self.flurm and self.flurm.daemon:
            yield self.flurm.daemon
        if self.flurm and self.flurm.gateway:
            yield self.flurm.gateway
        for cluster in self.clusters.values():
            yield from cluster.daemons()
        yield from (self.slurmdbd, self.mariadb, self.munge)
        for host in (self.backup_host, self._outpost):
            if host:
                yield host

    def stop(self, keep=False):
        """Ends everything. The directory stays if keep is set."""
        if self._guard.poll() is None and keep:
            self._guard.kill()  # it would remove the directory
        left = guard.kill_all(self.dir)
        for daemon in self.daemons():
            daemon.kill()
        for wire in self.wires.values():
            wire.close()
        guard.unmount_all(self.dir)
        self._alone.close()
        self._guard.stdin.close()
        self._guard.wait()
        assert not left, f"cannot kill processes {left} of {self.dir}"

    def logs(self):
        """The last lines of each daemon's log, for a failed test."""
        return "".join(f"--- {daemon.name}\n{daemon.tail()}"
                       for daemon in self.daemons())

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop(keep=True)
            raise

    def __exit__(self, kind, *_):
        self.stop(keep=kind is not None)


def _all_linked(feds, members):
    """All members are linked with each other, by what natives say."""
    return all(fed.linked(*(other for other in members if other != name))
               for name, fed in feds.items())
