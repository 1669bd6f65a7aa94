"""Job specs."""
import itertools
import os
import pwd

NOBODY = pwd.getpwnam("nobody")
_ids = itertools.count(1)


def as_user():
    """The user that test jobs run as: nobody, or ourselves if not root."""
    return NOBODY if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def next_id():
    """A federated job id of cluster 1 that no other job of the run has."""
    return (1 << 26) | next(_ids)


def spec(script="exit 0", **fields):
    """A spec that any gateway of the tests takes; None leaves a field out."""
    user = as_user()
    if not script.startswith("#!"):
        script = "#!/bin/bash\n" + script + "\n"
    job = {"fed_job_id": next_id(), "epoch": 1, "origin_cluster": "native",
           "name": "test", "user": user.pw_name, "user_id": user.pw_uid,
           "group_id": user.pw_gid, "work_dir": "/tmp",
           "std_out": "/dev/null", "script": script, "num_cpus": 1,
           "environment": ["PATH=/usr/bin:/bin", "LANG=C"],
           "start_gate": False}
    job.update(fields)
    return {name: value for name, value in job.items() if value is not None}
