"""A site whose network is a tree: FLURM is no part of it, and says so."""
import os

import pytest

from stack import wait_until

pytestmark = pytest.mark.fed_flurmd
STACK = {"gateway": "local"}


@pytest.fixture(scope="module")
def tree(stack):
    alpha = stack.alpha
    with open(os.path.join(alpha.dir, "topology.conf"), "w",
              encoding="utf-8") as conf:
        conf.write("SwitchName=leaf Nodes=alpha1\n")
    alpha.extra.append("TopologyPlugin=topology/tree")
    alpha.write_conf()
    alpha.slurmctld.restart()
    if stack.flurm.daemon:
        stack.flurm.daemon.restart()
    stack.wait_flurm_linked(100)
    wait_until(lambda: alpha.scontrol("show", "topology"),
               lambda out: "SwitchName=leaf" in out, 20,
               "the native has its tree")


def test_topology(stack, tree):
    """A client takes only the answer of the plugin that its site has."""
    done = stack.alpha.run("scontrol", "-M", "flurm", "show", "topology",
                           check=False)
    assert done.status >= 0, done
    assert "SwitchName" not in done.out
    assert "o topology information available" in done.err, done
