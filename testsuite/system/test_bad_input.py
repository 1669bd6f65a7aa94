"""Bad input at FLURM's port harms neither slurmctld nor the federation.

What comes in is, for the most part, true messages of slurmctld and slurmdbd
with something changed, so that they get past the first check.
"""
import concurrent.futures
import contextlib
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from stack import wait_until, wire
from stack.recorder import Recorder

FRAMES = 10000
CONNECTIONS = 500
SEED = int(os.environ.get("FED_FLURM_SEED", "20240"))


@pytest.fixture(scope="module")
def bodies(stack):
    """Bodies of what natives and slurmdbd send to a member, by type."""
    version = stack.rpc_version()
    recorder = Recorder(version, stack.munge.socket)
    stack.sacctmgr("add", "cluster", "recorder")
    stack.mariadb.query(
        "update cluster_table set control_host='127.0.0.1', "
        f"control_port={recorder.port}, rpc_version={version} "
        "where name='recorder'")
    stack.federate("clusters+=recorder")
    munge = wire.Munge(stack.munge.socket)

    def join():
        """As alpha will only sync with whom it has a connection from."""
        conn = wire.Connection(stack.alpha.port)
        conn.send(wire.message(
            wire.REQUEST_PERSIST_INIT,
            wire.persist_init("recorder", version, port=recorder.port),
            version, munge.credential()))
        assert conn.receive()
        return conn
    with wait_until(join, what="alpha lets the recorder in"):
        wait_until(lambda: recorder.seen,
                   lambda seen: wire.REQUEST_CTLD_MULT_MSG in seen, 30,
                   "alpha has sent the recorder a MULT message")
    stack.federate("clusters-=recorder")
    stack.sacctmgr("delete", "cluster", "recorder")
    recorder.close()
    seen = {kind: bodies[-1] for kind, bodies in recorder.seen.items()}
    seen.setdefault(wire.REQUEST_PING, b"")
    seen.setdefault(wire.REQUEST_FED_INFO, b"")
    seen.setdefault(wire.ACCOUNTING_UPDATE_MSG, struct.pack(">II", 0, 0))
    stack.wait_linked()
    return seen


class Pinger(threading.Thread):
    """Pings slurmctld all the time; keeps the longest answer."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster = cluster
        self.done = threading.Event()
        self.longest = 0.0
        self.failed = None

    def run(self):
        while True:
            start = time.monotonic()
            try:
                if not self.cluster.ping():
                    self.failed = "slurmctld is DOWN"
            except Exception as err:  # told by the test
                self.failed = err
            self.longest = max(self.longest, time.monotonic() - start)
            if self.done.wait(0.1):
                return


@contextlib.contextmanager
def slurmctld_unharmed(stack, damaged=0):
    """It answers all the while, and has lost nothing afterwards, but what
    Slurm's own unpackers lose of so many damaged requests: 2 KiB of each with
    24.11. LeakSanitizer (testsuite/lsan.supp) tells that from a loss of ours.
    """
    ctld = stack.alpha.slurmctld
    stack.wait_linked(30)
    before = ctld.pid, ctld.descriptors(), ctld.threads(), ctld.resident()
    pinger = Pinger(stack.alpha)
    pinger.start()
    try:
        yield
    finally:
        pinger.done.set()
        pinger.join()
    assert pinger.failed is None
    assert pinger.longest < 1
    assert ctld.alive and ctld.pid == before[0]
    # other connections come and go, too
    wait_until(ctld.descriptors, lambda now: now <= before[1] + 5, 45,
               f"descriptors are closed again, there were {before[1]}")
    wait_until(ctld.threads, lambda now: now <= before[2] + 5, 45,
               f"threads have ended again, there were {before[2]}")
    assert ctld.resident() < before[3] + 32 * 1024 + 2 * damaged
    stack.wait_linked(75)
    for cluster in stack.clusters.values():
        cluster.wait_job(cluster.sbatch(f"--clusters={cluster.name}"))


def mutate(data, rng):
    """Something of data changed, cut, or put in."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        if not data:
            return bytes(data)
        where = rng.randrange(len(data))
        how = rng.randrange(6)
        if how == 0:
            data[where] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[where] = rng.choice((0, 1, 0x7f, 0x80, 0xff))
        elif how == 2:
            del data[where:]
        elif how == 3:
            del data[where:where + rng.randrange(1, 9)]
        elif how == 4:
            data[where:where] = rng.randbytes(rng.randrange(1, 9))
        else:  # a length or a count that is not true
            data[where:where + 4] = struct.pack(
                ">I", rng.choice((0, 1, 0x7fffffff, 0xfffffffe, 0xffffffff,
                                  len(data), 100000)))
    return bytes(data)


