"""FLURM's nodes that go down and come back, in slurmdbd: as a native's."""
import json

import pytest

from stack import wait_until
from stack.sreport import utilization

pytestmark = pytest.mark.fed_flurmd
STACK = {"gateway": "sim"}
FIELDS = ["NodeName", "State", "Reason", "User", "TRES", "Start", "End"]


@pytest.fixture(scope="module")
def told(stack):
    """slurmdbd knows FLURM's size."""
    wait_until(lambda: _events(stack, "flurm", kind="cluster"), timeout=30,
               what="slurmdbd knows FLURM's size")
    return stack


def _events(stack, cluster, *args, kind="node"):
    """Rows as dictionaries, the oldest first."""
    out = stack.sacctmgr(
        "-nP", "show", "event", f"clusters={cluster}", f"event={kind}",
        "start=now-1hour", *args, f"format={','.join(FIELDS)}")
    rows = [dict(zip(FIELDS, line.split("|"))) for line in out.splitlines()]
    return sorted(rows, key=lambda row: row["Start"])


def _set(stack, name, up, reason=""):
    node = {"name": name, "up": up, **({} if up else {"reason": reason})}
    stack.flurm.gateway.get("/api/v1/debug",
                            json.dumps({"node": node}).encode())


def _open(stack, cluster="flurm"):
    """{node: reason} of those that slurmdbd takes for down"""
    return {row["NodeName"]: row["Reason"] for row in _events(stack, cluster)
            if row["End"] == "Unknown"}


def _wait_open(stack, expected, cluster="flurm"):
    wait_until(lambda: _open(stack, cluster), lambda seen: seen == expected, 30,
               f"slurmdbd takes {expected} of {cluster} for down")


def test_as_a_native(told):
    """A node goes down and comes back, field by field."""
    told.beta.scontrol("update", "nodename=beta1", "state=down",
                       "reason=flooded")
    _set(told, "sim2", False, "flooded")
    _wait_open(told, {"beta1": "flooded"}, "beta")
    _wait_open(told, {"sim2": "flooded"})
    told.beta.scontrol("update", "nodename=beta1", "state=resume")
    _set(told, "sim2", True)
    _wait_open(told, {}, "beta")
    _wait_open(told, {})
    native, ours = (_events(told, cluster)[-1] for cluster in
                    ("beta", "flurm"))
    for row in native, ours:
        assert row.pop("Start") <= row.pop("End") != "Unknown"
        row["TRES"] = [tres.split("=")[0] for tres in row["TRES"].split(",")]
        del row["NodeName"]
    assert ours == native


def test_another_reason(told):
    """It is another event, and nothing is said twice."""
    before = len(_events(told, "flurm"))
    _set(told, "sim3", False, "first")
    _wait_open(told, {"sim3": "first"})
    _set(told, "sim3", False, "it's the \"second\"")
    _wait_open(told, {"sim3": "it's the \"second\""})
    _set(told, "sim3", True)
    _wait_open(told, {})
    assert len(_events(told, "flurm")) == before + 2


def test_over_outages(told):
    """slurmdbd, FLURM's controller and a node go and come."""
    _set(told, "sim4", False, "stays")
    _set(told, "sim5", False, "comes back")
    _wait_open(told, {"sim4": "stays", "sim5": "comes back"})
    before = len(_events(told, "flurm"))
    told.slurmdbd.stop()
    _set(told, "sim5", True)
    _set(told, "sim6", False, "new")
    told.flurm.daemon.restart() if told.flurm.daemon else \
        told.alpha.slurmctld.restart()
    told.slurmdbd.start()
    _wait_open(told, {"sim4": "stays", "sim6": "new"})
    assert len(_events(told, "flurm")) == before + 1
    for name in "sim4", "sim6":
        _set(told, name, True)
    _wait_open(told, {})


def test_utilization(told):
    """sreport has the time that one node of many was down."""
    _set(told, "sim7", False, "long")
    _wait_open(told, {"sim7": "long"})
    down, reported = utilization(
        told, "flurm", ["Down", "Reported"],
        "UPDATE flurm_event_table SET time_start = time_start - 10800 "
        "WHERE time_end = 0")
    size = told.flurm.status()["clusters"][0]["flurm"]
    # the cluster was there some seconds before its node went down
    assert 0.9 * reported < down * size["nodes"] <= reported
