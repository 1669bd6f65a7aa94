"""sview, with each of its pages, asks FLURM's controller as its own."""
import os
import re
import subprocess

import pytest

from stack import wait_until
from stack.wait import TimedOut

PAGES = {"job": "JOB_INFO", "part": "PARTITION_INFO",
         "res": "RESERVATION_INFO", "node": "NODE_INFO"}


@pytest.fixture(scope="module")
def display(fed_that_runs):
    """The name of an X server without a screen."""
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write), "-nolisten",
                           "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL,
                          env=fed_that_runs.environ()) as server:
        os.close(write)
        with os.fdopen(read) as file:
            number = file.readline().strip()
        assert number, "Xvfb has not started"
        yield f":{number}"
        server.terminate()


@pytest.fixture(scope="module")
def conf(fed_that_runs):
    """slurm.conf of a login node of the FLURM cluster."""
    with open(fed_that_runs.alpha.conf) as file:
        text = file.read()
    for key, value in (("ClusterName", "flurm"),
                       ("SlurmctldPort", fed_that_runs.flurm.port)):
        text, count = re.subn(f"(?m)^{key}=.*", f"{key}={value}", text)
        assert count == 1
    path = os.path.join(fed_that_runs.mkdir("login"), "slurm.conf")
    with open(path, "w") as file:
        file.write(text)
    return path


def _asked(full, kind):
    found = re.search(rf"REQUEST_{kind}\s.*count:(\d+)",
                      full.alpha.run("sdiag", "-M", "flurm"))
    return int(found[1]) if found else 0


def _look(full, page, environ, output):
    """Runs sview until it has asked three times, or for 15 s."""
    before = _asked(full, PAGES[page])
    with open(output, "w") as said:
        sview = subprocess.Popen(["sview"], stdout=said, stderr=said,
                                 env=environ)
        try:
            # who asks again has shown what it was told
            wait_until(lambda: _asked(full, PAGES[page]) >= before + 3 or
                       sview.poll() is not None, timeout=15,
                       what="sview asks three times")
        finally:
            sview.terminate()
            status = sview.wait(10)
    text = output.read_text()
    assert status == -15, text
    assert "error" not in text


@pytest.mark.parametrize("page", PAGES)
def test_page(full, display, conf, page, tmp_path):
    job = full.alpha.sbatch(script="#!/bin/sh\nsleep 600\n")
    (tmp_path / ".slurm").mkdir()
    (tmp_path / ".slurm" / "sviewrc").write_text(
        f"DefaultPage={page}\nVisiblePages={page}\nRefreshDelay=1\n")
    environ = full.environ() | {"SLURM_CONF": conf, "DISPLAY": display,
                                "HOME": str(tmp_path)}
    for more in reversed(range(3)):
        try:
            _look(full, page, environ, tmp_path / "said")
            break
        except TimedOut:
            # at a native, too, it stands still now and then when it starts
            if not more:
                raise
    full.alpha.run("scancel", str(job))
