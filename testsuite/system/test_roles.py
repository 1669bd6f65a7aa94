"""Every client command, by everybody: FLURM answers as a native sibling does.

Root, an operator, a coordinator of the account, the owner and a stranger ask
beta and FLURM the same of jobs that are alike; exit status, what is said and
which jobs and nodes are seen are compared. Then again where PrivateData hides
all that it can.
"""
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from stack import wait_until
from stack.people import PEOPLE, add_people
from test_crash import wait_lost

pytestmark = pytest.mark.fed_flurmd
STACK = {"gateway": "local"}
SCRIPT = "#!/bin/sh\nexec sleep 600\n"
WHERE = ("beta", "flurm")

# {runs} and {waits} are jobs of the owner's, {node} is the cluster's
QUESTIONS = [line.split() for line in """
squeue
squeue --start --format=%i,%T
squeue --steps
squeue --jobs={runs}
squeue --user=daemon
squeue --account=science --long
sinfo
sinfo --Node --long
sinfo --list-reasons
scontrol show job
scontrol show job {runs}
scontrol show job {waits}
scontrol show node
scontrol show node {node}
scontrol show partition
scontrol show partition normal
scontrol show partition nosuch
scontrol show step
scontrol show step {runs}.batch
scontrol show config
scontrol show federation
scontrol show reservation
scontrol show licenses
scontrol show topology
scontrol show assoc_mgr
scontrol ping
scontrol write batch_script {runs} -
scontrol write batch_script {waits} -
sprio
sprio --jobs={waits}
sshare
sshare --all --long
sdiag
sacct --allocations --allusers --starttime=now-1hour
sacct --allocations --jobs={runs}
sacct --jobs={runs}
""".strip().splitlines()]

# Done one after the other. What waits first. {gone} is no federation's, {nosuch}
# is alpha's by its number; neither ever was.
ACTIONS = [line.split() for line in """
scontrol update jobid={waits} comment=new
scontrol update jobid={waits} nice=5
scontrol update jobid={waits} nice=-5
scontrol update jobid={waits} priority=7
scontrol update jobid={waits} account=nosuch
scontrol update jobid={waits} admincomment=new
scontrol hold {waits}
scontrol uhold {waits}
scontrol release {waits}
scontrol suspend {waits}
scontrol resume {waits}
scontrol notify {waits} hello
scontrol notify {runs} hello
scontrol requeue {waits}
scontrol top {waits}
scontrol top {waits},{waits}
scontrol top {waits},{runs}
scontrol top {runs}
scontrol update jobid={runs} timelimit=5
scontrol update jobid={runs} timelimit=50
scontrol update jobid={runs} comment=new
scontrol hold {runs}
scontrol resume {runs}
scontrol suspend {runs}
scontrol resume {runs}
scancel --signal=URG {runs}
scancel --batch --signal=URG {runs}
scancel --user=daemon --name=nosuch
scontrol suspend {gone}
scontrol resume {gone}
scontrol notify {gone} hello
scontrol hold {gone}
scontrol release {gone}
scontrol requeue {gone}
scontrol requeuehold {gone}
scontrol update jobid={gone} comment=x
scontrol top {gone}
scontrol top {waits},{gone}
scancel {gone}
scontrol suspend {nosuch}
scontrol resume {nosuch}
scontrol notify {nosuch} hello
scontrol hold {nosuch}
scontrol requeue {nosuch}
scontrol top {nosuch}
scancel {nosuch}
scancel {waits}
scancel {runs}
""".strip().splitlines()]

# ... of a job that has ended. Who may have it requeued.
TOO_LATE = [line.split() for line in """
scontrol suspend {runs}
scontrol resume {runs}
scontrol notify {runs} hello
scontrol hold {runs}
scontrol release {runs}
scontrol top {runs}
scontrol update jobid={runs} timelimit=5
scancel {runs}
scontrol requeuehold {runs}
""".strip().splitlines()]


@pytest.fixture(scope="module")
def people(stack):
    add_people(stack)
    stack.set_features()
    return stack


def _state(stack, cluster, job):
    return stack.alpha.run("squeue", "-M", cluster, "--noheader",
                           "--states=all", f"--jobs={job}", "--Format=state",
                           check=False).out.strip()


def _jobs(stack, minutes):
    """{cluster: {name: id}}: one that runs and one that waits for its CPU."""
    made = {cluster: {} for cluster in WHERE}
    for name, cpus, state in (("runs", 1, "RUNNING"), ("waits", 16, "PENDING")):
        for cluster, mine in made.items():
            mine[name] = stack.alpha.sbatch(
                f"--cluster-constraint={cluster}", f"--job-name={name}",
                "--account=science", "--mem=10", f"-t{minutes}", f"-n{cpus}",
                script=SCRIPT, user=PEOPLE["owner"])
        for cluster, mine in made.items():
            wait_until(lambda: _state(stack, cluster, mine[name]),
                       lambda now: now == state, 30,
                       f"job {mine[name]} on {cluster} is {state}")
    return made


def _wait_accounted(stack, made):
    """slurmdbd is told of what waits some seconds later."""
    ids = {str(job) for mine in made.values() for job in mine.values()}
    wait_until(lambda: set(stack.alpha.run(
        "sacct", "-M", ",".join(made), "-DXan", "--format=jobid",
        "--jobs=" + ",".join(ids)).split()), lambda seen: seen >= ids, 30,
        "slurmdbd has all jobs")


