"""A daemon is away while FLURM has a job of a native: what waits, what ran and what
ended meanwhile is known to all when it is back."""
import os
import time

import pytest

from stack import GONE, wait_until

USER = "daemon"
STACK = {"gateway": "local"}


@pytest.fixture
def full(stack):
    wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
               ["reachable"], what="FLURM answers")
    stack.natives("drain")
    stack.witness.forget()
    yield stack
    stack.natives("resume")
    stack.cancel_all()
    assert not stack.witness.started_twice()


def exit_code(cluster, job, *want):
    wait_until(lambda: cluster.job(job).get("ExitCode"),
               lambda code: code in want, 40,
               f"{cluster.name} knows that job {job} ended with {want}")


def restart(stack, daemon, meanwhile=lambda: None):
    daemon.kill()
    meanwhile()
    daemon.start()
    stack.wait_linked(60)


def running_job(stack, origin, *options, script=None):
    """A job that runs at FLURM, as its origin has on disk."""
    job = origin.sbatch(*options, user=USER, script=stack.witness.script(
        script or stack.witness.until_released + stack.witness.end(5)))
    stack.witness.wait_started(job)
    stack.wait_states(job, **{origin.name: "REVOKED"})
    origin.wait_saved(job)
    return job


# -- it runs


@pytest.mark.parametrize("who", ["plugin", "gateway", "origin", "slurmdbd"])
@pytest.mark.parametrize("ends", ["meanwhile", "afterwards"])
def test_it_runs_on(full, who, ends):
    """kill -9 of either end: it runs on, ends once, and is told as it was."""
    origin = full.beta if who == "origin" else full.alpha
    victim = {"plugin": full.alpha.slurmctld, "origin": full.beta.slurmctld,
              "gateway": full.flurm.gateway, "slurmdbd": full.slurmdbd}[who]
    job = running_job(full, origin)

    def end():
        full.witness.release(job)
        wait_until(lambda: full.witness.lines("end"), lambda ends:
                   job in [line.job for line in ends], what="it has ended")
    if ends == "meanwhile":
        restart(full, victim, end)
    else:
        restart(full, victim)
        end()
    exit_code(origin, job, "5:0")
    full.wait_states(job, flurm="failed", **{origin.name: "REVOKED"})
    assert full.witness.starts(job) == [("flurm", 0)]


def test_origin_has_not_saved_that_it_runs(full):
    """It comes back with a job that waits, and learns from our list."""
    filler = full.fill_flurm()
    job = full.beta.sbatch("--ntasks=16", user=USER, script=full.witness.script(
        full.witness.until_released + "exit 5"))
    full.wait_states(job, flurm="pending")
    full.beta.wait_saved(job)
    state = os.path.join(full.beta.dir, "state", "job_state")
    with open(state, "rb") as file:
        saved = file.read()
    full.alpha.run("scancel", str(filler))
    full.witness.wait_started(job)
    full.beta.slurmctld.kill()
    with open(state, "wb") as file:
        file.write(saved)
    full.beta.slurmctld.start()
    full.wait_linked(60)
    full.natives("resume")  # nothing keeps it from starting elsewhere now
    full.wait_states(job, beta="REVOKED", alpha=GONE, flurm="running")
    full.witness.release(job)
    exit_code(full.beta, job, "5:0")
    assert full.witness.starts(job) == [("flurm", 0)]


def wait_older_than_a_list():
    """A native lists no job of the second in which it makes its list: of one
    that is missing there nothing is known."""
    now = time.time()
    wait_until(lambda: time.time() > now + 2, what="two seconds later")


def test_origin_has_forgotten_its_jobs(full):
    """A cold start: what runs and what waits at FLURM is of nobody."""
    running = running_job(full, full.beta, "--ntasks=16", script="sleep 300")
    waiting = full.beta.sbatch("--ntasks=16", user=USER,
                               script=full.witness.script())
    full.wait_states(waiting, flurm="pending", alpha="PENDING")
    wait_older_than_a_list()
    full.beta.slurmctld.options = ["-c"]
    restart(full, full.beta.slurmctld)
    full.beta.slurmctld.options = []
    full.wait_states(running, flurm=("cancelled", "revoked"))
    full.wait_states(waiting, flurm="revoked")
    assert not full.witness.starts(waiting)


