"""PrivateData at FLURM: who sees whose jobs, and the nodes."""
import re

import pytest

from stack import wait_until

pytestmark = pytest.mark.fed_flurmd
STACK = {"gateway": "local"}
SCRIPT = "#!/bin/sh\nsleep 600\n"


@pytest.fixture(scope="module")
def hidden(stack):
    """The site hides what others have."""
    alpha = stack.alpha
    alpha.extra.append("PrivateData=jobs,nodes,partitions,usage,"
                       "users")
    alpha.write_conf()
    alpha.slurmctld.restart()
    if stack.flurm.daemon:
        stack.flurm.daemon.restart()
    stack.wait_flurm_linked(100)


@pytest.fixture(scope="module")
def private(stack, hidden):
    """Jobs of daemon and of nobody at FLURM."""
    alpha = stack.alpha
    for cluster in stack.clusters.values():
        cluster.scontrol("update", f"nodename={cluster.name}1", "state=drain",
                         "reason=test")
    jobs = {user: alpha.sbatch("--mem=10", user=user, script=SCRIPT)
            for user in ("daemon", "nobody")}
    for job in jobs.values():
        stack.flurm.gateway.wait_job(job, "running", timeout=30)
    wait_until(lambda: _seen(stack, None), lambda seen: len(seen) == 2, 10,
               "root sees both")
    yield jobs
    alpha.run("scancel", *map(str, jobs.values()))


def _seen(stack, user):
    out = stack.alpha.run("squeue", "-M", "flurm", "--noheader",
                          "--format=%i", user=user)
    return {int(line) for line in out.split() if line.isdigit()}


@pytest.mark.parametrize("argv", [
    ("sshare", "-a"), ("scontrol", "--oneliner", "show", "assoc_mgr")])
def test_associations(stack, hidden, argv):
    """Of users and their shares each sees what a native shows him: before
    FLURM has run anything, as that native has not either."""
    def told(cluster, user):
        done = stack.alpha.run(argv[0], "-M", cluster, *argv[1:], user=user,
                               check=False)
        text = re.sub(r"\bID=\d+|\bLft=\d+|\(\d+\)(?= Lineage| Lft)", "",
                      done.out + done.err)
        return done.status, text.replace(cluster, "CLUSTER")

    known = (None, "daemon", "nobody")
    # older natives answer a user that slurmdbd has not with rubbish
    for user in known if stack.slurm_version < (23,) else (*known, "games"):
        wait_until(lambda: told("alpha", user),
                   lambda seen: seen == told("flurm", user), 10,
                   f"the same for {user}")
    assert "nobody" in told("flurm", None)[1]
    assert "nobody" in told("flurm", "nobody")[1]
    assert "nobody" not in told("flurm", "daemon")[1]


def test_jobs(stack, private):
    assert _seen(stack, None) == set(private.values())
    for user, job in private.items():
        assert _seen(stack, user) == {job}
    assert _seen(stack, "games") == set()


def test_one_job(stack, private):
    """One that is hidden is one that is not there."""
    done = stack.alpha.scontrol("-M", "flurm", "show", "job",
                                str(private["daemon"]), user="nobody",
                                check=False)
    assert done.status and "Invalid job id" in done.err, done
    out = stack.alpha.run("squeue", "-M", "flurm", "--steps", "--noheader",
                          "--Format=stepid:30", user="nobody")
    assert str(private["daemon"]) not in out
    assert str(private["nobody"]) in out


@pytest.mark.parametrize("argv", [("sinfo",),
                                  ("scontrol", "show", "partition"),
                                  ("scontrol", "show", "node")])
def test_nodes(stack, private, argv):
    done = stack.alpha.run(argv[0], "-M", "flurm", *argv[1:], user="nobody",
                           check=False)
    assert "flurm1" not in done.out
    assert "denied" in done.err or "denied" in done.out, done
    assert "flurm1" in stack.alpha.run(argv[0], "-M", "flurm", *argv[1:])


def test_operator_sees_all(stack, private):
    stack.sacctmgr("add", "user", "games", "account=science",
                   "adminlevel=operator")
    wait_until(lambda: _seen(stack, "games"),
               lambda seen: seen == set(private.values()), 20,
               "the operator sees both")
