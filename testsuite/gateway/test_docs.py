"""What is written about the gateway is true of the gateway."""
import os
import re
import subprocess

import pytest

from gw import build_dir
from gw.gateway import TOP

ELSEWHERE = {"listen", "partition"}     # read by functions of their own


def keys():
    with open(f"{TOP}/src/gateway/conf.c", encoding="utf-8") as file:
        return set(re.findall(r"^\tSETTING\((\w+),", file.read(),
                              re.M)) | ELSEWHERE


def test_every_key_is_in_the_manual_and_no_other():
    with open(f"{TOP}/doc/man/gateway.conf.5", encoding="utf-8") as file:
        page = file.read()
    said = set()
    for tag in re.findall(r"^\.TP\n\.(?:B|BR) (.*)$", page, re.M):
        said |= set(re.findall(r"[a-z_]{3,}", tag))
    assert said == keys()


def test_the_example_is_valid(tmp_path):
    with open(f"{TOP}/etc/gateway.conf.example", encoding="utf-8") as file:
        text = file.read()
    # each key once more, with its value, as if it were not commented out
    text = re.sub(r"^#(\w+ = )", r"\1", text, flags=re.M)
    key = tmp_path / "key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    conf = tmp_path / "gateway.conf"
    conf.write_text(re.sub(r"(?m)^(tls_\w+|token_key_file) = .*$",
                           lambda found: f"token_key_file = {key}"
                           if found.group(1) == "token_key_file" else "",
                           text) +
                    f"shim = {build_dir()}/flurm-gateway-shim\n")
    result = subprocess.run(
        [f"{build_dir()}/flurm-gateway", "-c", "-f", conf],
        capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_systemd_takes_the_unit(tmp_path):
    if not os.path.exists("/usr/bin/systemd-analyze"):
        pytest.skip("no systemd-analyze")
    with open(f"{TOP}/etc/flurm-gateway.service.in", encoding="utf-8") as file:
        text = file.read()
    unit = tmp_path / "flurm-gateway.service"
    unit.write_text(text.replace("@sbindir@", build_dir()).replace(
        "@sysconfdir@", "/etc"))
    result = subprocess.run(["systemd-analyze", "verify", unit],
                            capture_output=True, text=True, check=False)
    wrong = [line for line in result.stderr.splitlines()
             if "flurm-gateway.service" in line and
             "DelegateSubgroup" not in line and "Command" not in line]
    assert not wrong, wrong


def test_options_are_those_of_the_manual():
    text = subprocess.run([f"{build_dir()}/flurm-gateway", "--help"],
                          capture_output=True, text=True, check=True).stdout
    with open(f"{TOP}/doc/man/flurm-gateway.8", encoding="utf-8") as file:
        page = file.read().replace("\\-", "-")
    options = set(re.findall(r"--[a-z]+", text))
    assert options >= {"--file", "--check", "--backend"}
    assert {option for option in options if option not in page} == set()
