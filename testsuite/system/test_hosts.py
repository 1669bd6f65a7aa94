"""Who hosts FLURM's controller: one at a time, several controllers in one,
and what the plugin shows to slurmctld."""
import os
import re
import subprocess

from stack import wait_until
from stack.flurm import FedFlurmd, Flurm, built
from stack.ports import listening

# what slurmctld looks for in a job_submit plugin
SYMBOLS = {"plugin_name", "plugin_type", "plugin_version", "init", "fini",
           "job_submit", "job_modify"}


def test_plugin_exports_only_what_slurm_looks_up():
    out = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix",
         built("job_submit_fed_flurm.so")],
        check=True, capture_output=True, text=True).stdout
    assert {line.split()[0] for line in out.splitlines()} == SYMBOLS


def test_second_host_of_the_same_cluster_refuses(stack):
    """fed_flurmd beside the plugin: it says who has the cluster, and the
    plugin's links and its status stay."""
    second = FedFlurmd(stack.flurm, stack.alpha)
    second.spawn()
    try:
        said = wait_until(second.tail, lambda text: stack.flurm.ledger in text,
                          what="fed_flurmd names the ledger that is taken")
        assert "flurm" in said
        for cluster in stack.clusters.values():
            assert cluster.federation().linked("flurm")
        assert stack.flurm.status()["host"] == "slurmctld"
    finally:
        second.stop()
    for cluster in stack.clusters.values():
        assert cluster.federation().linked("flurm")
    assert stack.flurm.status()["host"] == "slurmctld"


def connections(daemon, port):
    """Established connections of a daemon from or to a port."""
    out = subprocess.run(["ss", "-tnpH", "state", "established"], check=True,
                         capture_output=True, text=True).stdout
    return {tuple(line.split()[2:4]) for line in out.splitlines()
            if f"pid={daemon.pid}," in line and f":{port} " in line + " "}


def test_reconfigure_adds_and_removes_a_cluster_beside_the_other(stack):
    """The cluster that did not change keeps its very connections; only where
    reconfigure replaces the process (from 23.11 on) it cannot."""
    alpha, first = stack.alpha, stack.flurm
    second = Flurm(stack, name="flurm2")
    second.ledger = first.ledger
    stack.sacctmgr("add", "cluster", "flurm2")
    before = connections(stack.beta.slurmctld, first.port)
    assert before

    first.lines = [second.line()]
    first.write_conf()
    alpha.reconfigure()
    stack.federate("clusters+=flurm2")
    for cluster in stack.clusters.values():
        wait_until(cluster.federation,
                   lambda fed: fed.linked("flurm", "flurm2"), 30,
                   f"{cluster.name} is linked with both")
    if stack.slurm_version < (23, 11):
        assert connections(stack.beta.slurmctld, first.port) == before

    stack.federate("clusters-=flurm2")
    first.lines = []
    first.write_conf()
    alpha.reconfigure()
    wait_until(lambda: listening(second.port), lambda there: not there, 15,
               "flurm2's port is closed")
    stack.wait_linked(20)
    if stack.slurm_version < (23, 11):
        assert connections(stack.beta.slurmctld, first.port) == before


def test_stopping_slurmctld_leaves_nothing(stack):
    """No socket, and a ledger that is whole."""
    alpha, flurm = stack.alpha, stack.flurm
    alpha.slurmctld.restart()  # what a reconfigure began tells no exit status
    stack.wait_registered()  # slurmctld's end waits for what slurmdbd tells
    assert alpha.slurmctld.stop() == 0
    assert not listening(flurm.port)
    ledgers = [os.path.join(top, name)
               for top, _, names in os.walk(flurm.ledger) for name in names]
    assert ledgers
    for directory in {os.path.dirname(path) for path in ledgers}:
        flurm.flurmfed("ledger", "verify", directory)
    alpha.slurmctld.start()
    stack.wait_linked(20)


def test_log_is_quiet_once_all_is_up(stack):
    """Nothing is said again and again."""
    errors = [line for line in stack.alpha.slurmctld.logged("error")
              if re.search(r"flurm", line)]
    assert len(errors) < 20, "\n".join(errors)
