"""The daemon: how it starts, stops, reloads and lets itself be reached."""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from gw import Api, Gone, build_dir, spec, wait_for
from gw.gateway import TOP


def test_sigterm_drains(make_gateway):
    """What was asked is answered, what is kept is kept, jobs go on."""
    gateway = make_gateway(backend="sim").start()
    api, events = gateway.api(), gateway.events()
    running = api.submit(spec("#FLURM sim duration=1000"))
    api.wait_state(running, "running")
    events.wait("submitted", running)
    assert api.post("/api/v1/debug", {"delay_ms": 1000}).status == 200
    jobs, replies = [spec(hold=True) for _ in range(10)], {}

    def submit(job):
        replies[job["fed_job_id"]] = gateway.api().post("/api/v1/jobs", job)
    threads = [threading.Thread(target=submit, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    # taken, not yet answered
    for job in jobs:
        events.wait("submitted", timeout=5)
    gateway.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(20)
    assert [replies[job["fed_job_id"]].status for job in jobs] == [201] * 10
    assert gateway.process.wait(20) == 0
    wait_for("the stream has ended", lambda: events.next(0.1) is None and
             events.ended)
    events.close()
    api = gateway.start().api()
    assert api.job(running)["state"] == "running"
    for job in jobs:
        assert api.job(job["fed_job_id"])["state"] == "held"


def test_a_second_one_is_refused(make_gateway):
    gateway = make_gateway().start()
    first = gateway.process
    gateway.settings["listen"] = "127.0.0.1:0"
    gateway.spawn()
    assert gateway.process.wait(20) == 1
    gateway.process = first
    assert f"ledger {gateway.dir}/state/ledger is in use" in gateway.log()
    assert gateway.api().get("/api/v1/health").status == 200


def test_systemd_is_told(make_gateway):
    """Type=notify: ready, reloading, ready again, stopping."""
    gateway = make_gateway()
    path = f"{gateway.dir}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        sock.settimeout(20)
        gateway.env["NOTIFY_SOCKET"] = path
        gateway.start()
        assert sock.recv(100) == b"READY=1"
        gateway.process.send_signal(signal.SIGHUP)
        assert sock.recv(100).startswith(b"RELOADING=1")
        assert sock.recv(100) == b"READY=1"
        assert gateway.terminate() == 0
        assert sock.recv(100) == b"STOPPING=1"


def test_levels_of_the_log(make_gateway):
    """Requests at debug only; the journal is told the level of each line."""
    asked = "GET /api/v1/nodes -> 200"
    for options, level in (([], "info"), ([], "debug"), (["-v"], "info"),
                           (["-v", "-v"], "info")):
        gateway = make_gateway(log_level=level)
        gateway.options = options
        gateway.start()
        assert gateway.api().get("/api/v1/nodes").status == 200
        gateway.terminate()
        assert (asked in gateway.log()) == (level == "debug" or
                                            len(options) == 2)
    gateway = make_gateway()
    gateway.env["JOURNAL_STREAM"] = "8:1"
    gateway.start().terminate()
    lines = gateway.log().splitlines()
    assert all(re.match(r"<[3-7]>", line) for line in lines), lines
    assert any(line.startswith("<6>") and "listens on" in line
               for line in lines), lines


def test_backend_on_the_command_line(make_gateway):
    gateway = make_gateway(sim_nodes=7).start("--backend", "sim")
    assert len(gateway.api().get("/api/v1/nodes").json) == 7
    text = subprocess.run(
        [f"{build_dir()}/flurm-gateway", "-b", "magic", "-f",
         f"{gateway.dir}/gateway.conf"], capture_output=True, text=True,
        check=False)
    assert text.returncode != 0 and "magic" in text.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_where_it_is_allowed(make_gateway):
    gateway = make_gateway(allow_root="yes").start()
    api = gateway.api()
    out = f"{gateway.dir}/root"
    job = api.submit(spec("id -u", user="root", user_id=0, group_id=0,
                          std_out=out))
    assert api.wait_over(job)["state"] == "completed"
    with open(out, encoding="utf-8") as file:
        assert file.read() == "0\n"


def test_a_cgroup_for_each_job(make_gateway):
    """Where cgroup v2 is writable; what it has is asked of the kernel."""
    gateway = make_gateway(cgroup="auto").start()
    if "cgroup" not in gateway.log() or re.search("no cgroup", gateway.log()):
        pytest.skip("cgroup v2 is not writable here")
    api = gateway.api()
    out = f"{gateway.work}/cgroup"
    job = api.submit(spec("grep ^0:: /proc/self/cgroup; sleep 100",
                          std_out=out))
    wait_for("it says where it is", lambda: os.path.exists(out) and
             os.path.getsize(out))
    with open(out, encoding="utf-8") as file:
        where = file.read().strip()
    assert str(job) in where, where
    api.cancel(job, signal=9)
    api.wait_over(job)


# -- TLS

def _openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def _certificates(where):
    """A CA, with one certificate for the gateway and one for its client."""
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=test CA", "-keyout", f"{where}/ca.key", "-out",
             f"{where}/ca.crt")
    for name in ("gateway", "client"):
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj",
                 f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                 "-keyout", f"{where}/{name}.key", "-out",
                 f"{where}/{name}.csr")
        with open(f"{where}/ext", "w", encoding="utf-8") as file:
            file.write("subjectAltName=IP:127.0.0.1\n")
        _openssl("x509", "-req", "-days", "2", "-in", f"{where}/{name}.csr",
                 "-CA", f"{where}/ca.crt", "-CAkey", f"{where}/ca.key",
                 "-CAcreateserial", "-extfile", f"{where}/ext", "-out",
                 f"{where}/{name}.crt")
        os.chmod(f"{where}/{name}.key", 0o600)


