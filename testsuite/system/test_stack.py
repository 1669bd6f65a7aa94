"""The stack itself, with stock Slurm: what all the other tests stand on."""
import os
import subprocess
import sys

from stack import guard, wait_until


def test_stock_federation_runs_jobs(make_stack):
    stack = make_stack(flurm=None)
    stack.wait_linked()
    stack.wait_nodes()
    for cluster in stack.clusters.values():
        job = cluster.sbatch(f"--clusters={cluster.name}")
        cluster.wait_job(job)


SCRIPT = """
import sys, time
from stack import Stack
stack = Stack(natives=("alpha",)).start()
stack.wait_nodes()
job = stack.alpha.sbatch(script="#!/bin/sh\\nsleep 600\\n")
stack.alpha.wait_job(job, "RUNNING")
print(stack.dir, flush=True)
time.sleep(600)
"""


def test_nothing_outlives_a_killed_owner():
    """kill -9 of what made a stack ends its daemons and jobs too."""
    owner = subprocess.Popen([sys.executable, "-c", SCRIPT], text=True,
                             stdout=subprocess.PIPE,
                             cwd=os.path.dirname(os.path.abspath(__file__)))
    try:
        directory = owner.stdout.readline().strip()
        # munged, mariadbd, slurmdbd, slurmctld, slurmscriptd, slurmd,
        # slurmstepd, the script and its sleep
        wait_until(lambda: guard.members(directory),
                   lambda pids: len(pids) >= 9, 10, "the stack runs a job")
    finally:
        owner.kill()
        owner.wait()
    wait_until(lambda: guard.members(directory), lambda pids: not pids, 10,
               "all processes of the stack are gone")
    wait_until(lambda: os.path.exists(directory), lambda there: not there, 10,
               "the stack's directory is gone")