def some_frame(rng, bodies, version, munge):
    """Bytes to send on a new connection."""
    kind = rng.choice(list(bodies))
    body = bodies[kind]
    how = rng.randrange(10)
    if how == 0:  # noise
        return rng.randbytes(rng.randrange(200))
    if how == 1:  # noise in a frame
        return wire.frame(rng.randbytes(rng.randrange(200)))
    if how == 2:  # a message that is damaged all over
        return mutate(wire.message(kind, body, version, munge.credential()),
                      rng)
    if how == 3:  # any type at all
        return wire.message(rng.randrange(0x10000), mutate(body, rng),
                            version, munge.credential())
    if how == 4:  # a persistent connection that says nonsense
        init = wire.persist_init(
            rng.choice(("beta", "alpha", "flurm", "nobody", "")), version,
            rng.choice((0, 1, 2, 2, 2, 3, 4, 5, 5, 6, 0xffff)),
            rng.randrange(0x10000))
        return wire.message(wire.REQUEST_PERSIST_INIT, init, version,
                            munge.credential()) + \
            b"".join(wire.persistent(kind, mutate(bodies[kind], rng))
                     for kind in rng.choices(list(bodies), k=3))
    return wire.message(kind, mutate(body, rng), version, munge.credential(),
                        flags=rng.choice((wire.GLOBAL_AUTH_KEY, 0)))


def throw(port, data):
    """Sends it and listens for a moment to what comes."""
    with contextlib.suppress(OSError), wire.Connection(port, timeout=5) as c:
        c.send(data)
        c.socket.shutdown(socket.SHUT_WR)
        c.socket.settimeout(2)
        while c.socket.recv(65536):
            pass


def test_random_and_mutated_frames(stack, bodies):
    rng = random.Random(SEED)
    version = stack.rpc_version()
    munge = wire.Munge(stack.munge.socket)
    with slurmctld_unharmed(stack), \
            concurrent.futures.ThreadPoolExecutor(16) as pool:
        # a credential lives for five minutes: they are made as they are sent
        for start in range(0, FRAMES, 500):
            frames = [some_frame(rng, bodies, version, munge)
                      for _ in range(start, min(start + 500, FRAMES))]
            list(pool.map(lambda data: throw(stack.flurm.port, data), frames))


def persist_rc(data):
    """rc and protocol version of a PERSIST_RC."""
    kind, size = struct.unpack_from(">HI", data)
    assert kind == wire.PERSIST_RC
    return struct.unpack_from(">IH", data, 6 + size + 2)


def refused(stack, body, credential=None, version=None):
    """True if FLURM refuses this PERSIST_INIT, in words or by closing."""
    munge = wire.Munge(stack.munge.socket)
    with wire.Connection(stack.flurm.port, timeout=15) as conn:
        conn.send(wire.message(
            wire.REQUEST_PERSIST_INIT, body,
            stack.rpc_version() if version is None else version,
            credential or munge.credential()))
        try:
            answer = conn.receive()
        except ConnectionError:
            return True
        if not answer:
            return True
        if struct.unpack_from(">H", answer)[0] != wire.PERSIST_RC:
            kind, body = wire.kind_of(answer)
            return kind == wire.RESPONSE_SLURM_RC and any(body)
        rc, agreed = persist_rc(answer)
        # a native that is told version 0 ends in a segmentation fault
        assert agreed > 0
        return rc != 0 and conn.closed(15)


def credential_of(stack, user):
    """A credential that another user has made."""
    code = ("import sys; from stack import wire; "
            "sys.stdout.buffer.write(wire.Munge(sys.argv[1]).credential())")
    return subprocess.run(
        [sys.executable, "-B", "-c", code, stack.munge.socket], user=user,
        cwd=os.path.dirname(os.path.abspath(__file__)), check=True,
        capture_output=True).stdout


def test_a_true_persist_init_is_accepted(stack):
    """So that the refusals below are for the reason that they give."""
    version = stack.rpc_version()
    with slurmctld_unharmed(stack):
        assert not refused(stack, wire.persist_init("beta", version))


@pytest.mark.parametrize("cluster", ["nobody", "flurm", "", "bet", "beta2",
                                     None, "b" * 100000],
                         ids=lambda name: str(name)[:20])
def test_wrong_cluster_name_is_refused(stack, cluster):
    with slurmctld_unharmed(stack):
        assert refused(stack, wire.persist_init(cluster,
                                                stack.rpc_version()))


def test_wrong_uid_is_refused(stack):
    """Else any user could say which jobs start, end and are cancelled. It is
    in the log once, however often he tries."""
    version = stack.rpc_version()
    with slurmctld_unharmed(stack):
        for kind in 3 * (wire.PERSIST_FED, wire.PERSIST_ACCT_UPDATE):
            assert refused(stack, wire.persist_init("beta", version, kind),
                           credential_of(stack, "nobody"))
    host = stack.flurm.daemon or stack.alpha.slurmctld
    said = host.tail(10 ** 6)
    assert said.count("wanted to open a connection between daemons") == 1


def test_update_by_a_wrong_uid_changes_nothing(stack, bodies):
    """An ordinary user cannot tell FLURM that there is no federation."""
    with slurmctld_unharmed(stack):
        with wire.Connection(stack.flurm.port) as conn:
            conn.send(wire.message(
                wire.ACCOUNTING_UPDATE_MSG,
                bodies[wire.ACCOUNTING_UPDATE_MSG], stack.rpc_version(),
                credential_of(stack, "nobody")))
            with contextlib.suppress(OSError):
                kind, body = wire.kind_of(conn.receive())
                assert body != struct.pack(">I", 0)
        assert stack.beta.federation().linked("flurm")