def _ask(gateway, *options):
    """curl: its exit status, the answer's status and its body."""
    result = subprocess.run(
        ["curl", "-s", "-m", "20", "-w", "\n%{http_code}", *options, "-H",
         f"Authorization: Bearer {gateway.token()}",
         f"https://127.0.0.1:{gateway.port}/api/v1/health"],
        capture_output=True, text=True, check=False)
    body, status = result.stdout.rsplit("\n", 1)
    return result.returncode, int(status), body


def test_tls_and_a_client_certificate(make_gateway):
    gateway = make_gateway()
    where = gateway.dir
    _certificates(where)
    gateway.settings.update(tls_cert_file=f"{where}/gateway.crt",
                            tls_key_file=f"{where}/gateway.key")
    gateway.start()
    ca = ("--cacert", f"{where}/ca.crt")
    code, status, body = _ask(gateway, *ca)
    assert (code, status) == (0, 200) and json.loads(body)["instance_id"]
    assert _ask(gateway)[0] == 60                   # not known to us
    assert _ask(gateway, *ca, "--tls-max", "1.1")[0] == 35
    # plain HTTP is not taken for anything
    with pytest.raises(Gone):
        Api(gateway.port, gateway.token()).get("/api/v1/health")
    gateway.terminate()

    gateway.settings["tls_client_ca_file"] = f"{where}/ca.crt"
    gateway.start()
    ours = ca + ("--cert", f"{where}/client.crt", "--key",
                 f"{where}/client.key")
    code, status, body = _ask(gateway, *ours)
    assert (code, status) == (0, 200) and json.loads(body)["instance_id"]
    code, status, body = _ask(gateway, *ca)
    assert (code, status) == (0, 403)
    assert "client certificate" in json.loads(body)["reason"]
    # nor with one that somebody else has signed
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=client", "-keyout", f"{where}/other.key", "-out",
             f"{where}/other.crt")
    code, status, body = _ask(gateway, *ca, "--cert", f"{where}/other.crt",
                              "--key", f"{where}/other.key")
    assert status == 403 or code != 0
    assert "instance_id" not in body
    # the service goes on
    assert _ask(gateway, *ours)[:2] == (0, 200)


# -- what is written of it

def test_unit_lets_the_gateway_do_no_more_than_it_must(tmp_path):
    if not os.path.exists("/usr/bin/systemd-analyze"):
        pytest.skip("no systemd-analyze")
    with open(f"{TOP}/etc/flurm-gateway.service.in", encoding="utf-8") as file:
        text = file.read()
    unit = tmp_path / "flurm-gateway.service"
    unit.write_text(text.replace("@sbindir@", build_dir()).replace(
        "@sysconfdir@", "/etc"))
    # without anything it is 9.6; the jobs need the rest
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=75",
         "--no-pager", unit], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-200:] + result.stderr
