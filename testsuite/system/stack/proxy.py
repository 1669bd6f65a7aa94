"""What is between two daemons: a wire that can be cut, or swallow all.

Listens where one of them looks for the other and passes on what they say. To
stand where a daemon listens on every address of this machine, it may listen on
another host (host.py), whose address is then the daemon's.
"""
import contextlib
import ctypes
import os
import socket
import struct
import threading

_CLONE_NEWNET = 0x40000000
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST


class Proxy:
    """From (address, port) to (to_address, to_port).

    whole_requests: what is asked arrives whole, only answers are torn. A
    slurmctld of 22.05 ends if it is reset while it still speaks
    (slurm_persist_conn.c, _conn_readable()).
    """

    def __init__(self, address, port, to_port, to_address="127.0.0.1",
                 host=None, whole_requests=False):
        self.port = port
        self._whole_requests = whole_requests
        self.torn = 0  # connections that ended in the middle of something
        self._to = (to_address, to_port)
        self._flow = threading.Event()  # cleared: nothing comes through
        self._flow.set()
        self._cutting = False
        self._closed = False
        self._conns = set()
        with _inside(host):
            self._listener = socket.create_server((address, port))
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def joined(self):
        """How many connections go through it now."""
        return len(self._conns) // 2

    # -- what goes wrong

    def cut(self):
        """From now on: whatever is said is torn in half, both ends are reset."""
        self._cutting = True

    def swallow(self):
        """From now on: a black hole. Connections stay, nothing arrives."""
        self._flow.clear()

    def mend(self):
        self._cutting = False
        self._flow.set()

    def close(self):
        self._closed = True
        self._listener.close()
        self._flow.set()
        for conn in list(self._conns):
            _hang_up(conn)

    # -- what goes through

    def _listen(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,),
                             daemon=True).start()

    def _join(self, near):
        self._flow.wait()
        try:
            far = socket.create_connection(self._to, 10)
        except OSError:
            if self._whole_requests:
                _hear_out(near)
            _hang_up(near)
            near.close()
            return
        far.settimeout(None)
        self._conns |= {near, far}
        for conn in (near, far):
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._pump, args=(far, near, False),
                                daemon=True)
        back.start()
        self._pump(near, far, self._whole_requests)
        back.join()
        self._conns -= {near, far}
        near.close()
        far.close()

    def _pump(self, here, there, whole):
        try:
            while data := here.recv(65536):
                self._flow.wait()
                if self._closed:
                    return
                if self._cutting and not whole:
                    there.sendall(data[:len(data) // 2])
                    self.torn += 1
                    _hang_up(here)
                    _hang_up(there)
                    return
                there.sendall(data)
            self._flow.wait()
            there.shutdown(socket.SHUT_WR)
        except OSError:
            _hang_up(here)
            _hang_up(there)


def _hear_out(conn):
    """Whoever is silent for half a second waits for an answer."""
    conn.settimeout(0.5)
    with contextlib.suppress(OSError):
        while conn.recv(65536):
            pass


def _hang_up(conn):
    try:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other end was quicker


@contextlib.contextmanager
def _inside(host):
    """Sockets that this thread makes are the host's."""
    if host is None:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net") \
            as here, open(f"/proc/{host.pid}/ns/net") as there:
        def enter(space):
            if libc.setns(space.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        enter(there)
        try:
            yield
        finally:
            enter(here)