def _cancel(stack, made, name):
    stack.alpha.run("scancel", *(str(mine[name]) for mine in made.values()),
                    check=False)


def _settle(stack, cluster, job):
    """Until all that was done to the cluster's jobs has reached it.

    A native takes a second for each update of a job that is new; one that is
    cancelled meanwhile may start once the release that came before is read.
    """
    stack.alpha.scontrol("update", f"jobid={job}", "comment=settled")
    wait_until(lambda: stack.alpha.scontrol("-M", cluster, "show", "job",
                                            str(job)),
               lambda out: "Comment=settled" in out, 60,
               f"{cluster} has heard of all")


@pytest.fixture(scope="module")
def jobs(people):
    """{cluster: {name: id}}, to be looked at"""
    made = _jobs(people, 60)
    _wait_accounted(people, made)
    yield made
    # what waits first, or it starts
    _cancel(people, made, "waits")
    _cancel(people, made, "runs")


def _ask(stack, cluster, argv, ids, who):
    """What was said: status, what of, and the words of an error."""
    argv = [word.format(node=f"{cluster}1", gone=4711,
                        nosuch=ids["runs"] | 0x3ffffff, **ids)
            for word in argv]
    done = stack.alpha.run(argv[0], "-M", cluster, *argv[1:], check=False,
                           user=PEOPLE[who])
    seen = {name for name, job in ids.items() if str(job) in done.out}
    # natives tell where what waits is to run
    if re.search(rf"(?<!SchedNodeList=)\b{cluster}1\b", done.out):
        seen.add("node")
    said = done.err
    for name, job in ids.items():
        said = re.sub(rf"\b{job}\b", name, said)
    said = re.sub(rf"\b{cluster}(?=1?\b)", "CLUSTER", said)
    return done.status, seen, sorted(set(said.splitlines()))


def _ask_all(stack, made):
    """Futures of what is said: {(cluster, question, who): ...}.

    Asked by some at a time, since a command mostly waits: with -M it asks
    slurmdbd, and both send in pieces that wait for an acknowledgement.
    """
    with ThreadPoolExecutor(6) as pool:
        return {(cluster, *argv, who): pool.submit(
            _ask, stack, cluster, argv, made[cluster], who)
            for argv in QUESTIONS for who in PEOPLE for cluster in WHERE}


def _compare(said, argv, who):
    native, ours = (said[(cluster, *argv, who)].result() for cluster in WHERE)
    assert ours == native


@pytest.fixture(scope="module")
def said(people, jobs):
    return _ask_all(people, jobs)


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("argv", QUESTIONS, ids=" ".join)
def test_questions(said, argv, who):
    _compare(said, argv, who)


def _act(stack, cluster, ids, who):
    """What was said to each of ACTIONS, then to each of TOO_LATE."""
    said = []
    for argv in ACTIONS:
        if argv[-2:] == ["scancel", "{waits}"]:
            _settle(stack, cluster, ids["runs"])
        elif argv[-2:] == ["scancel", "{runs}"]:
            # or it starts
            _cancel(stack, {cluster: ids}, "waits")
        said.append(_ask(stack, cluster, argv, ids, who))
    _cancel(stack, {cluster: ids}, "runs")
    wait_until(lambda: _state(stack, cluster, ids["runs"]),
               lambda now: now == "CANCELLED", 20,
               f"job {ids['runs']} on {cluster} is over")
    return said + [_ask(stack, cluster, argv, ids, who) for argv in TOO_LATE]


@pytest.mark.parametrize("who", PEOPLE)
def test_actions(people, who):
    # short, so that they get by what waits to be looked at
    made = _jobs(people, 10)
    with ThreadPoolExecutor() as pool:
        native, ours = pool.map(
            lambda cluster: _act(people, cluster, made[cluster], who), WHERE)
    _cancel(people, made, "runs")
    differ = [(" ".join(argv), *both) for argv, *both in
              zip(ACTIONS + TOO_LATE, native, ours) if both[0] != both[1]]
    assert not differ, "\n".join(map(str, differ))


@pytest.fixture(scope="module")
def private(people, jobs):
    """The same jobs, where others' and all else is hidden."""
    for cluster in people.clusters.values():
        cluster.extra.append("PrivateData=accounts,jobs,nodes,partitions,"
                             "reservations,usage,users")
        cluster.write_conf()
    # of two that are restarted at once 22.05 may not see each other again
    people.beta.reconfigure()
    people.alpha.slurmctld.restart()
    if people.flurm.daemon:
        people.flurm.daemon.stop()
        # or they take its new connection for the one that ended
        for cluster in people.clusters:
            wait_lost(people, cluster, "flurm")
        people.flurm.daemon.start()
    people.mend_natives()
    people.wait_linked(100)
    # FLURM's are asked for anew, too
    wait_until(lambda: people.alpha.run("sinfo", "-M", "flurm", "-h"),
               lambda out: "flurm1" in out, 20, "FLURM's nodes are known")
    return jobs


@pytest.fixture(scope="module")
def said_in_private(people, private):
    return _ask_all(people, private)


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("argv", QUESTIONS, ids=" ".join)
def test_private_questions(said_in_private, argv, who):
    _compare(said_in_private, argv, who)
