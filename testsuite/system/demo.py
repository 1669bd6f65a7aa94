"""./demo: a federation to look at. Use the starter, which builds it first."""
import os
import shlex
import signal
import sys
import time

from stack import GONE, Stack, wait_until
from stack.flurm import built


def say(text=""):
    print(text, flush=True)


def show(cluster, *argv, before="", after=""):
    """Runs a command as a user would, with a word on what one sees."""
    say()
    if before:
        say(before)
    say(f"  {cluster.name}$ {shlex.join(argv)}")
    tool = [built("flurmfed"), *argv[1:]] if argv[0] == "flurmfed" else argv
    done = cluster.run(*tool, check=False)
    for line in (done.out + done.err).rstrip().splitlines():
        say(f"    {line}")
    if after:
        say(after)


def tour(stack):
    alpha, beta = stack.alpha, stack.beta
    show(alpha, "scontrol", "show", "federation",
         before="alpha's slurmctld is stock Slurm and knows two siblings. beta "
         "is a native\ncluster; flurm is FLURM, whose controller is the "
         "plugin in alpha's slurmctld:",
         after="Yes/Yes and Synced:Yes: connected in both directions, and "
         "each knows the\nother's jobs.")
    show(beta, "scontrol", "show", "federation",
         before="beta's slurmctld loads no plugin and sees the same:")
    show(alpha, "sacctmgr", "show", "cluster",
         "format=cluster,controlhost,controlport,rpc,fedstate",
         before="In slurmdbd FLURM is registered like any other cluster:")
    show(alpha, "scontrol", "-M", "flurm", "ping",
         before="Slurm's own commands reach it:")
    show(alpha, "flurmfed", "status",
         before="What the plugin itself says of its state:")


USER = "nobody"
LONG = "#!/bin/sh\nexec sleep 600\n"


def submit(cluster, *options, script, before=""):
    say()
    if before:
        say(before)
    job = cluster.sbatch(*options, script=script, user=USER)
    say(f"  {cluster.name}$ sbatch {shlex.join(options)} # as {USER}")
    for line in script.splitlines():
        say(f"    | {line}")
    say(f"    Submitted batch job {job}")
    return job


def queues(stack, *jobs, after=""):
    """What each native has of these jobs."""
    for cluster in (stack.alpha, stack.beta):
        show(cluster, "squeue", "--local", "--all", "--states=all",
             "--jobs=" + ",".join(map(str, jobs)),
             "--format=%.10i %.9P %.8u %.10T %.6M %R")
    if after:
        say(after)


def everywhere(stack, job):
    """The whole federation in Slurm's own commands, asked at one place."""
    beta = stack.beta
    show(beta, "squeue", "--federation", "--sibling", "--states=running",
         "--format=%.10i %.9P %.8u %.10T %.6M %R",
         before="What runs in the whole federation, asked at beta:")
    show(beta, "sinfo", "--federation",
         before="and its nodes, FLURM's among them:")
    show(beta, "scontrol", "-M", "flurm", "show", "job", str(job),
         before="FLURM's own record of the job is like any other:")


def federation(cluster, job, after):
    """What squeue says of a job and its siblings, at all clusters."""
    show(cluster, "squeue", "--federation", "--sibling", f"--jobs={job}",
         "--Format=jobid:12,cluster:10,state:12,siblingsactive:20,reason:20",
         after=after)


def accounts(stack, jobs):
    """What slurmdbd knows of these jobs, once it knows all of it."""
    wait_until(lambda: stack.flurm.status()["clusters"][0]["accounting"],
               lambda seen: not seen["waiting"], timeout=30,
               what="slurmdbd was told all")
    say("\n-- What slurmdbd has of them")
    show(stack.beta, "sacct", "--federation", "--allusers",
         "--jobs=" + ",".join(map(str, jobs)),
         "--format=jobid%14,cluster%8,state%12,exitcode,elapsed,maxrss",
         after="Three ran at FLURM, the last at beta. sacct -D would show the "
         "copies that did not\nrun, too.")