def test_cancelled_while_flurms_controller_is_away(full):
    """The origin's revoke is lost then: its list makes up for it."""
    running = running_job(full, full.beta, "--ntasks=16", script="sleep 300")
    waiting = full.beta.sbatch("--ntasks=16", user=USER,
                               script=full.witness.script())
    full.wait_states(waiting, flurm="pending")
    wait_older_than_a_list()

    def cancel():
        full.beta.run("scancel", str(running), str(waiting), user=USER)
        full.wait_states(waiting, beta="CANCELLED")
    restart(full, full.alpha.slurmctld, cancel)
    # an hour may pass before what waits is told to the one that runs
    full.wait_states(waiting, flurm="revoked", timeout=40)

    def cancelled():
        # a native may lose what it had to say meanwhile (fed_mgr.c,
        # _agent_thread()): then its user says it again
        full.beta.run("scancel", str(running), user=USER, check=False)
        return full.flurm.gateway.job(running).get("state")
    wait_until(cancelled, lambda state: state == "cancelled", 40,
               "it is cancelled at FLURM", every=2)
    exit_code(full.beta, running, "0:9", "0:15")
    assert not full.witness.starts(waiting)


def test_cancelled_while_the_origin_is_away(full):
    """At a sibling: it tells all that may have the job, FLURM too."""
    filler = full.fill_flurm()
    job = full.beta.sbatch("--ntasks=16", user=USER,
                           script=full.witness.script())
    full.wait_states(job, flurm="pending", alpha="PENDING")
    full.beta.wait_saved(job)

    def cancel():
        wait_until(lambda: full.alpha.federation().siblings["beta"].send,
                   lambda up: up == "No", what="alpha has noticed")
        full.alpha.run("scancel", str(job), user=USER)
        full.wait_states(job, alpha="CANCELLED", flurm=("revoked", "cancelled"))
    restart(full, full.beta.slurmctld, cancel)
    full.wait_states(job, beta=("CANCELLED", "REVOKED"))
    full.alpha.run("scancel", str(filler))
    full.flurm.gateway.wait_job(filler, "cancelled")
    assert not full.witness.starts(job)


# -- it waits


def test_submitted_while_flurms_side_is_away(full):
    """Accepted, kept, delivered when it is back."""
    full.flurm.gateway.kill()
    job = full.alpha.sbatch(user=USER, script=full.witness.script())
    wait_until(lambda: full.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: states.get("delivering"), what="kept")
    full.flurm.gateway.start()
    full.witness.wait_started(job)
    full.wait_states(job, flurm="completed", alpha="REVOKED", beta=GONE)


def test_natives_go_on_while_flurms_side_is_away(full):
    full.flurm.gateway.kill()
    full.natives("resume")
    job = full.alpha.sbatch(user=USER, script=full.witness.script())
    wait_until(lambda: full.witness.starts(job), what="a native ran it")
    assert full.witness.starts(job)[0][0] in ("alpha", "beta")
    full.flurm.gateway.start()
    full.wait_states(job, flurm=(None, "revoked"))
    wait_until(lambda: full.flurm.status()["clusters"][0]["jobs"]["states"],
               lambda states: set(states) <= {"gone"}, 20, "all is told")
    full.natives("drain")


def test_submitted_while_flurms_controller_is_away(full):
    """beta keeps it and sends it when the controller is back."""
    def submit():
        nonlocal job
        job = full.beta.sbatch(user=USER, script=full.witness.script())
    job = None
    before = len(lost_by_slurm(full.beta))
    restart(full, full.alpha.slurmctld, submit)
    wait_until(lambda: full.witness.starts(job) or
               len(lost_by_slurm(full.beta)) > before, timeout=60,
               what="it runs at FLURM")
    if not full.witness.starts(job):
        full.natives("resume")  # a native is left to run it
    full.witness.wait_started(job)


def lost_by_slurm(native):
    """A message that failed and one that succeeds in the same second are one
    to slurmctld, and it drops the wrong one (fed_mgr.c, _agent_thread())."""
    return native.slurmctld.logged("bitmap too small")


