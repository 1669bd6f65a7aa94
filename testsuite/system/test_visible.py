"""FLURM is seen: by both natives, in slurmdbd, and by Slurm's commands."""
import re

import pytest

from stack.federation import Federation

pytestmark = pytest.mark.fed_flurmd


@pytest.mark.parametrize("native", ["alpha", "beta"])
def test_native_shows_flurm_active_and_synced(fed, native):
    flurm = fed.clusters[native].federation().siblings["flurm"]
    assert (flurm.host, flurm.port) == ("127.0.0.1", str(fed.flurm.port))
    assert flurm.state == "ACTIVE"
    assert (flurm.send, flurm.recv, flurm.synced) == ("Yes", "Yes", "Yes")


def test_natives_stay_linked_with_each_other(fed):
    assert fed.alpha.federation().linked("beta", "flurm")
    assert fed.beta.federation().linked("alpha", "flurm")


def test_slurmdbd_has_host_port_and_version(fed):
    out = fed.sacctmgr("-nP", "show", "cluster", "flurm",
                       "format=cluster,controlhost,controlport,rpc")
    assert out.strip() == "|".join(
        ["flurm", "127.0.0.1", str(fed.flurm.port), str(fed.rpc_version())])


def test_ping(fed):
    out = fed.alpha.scontrol("-M", "flurm", "ping")
    assert re.search(r"\(primary\) at \S+ is UP", out), out


@pytest.mark.parametrize("native", ["alpha", "beta"])
def test_flurm_shows_the_same_federation(fed, native):
    """What FLURM answers has every member as the natives know it."""
    theirs = fed.clusters[native].federation()
    ours = Federation(fed.clusters[native].scontrol("-M", "flurm", "show",
                                                    "federation"))
    assert ours.name == theirs.name
    assert ours.self.name == "flurm"
    assert ours.self.id == theirs.siblings["flurm"].id
    assert ours.linked("alpha", "beta")
    for name, sibling in ours.siblings.items():
        other = theirs.siblings.get(name, theirs.self)
        for key in ("host", "port", "id", "state", "features"):
            assert sibling[key] == other[key], (name, key)


def test_flurmfed_status(fed):
    status = fed.flurm.status()
    assert "flurm" in str(status)
    # not all is well, for nothing answers at FLURM's Url
    done = fed.flurm.flurmfed("status", check=False)
    assert done.status == 1
    for text in ("flurm", "alpha", "beta", fed.flurm.options["Url"]):
        assert text in done.out


def test_flurmfed_check_finds_slurmdbd_but_no_flurm(fed):
    """Nothing answers at the Url yet: check says so and fails."""
    done = fed.flurm.flurmfed("check", check=False)
    assert done.status != 0
    assert fed.flurm.options["Url"] in done.out + done.err


def test_others_may_not_ask_for_status(fed):
    done = fed.flurm.flurmfed("status", check=False, user="nobody")
    assert done.status != 0
    assert "alpha" not in done.out
