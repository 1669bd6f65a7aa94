"""A daemon run in the foreground as a child, killed by its id only."""
import contextlib
import os
import select
import signal
import subprocess

from .wait import GaveUp, wait_until

TAIL_LINES = 12


class Successor:
    """A process that took over from a child of ours and is none itself: what
    of subprocess.Popen a Daemon needs. Its exit status is not known."""

    returncode = "(not known)"

    def __init__(self, pid):
        self.pid = pid
        try:
            # closed with this object
            self._process = os.fdopen(os.pidfd_open(pid), "rb", buffering=0)
        except ProcessLookupError:
            self._process = None  # it has ended already

    def _ended(self, timeout):
        return not self._process or \
            bool(select.select([self._process], [], [], timeout)[0])

    def poll(self):
        return self.returncode if self._ended(0) else None

    def wait(self, timeout=None):
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return self.returncode

    def send_signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            if self._process:
                signal.pidfd_send_signal(self._process.fileno(), number)


class Daemon:
    """One daemon: what to run, when it is ready, how to end it.

    Subclasses give argv() and ready(). stdout and stderr go to self.output;
    a daemon that writes a log file of its own writes it to self.log. A
    restart continues both.
    """

    start_timeout = 20

    def __init__(self, name, stack):
        self.name = name
        self.stack = stack
        self.log = stack.path("log", f"{name}.log")
        self.output = stack.path("log", f"{name}.out")
        self.child = None

    def argv(self):
        raise NotImplementedError

    def ready(self):
        """True once it does its work."""
        raise NotImplementedError

    def environ(self):
        return self.stack.environ()

    def spawn(self):
        """Runs it without waiting until it is ready."""
        assert not self.alive, f"{self.name} runs already"
        with open(self.output, "ab") as output:
            self.child = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=self.environ(), cwd=self.stack.dir,
                start_new_session=True)
        return self

    def start(self):
        self.spawn()
        self.wait_ready()
        return self

    def wait_ready(self):
        wait_until(self._ready_or_dead, timeout=self.start_timeout,
                   what=f"{self.name} is ready")

    def _ready_or_dead(self):
        if not self.alive:
            raise GaveUp(f"{self.name} ended with status "
                         f"{self.child.returncode}:\n{self.tail()}")
        return self.ready()

    @property
    def pid(self):
        return self.child.pid

    @property
    def alive(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        if self.alive:
            self.child.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        if self.child:
            self.child.wait()

    def stop(self, timeout=30):
        """Ends it as an administrator does; returns its exit status."""
        if self.child is None:
            return None
        self.resume()
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within "
                                 f"{timeout} s of SIGTERM") from None

    def restart(self):
        self.stop()
        return self.start()

    def tail(self, lines=TAIL_LINES):
        """The last lines that it wrote, to its log if it has one."""
        for path in (self.log, self.output):
            if os.path.exists(path):
                with open(path, errors="replace") as file:
                    return "".join(file.readlines()[-lines:])
        return "(nothing)\n"

    def logged(self, text):
        """The lines of its log that have text in them."""
        with open(self.log, errors="replace") as file:
            return [line.rstrip() for line in file if text in line]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def resident(self):
        """Resident memory in KiB."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0
