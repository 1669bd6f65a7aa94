"""Something breaks with 200 jobs in flight: each starts once, none is lost, none
is called completed that did not complete, and all clusters agree at the end.

test_faults_*.py have the faults, each a context in which something is broken.
"""
import collections
import contextlib
import os
import re
import time

from stack import wait_until

USER = "daemon"
COUNT = 200


@contextlib.contextmanager
def killed(daemon):
    daemon.kill()
    yield
    daemon.start()


@contextlib.contextmanager
def paused(daemon, seconds=30):
    daemon.pause()
    yield
    time.sleep(seconds)  # longer than MessageTimeout: that is the fault
    daemon.resume()


@contextlib.contextmanager
def cut(wire):
    """Whatever is said is torn in half, until three connections were."""
    torn = wire.torn
    wire.cut()
    try:
        yield
        wait_until(lambda: wire.torn - torn, lambda count: count >= 3, 60,
                   "connections were torn")
    finally:
        wire.mend()


@contextlib.contextmanager
def swallowed(wire):
    wire.swallow()
    try:
        yield
        time.sleep(15)  # longer than MessageTimeout: that is the fault
    finally:
        wire.mend()


@contextlib.contextmanager
def lost_store(gateway):
    gateway.kill()
    os.rename(gateway.state, gateway.state + ".lost")
    yield
    gateway.start()


