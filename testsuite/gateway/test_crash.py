"""After a crash, a restart or a reload: what is still there, what still runs."""
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from gw import Gone, build_dir, spec, wait_for

PIDFD_GETFD = 438  # number of the system call, on any machine


def test_running_jobs_survive_a_restart(make_gateway):
    gateway = make_gateway().start()
    api = gateway.api()
    instance = api.get("/api/v1/health").json["instance_id"]
    go = f"{gateway.work}/go"
    job = api.submit(spec(f"while ! [ -e {go} ]; do sleep 0.02; done; "
                          "exit 9", time_limit=60))
    suspended = api.submit(spec("sleep 0.5; exit 8"))
    api.wait_state(suspended, "running")
    assert api.op(suspended, "suspend").status == 200
    started = api.wait_state(job, "running")["start_time"]
    gateway.kill()
    open(go, "w", encoding="utf-8").close()
    wait_for("its shim is done", lambda: len(gateway.shims()) <= 1)
    api = gateway.start().api()
    assert api.get("/api/v1/health").json["instance_id"] == instance
    done = api.wait_over(job)
    assert (done["state"], done["exit_code"]) == ("failed", 9)
    assert done["start_time"] == started
    api.op(suspended, "resume")
    assert api.wait_over(suspended)["exit_code"] == 8


def test_time_limit_is_kept_while_we_are_away(make_gateway):
    gateway = make_gateway().start()
    api = gateway.api()
    job = api.submit(spec("sleep 60", time_limit=1))
    api.wait_state(job, "running")
    gateway.kill()
    wait_for("the shim has ended it", lambda: not gateway.shims())
    api = gateway.start().api()
    assert api.wait_over(job)["state"] == "timeout"


@pytest.mark.parametrize("away", [False, True], ids=["here", "away"])
@pytest.mark.parametrize("cgroup", ["auto", "off"])
def test_lost_shim_is_node_fail_and_nothing_runs_on(make_gateway, cgroup,
                                                    away):
    gateway = make_gateway(cgroup=cgroup).start()
    api = gateway.api()
    pids = f"{gateway.work}/pids"
    job = api.submit(spec(f"setsid sleep 1000 & echo $! $$ >{pids}; "
                          "sleep 1000"))
    wait_for("it runs", lambda: os.path.exists(pids) and
             os.path.getsize(pids))
    api.wait_state(job, "running")
    if away:
        gateway.kill()
    for shim in gateway.shims():
        os.kill(shim, signal.SIGKILL)
    if away:
        api = gateway.start().api()
    done = api.wait_over(job)
    assert done["state"] == "node_fail"
    assert "exit_code" not in done
    with open(pids, encoding="utf-8") as file:
        for pid in file.read().split():
            wait_for("it is killed",
                     lambda p=pid: not os.path.exists(f"/proc/{p}"))


def test_scripts_are_kept_in_the_ledger_alone(make_gateway):
    """They come back from it: at once, after a snapshot, after a crash."""
    gateway = make_gateway().start()
    api = gateway.api()

    def generation():
        return max(int(name.split(".")[1])
                   for name in os.listdir(f"{gateway.dir}/state/ledger")
                   if re.fullmatch(r"ledger\.\d+", name))

    def held(number):
        return api.submit(spec(
            f"echo {number} $WHO >>{gateway.work}/{number}", hold=True,
            environment=["PATH=/usr/bin:/bin", f"WHO=env-{number}"]))

    def runs(job, number, said):
        assert api.op(job, "release").status == 200
        assert api.wait_over(job)["state"] == "completed"
        with open(f"{gateway.work}/{number}", encoding="utf-8") as file:
            assert file.read() == said

    jobs = [held(number) for number in range(4)]
    runs(jobs[0], 0, "0 env-0\n")
    assert api.request("PATCH", f"/api/v1/jobs/{jobs[3]}", {
        "epoch": 1, "environment": ["PATH=/usr/bin:/bin", "WHO=other"]}
    ).status == 200
    first = generation()
    for _ in range(12):
        big = api.submit(spec("#" + "x" * 500000, hold=True))
        api.cancel(big)
    wait_for("a snapshot", lambda: generation() > first)
    runs(jobs[1], 1, "1 env-1\n")
    gateway.kill()
    api = gateway.start().api()
    runs(jobs[2], 2, "2 env-2\n")
    runs(jobs[3], 3, "3 other\n")


