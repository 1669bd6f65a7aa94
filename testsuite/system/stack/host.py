"""A second host: a network of its own, joined to this machine's by a cable.

The backup of a slurmctld pair runs there. On one host it could not: both of a
pair have the same port, and slurmdbd notes the address that a controller
comes from as the one where it is.

The host is a network and a mount namespace held by one process: it shares all
files but run/, which is its own, as /run of a real host is. With the last
process in it the namespaces and both ends of the veth pair disappear.
"""
import os
import subprocess

from .ports import FIRST, free_port
from .process import Daemon


class Host(Daemon):
    def __init__(self, name, stack):
        super().__init__(name, stack)
        # A port is reserved for us alone; so is what is derived from it: four
        # addresses of 198.18.0.0/15, which are for tests and routed nowhere.
        number = free_port() - FIRST
        self._link = f"ff{number}"
        self.outside = _address(4 * number + 1)  # this machine's end
        self.address = _address(4 * number + 2)

    def argv(self):
        return ["unshare", "--net", "--uts", "--mount", "sh", "-c",
                'hostname "$0" && mount -t tmpfs tmpfs "$1" && '
                'ip link set lo up && exec sleep infinity',
                self.name, self.stack.run]

    def ready(self):
        return _netns(self.pid) != _netns("self") and \
            open(f"/proc/{self.pid}/comm").read() == "sleep\n"

    def start(self):
        super().start()
        _run("ip", "link", "add", self._link, "type", "veth", "peer", "name",
             "eth0", "netns", str(self.pid))
        _run("ip", "address", "add", f"{self.outside}/30", "dev", self._link)
        _run("ip", "link", "set", self._link, "up")
        inside = self.enter()
        _run(*inside, "ip", "address", "add", f"{self.address}/30",
             "dev", "eth0")
        _run(*inside, "ip", "link", "set", "eth0", "up")
        return self

    def enter(self):
        """What to put before a command so that it runs there."""
        return ["nsenter", "--net", "--uts", "--mount", "--target", str(self.pid)]

    def unplug(self):
        """Pulls the cable: packets are lost, no connection is refused."""
        _run("ip", "link", "set", self._link, "down")

    def plug(self):
        _run("ip", "link", "set", self._link, "up")


def _address(number):
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def _netns(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


def _run(*argv):
    subprocess.run(argv, check=True, capture_output=True)
