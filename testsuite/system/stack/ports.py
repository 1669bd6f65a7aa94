"""Free TCP ports on 127.0.0.1, never given out twice.

A port is reserved for the life of this process by an abstract unix socket of
its name: stacks of other processes, also those in the Debian 13 root, share
the network namespace and see it taken. Ports below the ephemeral range, so
that no outgoing connection sits on one while its daemon restarts.
"""
import random
import socket

FIRST, LAST = 20000, 32000
_reserved = {}


def free_port():
    for port in random.sample(range(FIRST, LAST), LAST - FIRST):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(f"\0fed_flurm-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _reserved[port] = claim
        return port
    raise RuntimeError(f"no free port in {FIRST}..{LAST}")


def release(port):
    claim = _reserved.pop(port, None)
    if claim:
        claim.close()


def listening(port, host="127.0.0.1"):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
