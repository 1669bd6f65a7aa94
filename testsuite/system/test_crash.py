"""Daemons are killed with kill -9 and come back; all links come back, too, and
no job notices."""
import contextlib

import pytest

from stack import wait_until

BACK = 15  # seconds in which all links are up again once the peer is back

stock = pytest.mark.none  # not a word about FLURM in it

LONG = "#!/bin/sh\nexec sleep 600\n"


class Jobs:
    """One job that runs and two that wait, for each cluster."""

    def __init__(self, stack):
        self.clusters = stack.clusters.values()
        self.running = {cluster: cluster.sbatch(f"--clusters={cluster.name}",
                                                script=LONG)
                        for cluster in self.clusters}
        self.waiting = {cluster: [cluster.sbatch("--begin=now+1hour"),
                                  cluster.sbatch("--hold")]
                        for cluster in self.clusters}
        self.started = {}
        for cluster, job in self.running.items():
            seen = cluster.wait_job(job, "RUNNING")
            self.started[cluster] = seen["StartTime"]
        for cluster in self.clusters:
            cluster.wait_saved(self.running[cluster], *self.waiting[cluster])

    def assert_unharmed(self):
        for cluster, job in self.running.items():
            seen = wait_until(lambda: cluster.job(job), timeout=BACK,
                              what=f"{cluster.name} answers for job {job}")
            assert (seen["JobState"], seen["Restarts"], seen["StartTime"]) == \
                ("RUNNING", "0", self.started[cluster])
        for cluster, jobs in self.waiting.items():
            for job in jobs:
                assert cluster.job_state(job) == "PENDING"

    def end(self):
        for cluster, job in self.running.items():
            cluster.run("scancel", *map(str, [job, *self.waiting[cluster]]))
        for cluster, job in self.running.items():
            cluster.wait_job(job, "CANCELLED")


@contextlib.contextmanager
def jobs_unharmed(stack):
    """Jobs that run or wait on either cluster still do so afterwards, and new
    ones are scheduled."""
    jobs = Jobs(stack)
    yield
    jobs.assert_unharmed()
    jobs.end()
    for cluster in stack.clusters.values():
        cluster.wait_job(cluster.sbatch(f"--clusters={cluster.name}"))


def wait_lost(stack, seen_by, lost):
    wait_until(lambda: stack.clusters[seen_by].federation(),
               lambda fed: not fed.linked(lost),
               what=f"{seen_by} has noticed that {lost} is gone")


@stock
def test_alpha_which_hosts_flurm(stack):
    with jobs_unharmed(stack):
        stack.alpha.slurmctld.kill()
        wait_lost(stack, "beta", "alpha")
        stack.alpha.slurmctld.start()
        stack.wait_linked(BACK)


@stock
def test_alpha_stopped_in_good_order(stack):
    with jobs_unharmed(stack):
        stack.alpha.slurmctld.restart()
        stack.wait_linked(BACK)


@stock
def test_beta(stack):
    with jobs_unharmed(stack):
        stack.beta.slurmctld.kill()
        wait_lost(stack, "alpha", "beta")
        stack.beta.slurmctld.start()
        stack.wait_linked(BACK)


@stock
def test_slurmdbd(stack):
    with jobs_unharmed(stack):
        stack.slurmdbd.kill()
        # the federation as last known works on without it
        for cluster in stack.clusters.values():
            assert cluster.ping()
        assert stack.wait_done(stack.alpha.sbatch())[1]["JobState"] == \
            "COMPLETED"
        stack.slurmdbd.start()
        stack.wait_linked(BACK)
        wait_registered(stack)


def wait_registered(stack, timeout=75):
    """FLURM tries slurmdbd again after 2 s, then less and less often."""
    if stack.flurm is None:
        return
    wait_until(lambda: stack.sacctmgr(
        "-nP", "show", "cluster", "flurm", "format=controlhost,controlport"),
        lambda out: out.strip() == f"127.0.0.1|{stack.flurm.port}", timeout,
        "slurmdbd has FLURM's host and port again")


@stock
def test_mariadb(stack):
    with jobs_unharmed(stack):
        stack.mariadb.kill()
        stack.mariadb.start()
        wait_registered(stack)
        stack.wait_linked(BACK)


@stock
def test_alpha_restarted_while_slurmdbd_is_away(stack):
    """No error: FLURM's controller joins when slurmdbd comes."""
    # slurmctld saves what it needs for that when it ends well
    stack.alpha.slurmctld.restart()
    stack.wait_linked(BACK)
    with jobs_unharmed(stack):
        stack.slurmdbd.kill()
        stack.alpha.slurmctld.kill()
        stack.alpha.slurmctld.start()
        assert stack.alpha.ping()
        stack.slurmdbd.start()
        wait_registered(stack)
        stack.wait_linked(60)


@stock
@pytest.mark.parametrize("native", ["alpha", "beta"])
def test_reconfigure(stack, native):
    with jobs_unharmed(stack):
        stack.clusters[native].reconfigure()
        stack.wait_linked(BACK)


def test_reconfigure_that_fails(stack):
    """The new process ends before it is at work; the old one goes on."""
    if stack.slurm_version < (23, 11):
        pytest.skip("slurmctld reads its configuration in the same process")
    with jobs_unharmed(stack):
        pid = stack.alpha.slurmctld.pid
        stack.alpha.extra.append("SelectType=select/nothing")
        stack.alpha.write_conf()
        assert stack.alpha.scontrol("reconfigure", check=False).status
        stack.alpha.extra.pop()
        stack.alpha.write_conf()
        assert stack.alpha.slurmctld.pid == pid
        stack.wait_linked(BACK)


@stock
def test_all_at_once(stack):
    """As after a power cut."""
    with jobs_unharmed(stack):
        for daemon in (stack.alpha.slurmctld, stack.beta.slurmctld,
                       stack.slurmdbd, stack.mariadb):
            daemon.kill()
        for daemon in (stack.mariadb, stack.slurmdbd, stack.alpha.slurmctld,
                       stack.beta.slurmctld):
            daemon.start()
        wait_registered(stack)
        stack.wait_linked(60)


def test_fed_flurmd(make_stack):
    """The other host of FLURM's controller is killed and comes back."""
    stack = make_stack(flurm="fed_flurmd")
    stack.wait_linked()
    stack.wait_nodes()
    with jobs_unharmed(stack):
        stack.flurm.daemon.kill()
        wait_lost(stack, "alpha", "flurm")
        wait_lost(stack, "beta", "flurm")
        stack.flurm.daemon.start()
        stack.wait_linked(BACK)
    assert stack.flurm.daemon.stop() == 0