@pytest.mark.parametrize("kind", [0, 1, 3, 4, 6, 0xffff])
def test_wrong_connection_type_is_refused(stack, kind):
    with slurmctld_unharmed(stack):
        assert refused(stack, wire.persist_init("beta", stack.rpc_version(),
                                                kind))


@pytest.mark.parametrize("version", [0, 1, 0xffff])
def test_wrong_version(stack, version):
    """In the header and in the body; too new is spoken to as we can."""
    with slurmctld_unharmed(stack):
        body = wire.persist_init("beta", version)
        if version != 0xffff:
            assert refused(stack, body)
        else:
            refused(stack, body)
        assert refused(stack, wire.persist_init("beta", stack.rpc_version()),
                       version=version)


def test_forged_credential_is_refused(stack):
    with slurmctld_unharmed(stack):
        assert refused(stack, wire.persist_init("beta", stack.rpc_version()),
                       b"MUNGE:AwQDAAD/forged==:")


def test_unknown_requests_are_answered(stack):
    """Each with an error at once, for its sender waits: register a node,
    reconfigure, give up control, check health, take over."""
    munge = wire.Munge(stack.munge.socket)
    version = stack.rpc_version()
    with slurmctld_unharmed(stack):
        for kind in (1001, 1003, 1009, 1011, 1012):
            with wire.Connection(stack.flurm.port, timeout=5) as conn:
                conn.send(wire.message(kind, b"", version,
                                       munge.credential(), flags=0))
                answered, body = wire.kind_of(conn.receive())
            assert answered == wire.RESPONSE_SLURM_RC, kind
            assert body != struct.pack(">I", 0), kind


def test_answers_that_nobody_asked_for_are_not_read(stack):
    """Slurm's own unpackers of those end in a segmentation fault: slurmctld
    died of a RESPONSE_JOB_INFO of 40 zero bytes, as a message and, from
    anybody without a credential, in the header of a ping."""
    munge = wire.Munge(stack.munge.socket)
    version = stack.rpc_version()
    with slurmctld_unharmed(stack):
        for kind in (2002, 2004, 2006, 2010, 4002, 5004, 7002, 8001, 9999):
            for size in (0, 4, 40, 400):
                throw(stack.flurm.port,
                      wire.message(kind, bytes(size), version,
                                   munge.credential()))
                throw(stack.flurm.port, wire.frame(struct.pack(
                    ">HHHIHHIHI", version, 0, wire.REQUEST_PING, 0, 0,
                    1, 0, kind, 0) + bytes(size)))


HALVES = {
    "nothing": b"",
    "half a length": b"\0\0",
    "a length": struct.pack(">I", 100),
    "half a message": struct.pack(">I", 100) + b"\x26\0" * 20,
    "a huge length": struct.pack(">I", 0xfffffff0) + b"x" * 100,
    "a large length": struct.pack(">I", 0x3fffffff) + b"x" * 100,
}


def test_silent_and_half_open_peers_are_closed(stack):
    """Within the bound on the time to the first whole message."""
    with slurmctld_unharmed(stack), contextlib.ExitStack() as all_of_them:
        peers = {}
        for name, data in HALVES.items():
            peers[name] = all_of_them.enter_context(
                wire.Connection(stack.flurm.port))
            peers[name].send(data)
        for name, peer in peers.items():
            assert peer.closed(60), name


def test_a_persistent_peer_that_stops_in_the_middle(stack, bodies):
    """It may be silent for hours, but not within a message."""
    munge = wire.Munge(stack.munge.socket)
    version = stack.rpc_version()
    with slurmctld_unharmed(stack), \
            wire.Connection(stack.flurm.port) as conn:
        conn.send(wire.message(wire.REQUEST_PERSIST_INIT,
                               wire.persist_init("beta", version), version,
                               munge.credential()))
        assert persist_rc(conn.receive())[0] == 0
        mult = wire.persistent(wire.REQUEST_CTLD_MULT_MSG,
                               bodies[wire.REQUEST_CTLD_MULT_MSG])
        conn.send(mult[:-1])
        assert conn.closed(60)


def test_many_connections(stack):
    """The natives' own links hold while strangers take all they can get."""
    with slurmctld_unharmed(stack), contextlib.ExitStack() as all_of_them:
        for _ in range(CONNECTIONS):
            with contextlib.suppress(OSError):
                all_of_them.enter_context(
                    wire.Connection(stack.flurm.port, timeout=2))
        assert stack.alpha.federation().linked("flurm", "beta")
        assert stack.beta.federation().linked("flurm", "alpha")
        # and slurmdbd's news still come in, sooner or later
        stack.sacctmgr("modify", "cluster", "beta", "set", "features=x")
    stack.sacctmgr("modify", "cluster", "beta", "set", "features=")
