"""Which Slurm this machine has."""
import functools
import os
import subprocess


@functools.cache
def slurm_release():
    """As in "22.05.8"."""
    out = subprocess.run(["slurmctld", "-V"], check=True, text=True,
                         capture_output=True,
                         env=dict(os.environ, PATH="/usr/sbin:/usr/bin"))
    return out.stdout.split()[1]
