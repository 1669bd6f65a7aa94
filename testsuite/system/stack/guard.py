"""Ends what a stack started, when the process that made the stack is gone.

Run as a child with a pipe as standard input: end of file means that the
parent has ended, killed or not. Every process of a stack carries the stack's
directory in its environment or (slurmstepd and slurmscriptd write their title
over theirs) works in it; those, and only those, are killed, then what is mounted
in the directory is let go and it is removed.

    guard.py DIRECTORY
"""
import os
import shutil
import signal
import subprocess
import sys
import time

MARK = "FED_FLURM_STACK"


def members(directory):
    """Ids of all living processes of the stack."""
    return [int(entry) for entry in os.listdir("/proc")
            if entry.isdigit() and int(entry) != os.getpid()
            and _belongs(entry, directory)]


def _belongs(pid, directory):
    try:
        cwd = os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)")
        if (cwd + "/").startswith(directory + "/"):
            return True
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{MARK}={directory}".encode() in file.read().split(b"\0")
    except OSError:
        return False  # it has ended


def kill_all(directory):
    deadline = time.monotonic() + 10
    while pids := members(directory):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if time.monotonic() > deadline:
            return pids
        time.sleep(0.02)
    return []


def unmount_all(directory):
    with open("/proc/self/mounts") as file:
        places = [line.split()[1] for line in file]
    for place in places:
        if place.startswith(directory + "/"):
            subprocess.run(["umount", "--lazy", place], check=False)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    kill_all(sys.argv[1])
    unmount_all(sys.argv[1])
    shutil.rmtree(sys.argv[1], ignore_errors=True)
