"""What jobs did, told by themselves.

Each script appends a line to one file when it starts, and may append another
when it ends. Whatever the clusters say: this is what happened.
"""
import collections
import os

from .wait import wait_until

START = """#!/bin/sh
echo "start $SLURM_JOB_ID $SLURM_CLUSTER_NAME ${SLURM_RESTART_COUNT:-0}" \
    "$(date +%%s.%%N)" >>%(path)s
%(rest)s
"""

Line = collections.namedtuple("Line", "what job cluster restart time")


class Witness:
    def __init__(self, stack):
        self.path = os.path.join(stack.work, "witness")
        self.forget()

    def forget(self):
        """Begins anew: an id can be given out twice by a slurmctld that was
        killed before it noted that it had."""
        with open(self.path, "w"):
            os.chmod(self.path, 0o666)

    def script(self, rest=""):
        """A script that says that it starts, and goes on with rest."""
        return START % {"path": self.path, "rest": rest}

    @property
    def until_released(self):
        """Shell that waits for release()."""
        return f"while [ ! -e {self.path}-$SLURM_JOB_ID ]; do sleep 0.1; done\n"

    def release(self, job):
        open(f"{self.path}-{job}", "w").close()

    def end(self, code):
        """Shell for the end of a script: says so, and exits with a code."""
        return (f'code=$(({code}))\necho "end $SLURM_JOB_ID '
                f'$SLURM_CLUSTER_NAME ${{SLURM_RESTART_COUNT:-0}} $code" '
                f'>>{self.path}\nexit $code\n')

    def lines(self, what=None):
        with open(self.path) as file:
            text = file.read()
        # the last one may be under way
        lines = (line.split() for line in text.split("\n")[:-1])
        return [Line(kind, int(job), cluster, int(restart), rest)
                for kind, job, cluster, restart, rest in lines
                if what in (None, kind)]

    def starts(self, job):
        """[(cluster, restart count)] of each start of a job."""
        return [(line.cluster, line.restart) for line in self.lines("start")
                if line.job == job]

    def started_twice(self):
        """{(job, restart count): clusters} of what started more than once."""
        where = collections.defaultdict(list)
        for line in self.lines("start"):
            where[line.job, line.restart].append(line.cluster)
        return {run: clusters for run, clusters in where.items()
                if len(clusters) > 1}

    def wait_started(self, job, count=1, timeout=20):
        return wait_until(lambda: self.starts(job),
                          lambda seen: len(seen) == count, timeout,
                          f"job {job} has started {count} times")
