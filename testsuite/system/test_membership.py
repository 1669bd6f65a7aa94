"""The federation changes while everything runs."""
import pytest

from stack import wait_until
from stack.federation import Federation

pytestmark = pytest.mark.fed_flurmd

SOON = 20


def see(stack, accept, what):
    """Until both natives see FLURM so."""
    for cluster in stack.clusters.values():
        wait_until(lambda: cluster.federation().siblings.get("flurm"),
                   accept, SOON, f"{cluster.name} sees: {what}")


def flurms_view(stack):
    return Federation(stack.alpha.scontrol("-M", "flurm", "show",
                                           "federation"))


def natives_run_jobs(stack):
    for cluster in stack.clusters.values():
        cluster.wait_job(cluster.sbatch(f"--clusters={cluster.name}"))
        assert stack.wait_done(cluster.sbatch())[1]["JobState"] == "COMPLETED"


def test_flurm_is_removed_and_added_again(stack):
    stack.federate("clusters-=flurm")
    see(stack, lambda flurm: flurm is None, "no flurm")
    wait_until(lambda: flurms_view(stack), lambda fed: not fed.siblings, SOON,
               "FLURM knows that it is in no federation")
    natives_run_jobs(stack)
    stack.federate("clusters+=flurm")
    stack.wait_linked(SOON)
    assert flurms_view(stack).linked("alpha", "beta")
    natives_run_jobs(stack)


def test_flurm_is_drained_and_activated_again(stack):
    stack.sacctmgr("modify", "cluster", "flurm", "set", "fedstate=DRAIN")
    # it has no jobs, so it is drained at once, and says so in slurmdbd
    see(stack, lambda flurm: flurm.state.startswith("DRAIN"), "DRAIN")
    wait_until(lambda: flurms_view(stack),
               lambda fed: fed.self.state.startswith("DRAIN"), SOON,
               "FLURM knows that it is to drain")
    natives_run_jobs(stack)
    stack.sacctmgr("modify", "cluster", "flurm", "set", "fedstate=ACTIVE")
    see(stack, lambda flurm: flurm.state == "ACTIVE", "ACTIVE")
    stack.wait_linked(SOON)


def test_flurm_is_made_inactive_and_active(stack):
    stack.sacctmgr("modify", "cluster", "flurm", "set", "fedstate=INACTIVE")
    see(stack, lambda flurm: flurm.state == "INACTIVE", "INACTIVE")
    natives_run_jobs(stack)
    stack.sacctmgr("modify", "cluster", "flurm", "set", "fedstate=ACTIVE")
    see(stack, lambda flurm: flurm.state == "ACTIVE", "ACTIVE")
    stack.wait_linked(SOON)


def test_native_state_is_followed(stack):
    stack.sacctmgr("modify", "cluster", "beta", "set", "fedstate=DRAIN")
    wait_until(lambda: flurms_view(stack),
               lambda fed: fed.siblings["beta"].state.startswith("DRAIN"),
               SOON, "FLURM sees that beta drains")
    stack.sacctmgr("modify", "cluster", "beta", "set", "fedstate=ACTIVE")
    wait_until(lambda: flurms_view(stack),
               lambda fed: fed.siblings["beta"].state == "ACTIVE",
               SOON, "FLURM sees that beta is active")
    stack.wait_linked(SOON)


def test_features(stack):
    stack.sacctmgr("modify", "cluster", "flurm", "set", "features=fast,gpu")
    see(stack, lambda flurm: flurm.features == "fast,gpu", "its features")
    wait_until(lambda: flurms_view(stack),
               lambda fed: fed.self.features == "fast,gpu", SOON,
               "FLURM knows its features")
    stack.sacctmgr("modify", "cluster", "beta", "set", "features=big")
    wait_until(lambda: flurms_view(stack),
               lambda fed: fed.siblings["beta"].features == "big", SOON,
               "FLURM knows beta's features")
    for name in ("flurm", "beta"):
        stack.sacctmgr("modify", "cluster", name, "set", "features=")
    see(stack, lambda flurm: not flurm.features, "no features")
    stack.wait_linked(SOON)


def test_federation_is_deleted_and_made_again(stack):
    stack.sacctmgr("delete", "federation", "fed")
    wait_until(lambda: flurms_view(stack), lambda fed: not fed.siblings, SOON,
               "FLURM knows that it is in no federation")
    for cluster in stack.clusters.values():
        wait_until(cluster.federation, lambda fed: not fed.siblings, SOON,
                   f"{cluster.name} is in no federation")
        cluster.wait_job(cluster.sbatch())
    stack.sacctmgr("add", "federation", "fed",
                   f"clusters={','.join(stack.members())}")
    stack.wait_linked(SOON)


def test_third_native_joins_and_leaves(stack):
    gamma = stack.add_cluster("gamma")
    try:
        stack.sacctmgr("add", "cluster", "gamma")
        stack.sacctmgr("add", "account", "science", "cluster=gamma")
        stack.sacctmgr("add", "user", "root,nobody", "account=science",
                       "cluster=gamma")
        gamma.slurmctld.start()
        gamma.slurmd.start()
        stack.federate("clusters+=gamma")
        stack.wait_linked(SOON)
        assert flurms_view(stack).linked("alpha", "beta", "gamma")
        natives_run_jobs(stack)
        stack.federate("clusters-=gamma")
        wait_until(lambda: flurms_view(stack),
                   lambda fed: "gamma" not in fed.siblings, SOON,
                   "FLURM knows that gamma has left")
    finally:
        for daemon in gamma.daemons():
            daemon.kill()
        del stack.clusters["gamma"]
    stack.wait_linked(SOON)
    natives_run_jobs(stack)


def test_native_moves_to_another_port(stack):
    """beta's slurmctld comes back elsewhere; its jobs and links follow."""
    from stack.ports import free_port
    stack.beta.slurmctld.stop()
    stack.beta.slurmd.stop()
    stack.beta.port = free_port()
    stack.beta.write_conf()
    stack.beta.slurmctld.start()
    stack.beta.slurmd.start()
    stack.wait_linked(SOON)
    # 22.05's slurmdbd tells nobody of a registration: FLURM asks when beta
    # comes to it, and has the others told
    for see in (lambda: flurms_view(stack), stack.alpha.federation):
        wait_until(lambda: see().siblings["beta"].port,
                   lambda port: port == str(stack.beta.port), SOON,
                   "FLURM and alpha show where beta is now")
