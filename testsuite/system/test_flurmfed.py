"""flurmfed beside daemons that run, and beside some that do not."""
import contextlib
import json
import os
import re

from stack import wait_until

STACK = {"gateway": "local"}


def check(stack, *options):
    """(exit code, the lines that begin with WRONG, each with its advice)."""
    done = stack.flurm.flurmfed("check", *options, check=False)
    lines = done.out.splitlines()
    for line in lines[:-2]:  # an empty one and the sum
        assert re.match(r"(ok|note|WRONG|) +\S", line), line
    return done.status, [line + lines[i + 1] for i, line in enumerate(lines)
                         if line.startswith("WRONG")]


def wait_status(stack, code):
    """What status says once its exit code is that."""
    return wait_until(lambda: stack.flurm.flurmfed("status", check=False),
                      lambda done: done.status == code, 30,
                      f"flurmfed status exits with {code}")


def test_all_is_well(stack):
    assert check(stack) == (0, [])
    said = wait_status(stack, 0).out
    for text in ("flurm", "alpha", "beta", stack.flurm.options["Url"]):
        assert text in said
    told = json.loads(stack.flurm.flurmfed("status", "--json"))
    assert [cluster["name"] for cluster in told["clusters"]] == ["flurm"]
    ledger = os.path.join(stack.flurm.ledger, "flurm")
    assert stack.flurm.flurmfed("ledger", "verify", ledger).endswith("well\n")
    assert "federation" in stack.flurm.flurmfed("ledger", "dump", ledger)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


@contextlib.contextmanager
def without(daemon):
    daemon.stop()
    try:
        yield
    finally:
        daemon.start()


def test_a_native_is_away(stack):
    with without(stack.beta.slurmctld):
        assert "beta" in wait_status(stack, 1).out.splitlines()[-1]
    wait_status(stack, 0)


def test_flurms_side_is_away(stack):
    url = stack.flurm.options["Url"]
    with without(stack.flurm.gateway):
        assert url in wait_status(stack, 1).out
        code, (wrong,) = check(stack)
        assert code == 1 and url in wrong and "->" in wrong
    wait_status(stack, 0)


def test_slurmdbd_is_away(stack):
    with without(stack.slurmdbd):
        assert "slurmdbd" in wait_status(stack, 1).out
        code, (wrong,) = check(stack)
        assert code == 1 and "slurmdbd" in wrong and "->" in wrong
    wait_status(stack, 0)


def test_token_of_another(stack):
    """The two sides have not the same key."""
    path = stack.flurm.options["TokenFile"]
    with open(path, encoding="ascii") as file:
        good = file.read()
    try:
        write(path, "1" * 64)
        code, (wrong,) = check(stack)
        assert code == 1 and "token" in wrong and "->" in wrong
    finally:
        write(path, good)
    assert check(stack) == (0, [])


def test_nobody_hosts_it(stack):
    with without(stack.alpha.slurmctld):
        done = wait_status(stack, 1)
        assert stack.flurm.status_socket in done.out + done.err
    wait_status(stack, 0)
