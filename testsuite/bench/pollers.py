"""Clients that ask FLURM for all jobs again and again, as squeue does."""
import struct
import threading
import time

from stack import wire

REQUEST_JOB_INFO = 2003


class Pollers:
    """A context: threads, each of which asks once in so many seconds, on a new
    connection and with a credential of its own."""

    def __init__(self, stack, count, every):
        self.port, self.count, self.every = stack.flurm.port, count, every
        self.done = threading.Event()
        self.answers = 0
        self.slowest = 0.0
        self.munge = wire.Munge(stack.munge.socket)
        self.version = stack.rpc_version()
        self.threads = [threading.Thread(target=self._run, args=(i / count,),
                                         daemon=True) for i in range(count)]

    def _run(self, phase):
        self.done.wait(phase * self.every)
        # last update, flags, no list of ids
        body = struct.pack(">QHI", 0, 0, 0xfffffffe)
        while not self.done.is_set():
            start = time.monotonic()
            with wire.Connection(self.port, timeout=30) as conn:
                conn.send(wire.message(REQUEST_JOB_INFO, body, self.version,
                                       self.munge.credential()))
                if wire.kind_of(conn.receive())[0] == REQUEST_JOB_INFO + 1:
                    self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - start)
            self.done.wait(self.every)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def __str__(self):
        return (f"{self.count} every {self.every:g} s, {self.answers} answers, "
                f"slowest {self.slowest * 1000:.0f} ms")