def test_lost_store_is_another_instance(make_gateway):
    gateway = make_gateway().start()
    api, events = gateway.api(), gateway.events()
    instance = api.get("/api/v1/health").json["instance_id"]
    pid = f"{gateway.work}/pid"
    job = api.submit(spec(f"echo $$ >{pid}; sleep 1000"))
    started = events.wait("started", job)
    wait_for("it says who it is", lambda: os.path.exists(pid) and
             os.path.getsize(pid))
    events.close()
    gateway.terminate()
    shutil.rmtree(f"{gateway.dir}/state/ledger")
    api = gateway.start().api()
    other = api.get("/api/v1/health").json["instance_id"]
    assert other != instance
    assert api.get(f"/api/v1/jobs/{job}").status == 404
    # a cursor of the store that is lost means nothing here
    lost = gateway.events(after=started["seq"])
    assert lost.status == 410
    assert json.loads(lost.body)["instance_id"] == other
    assert api.get("/api/v1/federation/events?after=0&instance="
                   + instance).status == 410
    events = gateway.events()
    assert events.wait("instance")["instance_id"] == other
    events.close()
    # nobody knows the job any more: it must not run on
    with open(pid, encoding="utf-8") as file:
        text = file.read().strip()
    wait_for("it is killed", lambda: not os.path.exists(f"/proc/{text}"))
    wait_for("its directory is gone",
             lambda: not os.listdir(f"{gateway.dir}/state/jobs"))


def test_events_are_kept_until_they_are_heard(make_gateway):
    gateway = make_gateway(max_events=50).start()
    api, events = gateway.api(), gateway.events()
    instance = events.wait("instance")
    job = api.submit(spec(hold=True))
    submitted = events.wait("submitted", job)
    events.close()
    gateway.kill()
    api = gateway.start().api()
    # the same events, with the same cursors, however often they are read
    events = gateway.events(after=instance["seq"])
    assert events.wait("submitted", job) == submitted
    events.close()
    events = gateway.events(after=submitted["seq"])
    assert events.status == 200
    events.close()
    events = gateway.events(after=instance["seq"])
    assert events.wait("submitted", job) == submitted
    events.close()
    # said to be safe: gone, also after a crash
    ack = api.post("/api/v1/federation/events/ack",
                   {"seq": submitted["seq"]})
    assert ack.json == {"seq": submitted["seq"]}
    gateway.kill()
    api = gateway.start().api()
    late = gateway.events(after=instance["seq"] - 1)
    assert late.status == 410, late.body
    # and so are those that are too many
    for _ in range(40):
        api.cancel(api.submit(spec(hold=True)))
    late = gateway.events(after=submitted["seq"])
    assert late.status == 410
    assert gateway.events(after=submitted["seq"] + 10 ** 9).status == 410
    for bad in ({}, {"seq": -1}, {"seq": "1"}, {"seq": 2 ** 62}):
        assert api.post("/api/v1/federation/events/ack", bad).status == 400


