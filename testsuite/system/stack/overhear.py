"""Stands between clients and a controller, and keeps what clients ask.

For tests that need true requests of Slurm's commands to alter.
"""
import os
import socket
import threading

from . import wire
from .ports import free_port


class Overhearer:
    """Fills `seen`: message type -> body of the last request of it."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.port = free_port()
        self.seen = {}
        self.conf = os.path.join(cluster.dir, "proxied.conf")
        with open(cluster.conf) as file:
            lines = [line for line in file
                     if not line.startswith(("SlurmctldPort=",
                                             "SlurmctldHost="))]
        with open(self.conf, "w") as file:
            file.writelines(lines)
            file.write(f"SlurmctldHost=localhost(127.0.0.1)\n"
                       f"SlurmctldPort={self.port}\n")
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._listen, daemon=True).start()

    def run(self, *argv, stdin=None):
        """A client's command; whether it succeeds does not matter."""
        return self.cluster.run("env", f"SLURM_CONF={self.conf}", *argv,
                                stdin=stdin, check=False)

    def _listen(self):
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,),
                             daemon=True).start()

    def _serve(self, conn):
        client = wire.Connection.__new__(wire.Connection)
        client.socket = conn
        try:
            with client, wire.Connection(self.cluster.port) as controller:
                request = client.receive()
                kind, body = wire.kind_of(request)
                self.seen[kind] = body
                controller.send(wire.frame(request))
                client.send(wire.frame(controller.receive()))
        except OSError:
            pass

    def close(self):
        self._listener.close()