def main_job(stack):
    """What it is all for: one sbatch, and it runs where there is room."""
    alpha, beta, gateway = stack.alpha, stack.beta, stack.flurm.gateway
    say("\n-- A job runs at FLURM, as the natives are full")
    fillers = {}
    for native in (alpha, beta):
        fillers[native] = native.sbatch(
            "--exclusive", f"--clusters={native.name}", script=LONG)
        native.wait_job(fillers[native], "RUNNING")
    filler = alpha.sbatch("--ntasks=16", script=LONG, user=USER)
    gateway.wait_job(filler, "running")
    job = submit(alpha, "--time=5", script="""#!/bin/sh
echo "$(id -un) on cluster $SLURM_CLUSTER_NAME, job $SLURM_JOB_ID"
sleep 5
""", before="alpha and beta are busy, and so is FLURM. A user of alpha "
        "submits a job:")
    gateway.wait_job(job, "pending")
    beta.wait_job(job, "PENDING")
    federation(alpha, job, "It waits at all three. Then FLURM has room:")
    alpha.run("scancel", str(filler))
    stack.wait_states(job, alpha="REVOKED", beta=GONE,
                      flurm=("running", "completed"))
    federation(alpha, job, "FLURM runs it. REVOKED at its origin says that it "
               "runs on another cluster.")
    everywhere(stack, job)
    gateway.wait_job(job, "completed")
    show(alpha, "cat", os.path.join(stack.work, f"{job}.out"),
         before="Its output, written by FLURM where the user asked for it:")
    wait_until(lambda: stack.flurm.status()["clusters"][0]["jobs"]["states"]
               .get("gone"), what="all is told")
    show(alpha, "flurmfed", "job", str(job),
         before="The administrator sees the job's story, step by step:")

    jobs = [job]
    say("\n-- It fails there, with exit code 7")
    job = submit(beta, script="#!/bin/sh\nexit 7\n")
    wait_until(lambda: beta.job(job).get("ExitCode"),
               lambda code: code == "7:0", what="exit code 7 at beta")
    show(beta, "scontrol", "--local", "--all", "show", "job", str(job),
         after="ExitCode=7:0, as it was at FLURM.")

    jobs.append(job)
    say("\n-- It is cancelled while it runs there")
    job = submit(alpha, script=LONG)
    gateway.wait_job(job, "running")
    wait_until(lambda: alpha.job_state(job), lambda state: state == "REVOKED",
               what="RV at alpha")
    show(alpha, "scancel", str(job))
    gateway.wait_job(job, "cancelled")
    wait_until(lambda: alpha.job(job).get("ExitCode"),
               lambda code: code != "0:0", what="alpha knows of the end")
    show(alpha, "flurmfed", "job", str(job))

    jobs.append(job)
    say("\n-- A native wins, and FLURM's copy is revoked")
    filler = alpha.sbatch("--ntasks=16", script=LONG, user=USER)
    gateway.wait_job(filler, "running")
    job = submit(alpha, "--ntasks=8", script="#!/bin/sh\nsleep 1\n",
                 before="FLURM is full now, too. This one has to wait:")
    gateway.wait_job(job, "pending")
    beta.run("scancel", str(fillers[beta]))
    gateway.wait_job(job, "revoked")
    queues(stack, job, after="beta had room first and took it; FLURM let go "
           "of its copy.")
    alpha.run("scancel", str(filler), str(fillers[alpha]))
    beta.wait_job(job, "COMPLETED")
    accounts(stack, [*jobs, job])


def tell_how_to_use(stack):
    tools = os.path.dirname(built("flurmfed"))
    say(f"""
The federation is up. From another terminal (as root):

  export SLURM_CONF={stack.alpha.conf}    # or {stack.beta.conf}
  export PATH={tools}:$PATH
  scontrol show federation; squeue --federation; flurmfed status

FLURM's controller is configured in {stack.flurm.conf};
logs are in {stack.path("log")}.""")


def stop(*_):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, stop)
    start = time.monotonic()
    say("Starting munged, MariaDB, slurmdbd, slurmctld and slurmd of the "
        "clusters alpha and\nbeta, and flurm-gateway ...")
    stack = Stack(flurm="plugin", gateway="local")
    try:
        stack.start()
        stack.wait_linked()
        stack.wait_nodes()
        wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
                   ["reachable"], what="FLURM answers")
        say(f"... all siblings are linked after "
            f"{time.monotonic() - start:.1f} s, in {stack.dir}.")
        tour(stack)
        main_job(stack)
        if "--exit" not in sys.argv:
            tell_how_to_use(stack)
            say("\nPress Enter to end it.")
            sys.stdin.readline()
    except KeyboardInterrupt:
        pass
    except Exception as err:
        say(f"\nThe demo failed: {err}\n\n{stack.logs()}")
        return 1
    finally:
        stack.stop()
    say("\nAll daemons have ended, their files are removed.")
    return 0


sys.exit(main())
