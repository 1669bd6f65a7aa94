"""A member of the federation that only listens, and keeps what it is told.

For tests that need true messages of slurmctld and slurmdbd to alter.
"""
import socket
import struct
import threading

from . import wire
from .ports import free_port


class Recorder:
    """Fills `seen`: message type -> bodies, in order of arrival."""

    def __init__(self, version, munge_socket):
        self.version = version
        self.port = free_port()
        self.seen = {}
        self._munge = wire.Munge(munge_socket)
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,),
                             daemon=True).start()

    def _serve(self, conn):
        peer = wire.Connection.__new__(wire.Connection)
        peer.socket = conn
        with peer:
            try:
                self._converse(peer)
            except OSError:
                pass

    def _converse(self, peer):
        kind, body = wire.kind_of(peer.receive())
        self._note(kind, body)
        if kind != wire.REQUEST_PERSIST_INIT:
            peer.send(wire.message(
                wire.RESPONSE_SLURM_RC, struct.pack(">I", 0), self.version,
                self._munge.credential()))
            return
        peer.send(wire.persistent(wire.PERSIST_RC, wire.string(None) +
                                  struct.pack(">HIH", 0, 0, self.version)))
        while data := peer.receive():
            kind, = struct.unpack_from(">H", data)
            self._note(kind, data[2:])
            if kind == wire.REQUEST_CTLD_MULT_MSG:
                return  # as if we had died: it will be sent again
            peer.send(wire.persistent(wire.RESPONSE_SLURM_RC,
                                      struct.pack(">I", 0)))

    def _note(self, kind, body):
        self.seen.setdefault(kind, []).append(body)

    def close(self):
        self._listener.close()
