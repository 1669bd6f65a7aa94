"""A private Slurm federation on loopback, made of real daemons.

A Stack is munged, MariaDB, slurmdbd and, for each native cluster, slurmctld
and slurmd, in one temporary directory and on free ports of 127.0.0.1; FLURM's
virtual controller is hosted by the first cluster's slurmctld (the plugin) or
by fed_flurmd. The system tests and ./demo drive it.

Nothing here waits for a fixed time: see wait.py.
"""
from .stack import GONE, Stack
from .wait import TimedOut, wait_until

__all__ = ["GONE", "Stack", "TimedOut", "wait_until"]