@contextlib.contextmanager
def full_disk(stack):
    path = os.path.join(stack.flurm.ledger, "ballast")
    ballast = os.open(path, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(ballast, bytes(4096)):
            pass
    os.close(ballast)
    yield
    wait_until(lambda: stack.flurm.status()["clusters"][0]["ledger"]["state"],
               lambda state: state != "ok", 20, "the ledger cannot be written")
    os.remove(path)


def submit(stack, origin, count, name):
    """One in five fails, each in its own way. None ends before the gate is
    open: some run, the others wait."""
    path = os.path.join(stack.work, "job.sh")
    gate = os.path.join(stack.work, "gate")
    with contextlib.suppress(FileNotFoundError):
        os.remove(gate)
    with open(path, "w") as file:
        file.write(stack.witness.script(
            f"while [ ! -e {gate} ]; do sleep 0.3; done; sleep 0.5\n" +
            stack.witness.end("SLURM_JOB_ID % 5")))
    out = origin.run("sh", "-c", f"seq {count} | xargs -P 6 -I{{}} sbatch "
                     f"--parsable --output=/dev/null --job-name={name} "
                     f"--no-requeue {path}", user=USER, timeout=120)
    return [int(line.split(";")[0]) for line in out.split()]


def wait_known_on_disk(origin, count, name):
    """What is not in its state file a slurmctld that is killed has lost, with
    FLURM or without."""
    def known():
        with open(os.path.join(origin.dir, "state", "job_state"), "rb") as file:
            return file.read().count(name.encode())
    wait_until(known, lambda there: there >= count, 30,
               f"{count} jobs are in {origin.name}'s state file")


def open_gate(stack):
    open(os.path.join(stack.work, "gate"), "w").close()


def fault(stack, how, what, origin="alpha", native=None, wire=None):
    """Runs COUNT jobs and breaks something while most of them wait.

    how     a context
    what    its argument, which is broken
    origin  whose jobs
    native  the one that is broken by it: what natives make then of the jobs
            that they run themselves is their own affair
    wire    the one that FLURM finds at its proxy
    """
    while_it_lives(stack.beta, _once, stack, how, what, origin, native, wire)


def while_it_lives(native, test, *args):
    """Does it again if the native's slurmctld has ended meanwhile.

    A slurmctld may end as it is told of a change to the federation while its
    thread fed_jobs has something to say (fed_mgr.c, _join_federation() and
    _queue_rpc()). Of one that has no code of ours that is another fault than
    those that are meant.
    """
    for _ in range(3):
        try:
            return test(*args)
        except AssertionError:
            if native.slurmctld.alive:
                raise
        print(f"{native.name}'s slurmctld has ended by itself")
        native.slurmctld.start()
    raise AssertionError(f"{native.name}'s slurmctld has ended three times")


def _once(stack, how, what, origin, native, wire):
    stack.wait_flurm_linked(60)
    stack.mend_natives()
    stack.cancel_all()
    # one that was killed has drained its node by starting a job twice
    stack.natives("resume")
    stack.witness.forget()
    origin = stack.clusters[origin]
    name = f"batch-{time.monotonic_ns()}"
    jobs = set(submit(stack, origin, COUNT, name))
    assert len(jobs) == COUNT
    wait_until(lambda: {line.cluster for line in stack.witness.lines("start")},
               lambda seen: {"flurm"} < seen, 30,
               "FLURM and a native run some")
    if native == origin.name:
        wait_known_on_disk(origin, COUNT, name)
    if wire:
        stack.reroute(stack.clusters[wire])
    open_gate(stack)
    wait_until(lambda: stack.witness.lines("end"), what="some have ended")
    with how(what):
        pass
    stack.wait_flurm_linked(90)
    judge(stack, origin, jobs, native)


def judge(stack, origin, jobs, native):
    wait_until(lambda: not_started(stack, jobs, native), lambda left: not left,
               120, "all have started")
    starts = stack.witness.lines("start")
    where = collections.defaultdict(list)
    for line in starts:
        where[line.job].append(line.cluster)
    assert ["flurm"] in where.values()
    twice = {job: each for job, each in where.items() if len(each) > 1}
    if native == origin.name:
        # two natives may both start a job whose origin is away, with FLURM or
        # without (fed_mgr.c, _job_lock_all_sibs()), and a native that was
        # killed starts again what it has not saved of its own
        twice = {job: each for job, each in twice.items() if "flurm" in each}
    assert not twice
    nothing_is_left(stack, origin, where, native)
    ends = {line.job: int(line.time) for line in stack.witness.lines("end")}
    agree(stack, origin, jobs, where, ends, native)


def not_started(stack, jobs, native):
    """Jobs that have not started, though nobody has lost them."""
    left = jobs - {line.job for line in stack.witness.lines("start")}
    if native and left:
        # a native that is killed may lose what it was about to start
        left -= {job["fed_job_id"] for job in stack.flurm.gateway.jobs(
            "revoked")}
    if len(left) > 20:
        return left
    # nor has FLURM, if it lost them between the grant and the start: they end
    # by NODE_FAIL
    return {job for job in left if not ended_by_node_fail(stack, job)}


def nothing_is_left(stack, origin, where, native):
    # what its origin ran, and did not know FLURM to have (it came after FLURM's
    # JOB_SYNC), FLURM is refused the lock of 30 times, every two seconds
    wait_until(lambda: stack.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: set(states) <= {"gone"}, 120,
               "FLURM's controller owes nothing")
    wait_until(stack.flurm.gateway.unfinished, lambda left: not left, 30,
               "FLURM has nothing left of them")

    def left():
        # a native that stood still or was killed does not tell the others all
        # of what it ran itself: they keep their copies (fed_mgr.c,
        # _persist_fed_job_revoke() and _reconcile_fed_job())
        return {(name, job, state) for name, jobs in stack.queues().items()
                for job, state in jobs.items() if job in where and (
                    not native or name == origin.name and
                    "flurm" in where[job])}
    wait_until(left, lambda jobs: not jobs, 60, "the natives have nothing left")


def agree(stack, origin, jobs, where, ends, native):
    """The origin and FLURM say of each job's end what the job itself says. One
    that FLURM has lost has failed, whatever it says itself, unless FLURM had
    told of its end by then."""
    told = origin.exit_codes()
    at_flurm = {job["fed_job_id"]: job for job in stack.flurm.gateway.jobs()}
    wrong = {}
    for job in jobs:
        if native and where[job][:1] != ["flurm"]:
            continue
        said = told.get(job)
        right = job in ends and said == f"{ends[job]}:0"
        if not where[job] or where[job] == ["flurm"] and (
                job not in ends or lost_there(job, at_flurm)):
            right = ended_by_node_fail(stack, job) or right
        if not right:
            wrong[job] = (where[job], ends.get(job), said, at_flurm.get(job))
    assert not wrong


def lost_there(job, at_flurm):
    """FLURM has lost the job: what it was is not known to it any more."""
    return job not in at_flurm or at_flurm[job]["state"] == "node_fail"


def ended_by_node_fail(stack, job):
    """So FLURM's controller has it, and has told its origin."""
    story = stack.flurm.flurmfed("job", str(job), check=False).out
    # or gone, if the ledger was packed since
    return re.search("(ended|gone) node_fail", story) is not None
