"""A bad fed_flurm.conf keeps the plugin out, with one error that names file
and line, and slurmctld up."""
import os
import re
import time

import pytest

from stack import wait_until
from stack.ports import listening

STACK = {"natives": ("alpha",)}

# {line} is a good FlurmCluster line; each case: what the file is, the number
# of the line that is wrong, and what the error must name
CASES = {
    "unknown key": ("{line} Colour=blue\n", 1, "Colour"),
    "unknown common key": ("# a comment\n\nColour=blue\n{line}\n", 3,
                           "Colour"),
    "no value": ("LedgerDir\n{line}\n", 1, "LedgerDir"),
    "no cluster": ("LedgerDir=/tmp/x\n", 1, "FlurmCluster"),
    "cluster twice": ("{line}\n{other_port}\n", 2, "flurm"),
    "port twice": ("{line}\n{other_name}\n", 2, "Port"),
    "no port": ("FlurmCluster=flurm Url=http://127.0.0.1:1\n", 1, "Port"),
    "port 0": ("{with_port_0}\n", 1, "Port"),
    "port too high": ("{with_port_70000}\n", 1, "Port"),
    "port is no number": ("{with_port_http}\n", 1, "Port"),
    "slurmctld's own port": ("{with_slurmctld_port}\n", 1, "Port"),
    "no url": ("FlurmCluster=flurm Port={port}\n", 1, "Url"),
    "url of another kind": ("{with_url_ftp}\n", 1, "Url"),
    "plain http to another host": ("{with_url_far}\n", 1, "AllowPlainHttp"),
    "no such token file": ("{with_token_none}\n", 1, "TokenFile"),
    "token file readable by a group": ("{with_token_group}\n", 1,
                                       "TokenFile"),
    "token file empty": ("{with_token_empty}\n", 1, "TokenFile"),
    "no such ca file": ("{line} CAFile=/nonexistent\n", 1, "CAFile"),
    "bad cluster name": ("{with_name}\n", 1, "FlurmCluster"),
    "binary": ("\1\2\3\n{line}\n", 1, ""),
}


class Lines(dict):
    """Variants of the good line, made as they are named."""

    def __init__(self, stack):
        super().__init__()
        self.flurm = stack.flurm
        self.alpha = stack.alpha

    def __missing__(self, name):
        flurm = self.flurm
        files = {"none": "/nonexistent"}
        for mode, text, which in ((0o640, "0" * 64, "group"),
                                  (0o600, "", "empty")):
            files[which] = os.path.join(flurm.dir, which)
            with open(files[which], "w", encoding="ascii") as file:
                file.write(text)
            os.chmod(files[which], mode)
        changes = {
            "line": {}, "other_port": {"Port": flurm.port + 1},
            "with_port_0": {"Port": 0}, "with_port_70000": {"Port": 70000},
            "with_port_http": {"Port": "http"},
            "with_slurmctld_port": {"Port": self.alpha.port},
            "with_url_ftp": {"Url": "ftp://127.0.0.1/"},
            "with_url_far": {"Url": "http://198.51.100.1:8080"},
            **{f"with_token_{which}": {"TokenFile": path}
               for which, path in files.items()}}
        if name == "port":
            return flurm.port
        if name == "other_name":
            return flurm.line().replace("=flurm ", "=flurm2 ", 1)
        if name == "with_name":
            return flurm.line().replace("=flurm ", "=a/b ", 1)
        good = dict(flurm.options)
        flurm.options.update(changes[name])
        try:
            return flurm.line()
        finally:
            flurm.options.clear()
            flurm.options.update(good)


def restart(slurmctld):
    """Sooner than in good order: that takes slurmctld seconds."""
    slurmctld.kill()
    slurmctld.start()


def reconfigure(alpha):
    # slurmctld knows only the second in which it read its configuration
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second, what="the next second")
    alpha.scontrol("reconfigure")


def error_of(text, conf, number):
    """The line of text that names conf and the line number."""
    pattern = re.escape(conf) + rf"(:| line ){number}\b"
    return next((line for line in text.splitlines()
                 if re.search(pattern, line)), None)


@pytest.mark.parametrize("case", CASES)
def test_bad_configuration(stack, case):
    text, number, names = CASES[case]
    alpha, flurm = stack.alpha, stack.flurm
    flurm.write_conf(text.format_map(Lines(stack)))
    before = os.path.getsize(alpha.slurmctld.log)
    restart(alpha.slurmctld)

    def log():
        with open(alpha.slurmctld.log, errors="replace") as file:
            file.seek(before)
            return file.read()
    said = wait_until(lambda: error_of(log(), flurm.conf, number),
                      what=f"error of {flurm.conf}, line {number}")
    assert "error" in said
    assert names in said
    assert alpha.ping()
    assert not listening(flurm.port)
    # said once: not by every thread, not every second
    assert log().count(said.split("] ", 1)[-1]) == 1

    checked = flurm.flurmfed("check", check=False)
    assert checked.status != 0
    assert names in error_of(checked.out + checked.err, flurm.conf, number)


def test_no_configuration_at_all(stack):
    alpha, flurm = stack.alpha, stack.flurm
    os.remove(flurm.conf)
    restart(alpha.slurmctld)
    wait_until(lambda: alpha.slurmctld.logged(flurm.conf),
               lambda lines: "No such file" in lines[-1],
               what="an error that names the missing file")
    assert alpha.ping()
    alpha.wait_job(alpha.sbatch("--clusters=alpha"))


def test_mended_configuration_is_taken_by_reconfigure(stack):
    """From bad to good without a restart of slurmctld."""
    alpha, flurm = stack.alpha, stack.flurm
    flurm.write_conf("FlurmCluster=flurm\n")
    restart(alpha.slurmctld)
    wait_until(lambda: error_of("\n".join(alpha.slurmctld.logged(flurm.conf)),
                                flurm.conf, 1), what="the error")
    flurm.write_conf()
    reconfigure(alpha)
    stack.wait_linked(20)


def test_bad_configuration_does_not_replace_a_good_one(stack):
    """reconfigure with a bad file: an error, and FLURM stays."""
    alpha, flurm = stack.alpha, stack.flurm
    flurm.write_conf()
    restart(alpha.slurmctld)
    stack.wait_linked(20)
    flurm.write_conf("FlurmCluster=flurm Colour=blue\n")
    reconfigure(alpha)
    wait_until(lambda: error_of("\n".join(alpha.slurmctld.logged("Colour")),
                                flurm.conf, 1), what="the error")
    flurm.write_conf()
    reconfigure(alpha)
    stack.wait_linked(20)
