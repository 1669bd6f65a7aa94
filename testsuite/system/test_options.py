"""sbatch's options, as doc/options.md has them, by real sbatch: what FLURM is
asked for, and what it refuses.

The natives are drained and FLURM is full, so that a job waits there and can be
looked at.
"""
import os
import re
import signal

import pytest

from stack import wait_until
from stack.flurm import TOP

USER = "daemon"

# option -> what FLURM's job has then
MAPPED = {
    "--account=science": {"account": "science"},
    "--begin=2100-01-01T00:00:00": {"begin_time": None},
    "--chdir=/var/tmp": {"work_dir": "/var/tmp"},
    "--comment=no comment": {"comment": "no comment"},
    "--cpus-per-task=2": {"cpus_per_task": 2, "num_cpus": 2},
    "--deadline=2100-01-01T00:00:00": {"deadline": None},
    "--error=err-%j": {"std_err": "{work}/err-%j"},
    "--exclusive": {"exclusive": True},
    "--input=/dev/zero": {"std_in": "/dev/zero"},
    "--job-name=hello": {"name": "hello"},
    "--mem=2048": {"memory_mb": 2048},
    "--mem-per-cpu=100": {"memory_per_cpu_mb": 100},
    "--mincpus=4": {"num_cpus": 4},
    "--nice=50": {"nice": 50},
    "--nodes=1": {"num_nodes": 1},
    "--ntasks=3": {"num_tasks": 3, "num_cpus": 3},
    "--ntasks-per-node=2": {"ntasks_per_node": 2},
    "--open-mode=append": {"open_mode": "append"},
    "--open-mode=truncate": {"open_mode": "truncate"},
    "--output=out-%j": {"std_out": "{work}/out-%j"},
    "--oversubscribe": {"exclusive": False},
    "--partition=normal": {"partition": "normal"},
    "--signal=B:USR1@60": {"warn_signal": int(signal.SIGUSR1),
                           "warn_time": 60},
    "--time=10": {"time_limit": 600},
    "--time-min=5": {"time_min": 300},
    "--tmp=0": {},
    "--gid=daemon": {"group_id": 1},
    "--uid=daemon": {"user_id": 1},
}
# options that do not change what FLURM is asked for
IGNORED = [
    "--acctg-freq=30", "--cpu-freq=high", "--delay-boot=60",
    "--distribution=block", "--gpu-bind=none", "--gpu-freq=high",
    "--gres-flags=disable-binding", "--mail-type=END", "--mail-user=ann",
    "--mem-bind=local", "--network=x", "--no-kill", "--ntasks-per-core=1",
    "--ntasks-per-socket=1", "--overcommit", "--profile=none",
    "--signal=USR1@60", "--spread-job", "--switches=1",
    "--threads-per-core=1", "--use-min-nodes", "--wait-all-nodes=1",
]
# options that a native takes here and FLURM refuses, with what it says
REFUSED = {
    "--contiguous": "--contiguous",
    "--cores-per-socket=1": "cores-per-socket",
    "--sockets-per-node=1": "sockets-per-node",
    "--extra-node-info=1:1": "per-",
    "--mcs-label=secret": "--mcs-label",
    "--reboot": "--reboot",
}
# what the gateway itself has not
UNAVAILABLE = {
    "--licenses=matlab": "licenses",
    "--nodelist={native}1": "req_nodes",
    "--exclude={native}1": "exc_nodes",
}


@pytest.fixture(scope="module")
def options_doc():
    with open(os.path.join(TOP, "doc", "options.md")) as file:
        return {name: line.split("|")[2].strip() for line in file
                if line.startswith("| `--")
                for name in re.findall(r"`(--[a-z-]+)`", line.split("|")[1])}


@pytest.fixture
def held_up(full):
    full.fill_flurm()
    return full


def name_of(option):
    return option.split("=")[0]


def test_every_option_is_as_the_document_says(options_doc):
    """The rows here and the document's agree."""
    for option in MAPPED:
        assert options_doc[name_of(option)].startswith(("mapped", "client")) \
            or option.startswith("--signal"), option
    for option in IGNORED:
        assert "ignored" in options_doc[name_of(option)], option
    for option in REFUSED:
        assert "refused" in options_doc[name_of(option)], option


def submit(stack, *options, **kw):
    kw.setdefault("user", USER)
    return stack.alpha.sbatch("--output=/dev/null", *options,
                              script="#!/bin/sh\ntrue\n", **kw)


# sbatch of root alone may set these
AS_ROOT = ("--uid", "--gid", "--nice=-")