def _watched(pid):
    """Descriptors that the epolls of a process watch, and that are a pidfd or
    closed."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if "eventpoll" not in os.readlink(f"/proc/{pid}/fd/{fd}"):
            continue
        with open(f"/proc/{pid}/fdinfo/{fd}", encoding="utf-8") as info:
            watched = re.findall(r"tfd:\s*(\d+)", info.read())
        for number in watched:
            path = f"/proc/{pid}/fd/{number}"
            if not os.path.exists(path) or "pidfd" in os.readlink(path):
                found.append(int(number))
    return found


def test_end_of_a_shim_while_another_is_spawned(gateway, api):
    """Which has a copy of all descriptors for a moment: as we have here."""
    pid = gateway.process.pid
    go = f"{gateway.work}/go-on"
    job = api.submit(spec(f"while ! [ -e {go} ]; do sleep 0.02; done"))
    api.wait_state(job, "running")
    wait_for("its shim is watched", lambda: len(_watched(pid)) == 1)
    of_gateway = os.pidfd_open(pid)
    copy = ctypes.CDLL(None, use_errno=True).syscall(
        PIDFD_GETFD, of_gateway, _watched(pid)[0], 0)
    assert copy >= 0, os.strerror(ctypes.get_errno())
    open(go, "w", encoding="utf-8").close()
    api.wait_state(job, "completed")
    # what would tell of it, whatever is at its place by then
    assert _watched(pid) == []
    os.close(copy)
    os.close(of_gateway)


def test_finished_jobs_are_forgotten_after_a_while(make_gateway):
    gateway = make_gateway(finished_keep=1).start()
    api, events = gateway.api(), gateway.events()
    job = api.submit(spec(hold=True))
    api.cancel(job)
    ended = events.wait("ended", job)
    events.close()
    time.sleep(1.5)
    # not before its end is safe with a client
    assert api.job(job)["state"] == "cancelled"
    assert api.post("/api/v1/federation/events/ack",
                    {"seq": ended["seq"]}).status == 200

    def forgotten():
        api.submit(spec(hold=True))
        return api.get(f"/api/v1/jobs/{job}").status == 404
    wait_for("it is forgotten", forgotten)
    gateway.kill()
    assert gateway.start().api().get(f"/api/v1/jobs/{job}").status == 404


def test_reload(make_gateway):
    gateway = make_gateway(partition=["debug default=yes",
                                      "night state=down"]).start()
    api, events = gateway.api(), gateway.events()
    job = api.submit(spec(partition="night"))
    events.wait("submitted", job)
    assert api.job(job)["state"] == "pending"
    gateway.write_conf(partition=["debug default=yes", "night"])
    gateway.process.send_signal(signal.SIGHUP)
    assert events.wait("ended", job)["state"] == "completed"
    with open(f"{gateway.dir}/gateway.conf", "a", encoding="utf-8") as file:
        file.write("nonsense = 1\n")
    gateway.process.send_signal(signal.SIGHUP)
    wait_for("it complains", lambda: "unknown key" in gateway.log())
    assert f"{gateway.dir}/gateway.conf:" in gateway.log()
    assert api.get("/api/v1/health").status == 200
    events.close()


def test_check_of_the_configuration(make_gateway):
    gateway = make_gateway()

    def check():
        return subprocess.run(
            [f"{build_dir()}/flurm-gateway", "-c", "-f", conf],
            capture_output=True, text=True, check=False)
    conf = gateway.write_conf()
    assert check().returncode == 0
    for line, said in (("nonsense = 1", "unknown key \"nonsense\""),
                       ("cpus = many", "cpus"), ("cpus = 0", "cpus"),
                       ("backend = magic", "backend"),
                       ("listen = localhost:1", "listen"),
                       ("listen = 0.0.0.0:1", "tls_cert_file"),
                       ("state_dir = here", "state_dir"),
                       ("partition = a max=1", "max"),
                       ("partition = debug", "twice"),
                       ("allow_root = perhaps", "allow_root"),
                       ("just words", "key=value")):
        conf = gateway.write_conf()
        with open(conf, "a", encoding="utf-8") as file:
            file.write(line + "\n")
        result = check()
        assert result.returncode == 1, line
        assert said in result.stderr and conf in result.stderr, result.stderr
    os.chmod(f"{gateway.dir}/key", 0o644)
    conf = gateway.write_conf()
    assert check().returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_full_disk(make_gateway):
    """Nothing is answered that is not kept; all of it is when there is room."""
    gateway = make_gateway()
    state = f"{gateway.dir}/state"
    os.mkdir(state, 0o711)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=711",
                       "tmpfs", state], check=False).returncode:
        pytest.skip("cannot mount a file system")
    try:
        gateway.start()
        job = gateway.api().submit(spec(hold=True))
        filler = f"{state}/filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        # there is room in the last page of the ledger for a little more
        taken, late = [], []
        with pytest.raises(Gone):
            for _ in range(100):
                late.append(spec(hold=True, comment="x" * 1000))
                gateway.api(timeout=1).submit(late[-1])
                taken.append(late[-1]["fed_job_id"])
        assert "nothing is answered" in gateway.log()
        os.unlink(filler)
        # what waited for it is answered as soon as there is room
        api = gateway.api(timeout=5)
        assert api.post("/api/v1/jobs", late[-1]).status == 200
        assert "works again" in gateway.log()
        gateway.kill()
        api = gateway.start().api()
        for one in [job, *taken, late[-1]["fed_job_id"]]:
            assert api.job(one)["state"] == "held"
        # full again: it still stops when it is told to
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        with pytest.raises(Gone):
            for _ in range(100):
                gateway.api(timeout=1).submit(spec(comment="x" * 1000))
        assert gateway.terminate() == 0
    finally:
        if gateway.process.poll() is None:
            gateway.kill()
        subprocess.run(["umount", "-l", state], check=False)
