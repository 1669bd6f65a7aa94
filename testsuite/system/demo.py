"""./demo: a federation to look at. Use the starter, which builds it first."""
import os
import shlex
import signal
import sys
import time

from stack import Stack, wait_until
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
    say("Starting munged, MariaDB, slurmdbd, and slurmctld and slurmd of the "
        "clusters\nalpha and beta ...")
    stack = Stack(flurm="plugin")
    try:
        stack.start()
        stack.wait_linked()
        stack.wait_nodes()
        wait_until(stack.flurm.status, what="flurmfed status")
        say(f"... all siblings are linked after "
            f"{time.monotonic() - start:.1f} s, in {stack.dir}.")
        tour(stack)
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