def test_it_waits_while_the_origin_is_restarted(full):
    filler = full.fill_flurm()
    job = full.beta.sbatch("--ntasks=16", user=USER,
                           script=full.witness.script())
    full.wait_states(job, flurm="pending")
    full.beta.wait_saved(job)
    restart(full, full.beta.slurmctld)
    full.wait_states(job, flurm="pending", beta="PENDING")
    full.alpha.run("scancel", str(filler))
    full.witness.wait_started(job)
    full.wait_states(job, flurm="completed", beta="REVOKED", alpha=GONE)


def has_on_disk(native, name):
    with open(os.path.join(native.dir, "state", "job_state"), "rb") as file:
        return name.encode() in file.read()


@pytest.mark.parametrize("plugin", ["stays", "killed"])
def test_it_starts_while_the_origin_is_down(full, plugin):
    """With the lock of the other sibling, which gives its copy up; the origin
    hears of it all when it is back."""
    filler = full.fill_flurm()
    name = f"origin-down-plugin-{plugin}"
    job = full.beta.sbatch("--ntasks=16", f"--job-name={name}", user=USER,
                           script=full.witness.script(
                               full.witness.until_released +
                               full.witness.end(5)))
    full.wait_states(job, flurm="pending", alpha="PENDING")
    for native in (full.alpha, full.beta):
        wait_until(lambda: has_on_disk(native, name),
                   what=f"{native.name} has saved it")
    full.beta.slurmctld.kill()
    full.alpha.run("scancel", str(filler))
    if plugin == "killed":
        # before or after alpha was asked
        full.flurm.gateway.wait_job(job, "starting")
        full.alpha.slurmctld.kill()
        full.alpha.slurmctld.start()
    full.witness.wait_started(job, timeout=90)
    full.wait_states(job, flurm="running", alpha=GONE)
    full.beta.slurmctld.start()
    full.wait_linked(60)
    full.natives("resume")  # nothing keeps it from starting elsewhere now
    full.wait_states(job, flurm="running", beta="REVOKED", alpha=GONE)
    full.witness.release(job)
    exit_code(full.beta, job, "5:0")
    full.wait_states(job, flurm="failed", beta="REVOKED", alpha=GONE)
    assert full.witness.starts(job) == [("flurm", 0)]


# -- FLURM forgets


def lose_store(gateway):
    gateway.kill()
    lost = gateway.state + ".lost"
    os.rename(gateway.state, f"{lost}{len(os.listdir(gateway.dir))}")
    gateway.start()


def test_flurm_loses_its_store(full):
    """What ran is not called completed; what waited is delivered again."""
    running = running_job(full, full.alpha, "--ntasks=16", "--no-requeue",
                          script="sleep 300")
    waiting = full.alpha.sbatch("--ntasks=16", user=USER,
                                script=full.witness.script())
    full.wait_states(waiting, flurm="pending")
    lose_store(full.flurm.gateway)
    full.witness.wait_started(waiting)
    wait_until(lambda: full.flurm.flurmfed("job", str(running)),
               lambda text: "ended node_fail" in text and "gone" in text, 40,
               "it ended because FLURM lost it")
    assert full.alpha.job_state(running) != "COMPLETED"
    assert full.witness.starts(running) == [("flurm", 0)]
    full.wait_states(waiting, flurm="completed", alpha="REVOKED", beta=GONE)


def test_flurm_loses_a_job_that_may_be_requeued(full):
    """Its origin is asked to requeue it, and it runs once more."""
    job = running_job(full, full.alpha, "--requeue", script=
                      '[ "$SLURM_RESTART_COUNT" = 1 ] || sleep 300')
    lose_store(full.flurm.gateway)
    wait_until(lambda: full.alpha.job_state(job),
               lambda state: state == "PENDING", 40, "pending again")
    full.alpha.scontrol("update", f"jobid={job}", "starttime=now")
    full.witness.wait_started(job, 2, 60)
    assert full.witness.starts(job) == [("flurm", 0), ("flurm", 1)]
    full.wait_states(job, flurm="completed", alpha="REVOKED")