def test_mapped(held_up):
    """One job for each option; FLURM's job has what was asked for."""
    jobs = {}
    for option in MAPPED:
        root = option.startswith(AS_ROOT)
        jobs[option] = submit(held_up, option, *(
            ["--uid=daemon"] if option.startswith("--gid") else []),
            user=None if root else USER)
    wrong = {}
    for option, job in jobs.items():
        seen = held_up.flurm.gateway.wait_job(job, "pending", "held")
        for field, want in MAPPED[option].items():
            if isinstance(want, str):
                want = want.format(work=held_up.work)
            got = seen.get(field)
            if got != want and not (want is None and got):
                wrong[option, field] = (got, want)
    assert not wrong


def test_ignored(held_up):
    """FLURM's job is the same as without the option."""
    plain = submit(held_up)
    jobs = {option: submit(held_up, option) for option in IGNORED}
    # what every job has of its own
    own = {"fed_job_id", "epoch", "job_id", "submit_time", "priority",
           "eligible_time", "begin_time", "reason"}

    def spec(job):
        seen = held_up.flurm.gateway.wait_job(job, "pending")
        return {key: value for key, value in seen.items() if key not in own}
    plain = spec(plain)
    wrong = {}
    for option, job in jobs.items():
        seen = spec(job)
        changed = {key: (plain.get(key), seen.get(key))
                   for key in plain.keys() | seen.keys()
                   if plain.get(key) != seen.get(key)}
        if changed:
            wrong[option] = changed
    assert not wrong


def refusal(stack, job):
    """What FLURM's controller says of a job that it does not take."""
    return wait_until(lambda: [line for line in stack.alpha.slurmctld.logged(
        f"job {job}") if re.search("is refused:|FLURM refuses", line)], what=f"job {job} is refused")[0]


def test_refused(held_up):
    """It stays at the natives, and the log says why."""
    for option, why in REFUSED.items():
        job = submit(held_up, option, user=None if option == "--reboot" else
                     USER)
        assert why in refusal(held_up, job), option
        assert not held_up.flurm.gateway.job(job)
        held_up.wait_states(job, alpha="PENDING")
        wait_until(lambda: held_up.alpha.job(job)["FedActiveSiblings"],
                   lambda active: "flurm" not in active,
                   what="alpha knows that FLURM has not got it")
        story = held_up.flurm.flurmfed("job", str(job))
        assert "refused with" in story


def test_what_the_gateway_has_not(held_up):
    for option, why in UNAVAILABLE.items():
        done = held_up.alpha.run(
            "sbatch", "--parsable", "--output=/dev/null", "--hold",
            option.format(native="alpha"), "--wrap=true", user=USER,
            check=False)
        if done.status:
            continue  # alpha itself has no such thing
        job = int(done.out.split(";")[0])
        held_up.alpha.scontrol("release", str(job))
        assert why in refusal(held_up, job), option
        held_up.wait_states(job, alpha="PENDING")


def test_refused_job_runs_at_a_native(held_up):
    job = held_up.alpha.sbatch("--contiguous", user=USER,
                               script=held_up.witness.script())
    refusal(held_up, job)
    held_up.natives("resume")
    wait_until(lambda: held_up.witness.starts(job), what="it has started")
    assert held_up.witness.starts(job)[0][0] in ("alpha", "beta")


def test_their_effect(full):
    """What a job notices of them: directory, files, environment, limits."""
    directory = os.path.join(full.work, "there")
    os.mkdir(directory)
    os.chmod(directory, 0o777)
    with open(os.path.join(full.work, "input"), "w") as file:
        file.write("from a file\n")
    os.chmod(os.path.join(full.work, "input"), 0o644)
    job = full.alpha.sbatch(
        f"--chdir={directory}", f"--input={full.work}/input",
        "--output=%x.%j.out", "--error=err", "--open-mode=append",
        "--job-name=effect", "--ntasks=3", "--cpus-per-task=2",
        "--export=ONE=1,TWO", "--propagate=NOFILE", "--mem=512",
        user=USER, env={"TWO": "2", "THREE": "3"}, script="""#!/bin/sh
cat
pwd
echo "$ONE $TWO ${THREE-none}"
echo "$SLURM_JOB_NAME $SLURM_NTASKS $SLURM_CPUS_PER_TASK $SLURM_CLUSTER_NAME"
echo wrong >&2
""")
    full.wait_states(job, flurm="completed", alpha="REVOKED")
    with open(os.path.join(directory, f"effect.{job}.out")) as file:
        assert file.read().splitlines() == [
            "from a file", directory, "1 2 none", "effect 3 2 flurm"]
    with open(os.path.join(directory, "err")) as file:
        assert file.read() == "wrong\n"


def test_warned_before_its_limit(full):
    """--signal=B: the script is told, and may end by itself."""
    job = full.alpha.sbatch("--signal=B:USR1@57", "--time=1", user=USER,
                            script="#!/bin/sh\ntrap 'exit 9' USR1\n"
                            "while :; do sleep 0.1; done\n")
    full.wait_states(job, flurm="failed", alpha="REVOKED")
    wait_until(lambda: full.alpha.job(job)["ExitCode"],
               lambda code: code == "9:0", what="it was warned")
