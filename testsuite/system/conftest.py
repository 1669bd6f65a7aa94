"""Fixtures: which stack a test gets, and what is told when it fails.

  fed         one stack for all tests that leave it as they found it
  jobs        such a one with FLURM's own side, which runs jobs here: FLURM,
              alpha and beta have 16 CPUs each
  full        the same, and the natives have no room: what runs, runs at FLURM
  stack       one for each test file, with the file's STACK as options
  make_stack  makes one for a test alone
"""
import contextlib
import signal

import pytest

from stack import Stack, flurm, wait_until
from stack.release import slurm_release

pytest.register_assert_rewrite("faults")

_live = []  # stacks that run now; a failed test shows the logs of them


def pytest_addoption(parser):
    parser.addoption("--flurm-host", default="plugin",
                     choices=("plugin", "fed_flurmd", "none"),
                     help="what hosts FLURM's virtual controller; with "
                     "another than the plugin only the tests marked with it "
                     "run (none: how does stock Slurm alone do?)")


def pytest_configure(config):
    def stop(*_):
        raise KeyboardInterrupt
    # so that an ended run tears its stacks down, too
    signal.signal(signal.SIGTERM, stop)


def pytest_report_header(config):
    return [f"Slurm {slurm_release()}, build {flurm.build_dir()}, "
            f"FLURM hosted by {config.getoption('--flurm-host')}"]


def pytest_collection_modifyitems(config, items):
    marker = config.getoption("--flurm-host")
    if marker == "plugin":
        return
    chosen = [item for item in items if item.get_closest_marker(marker)]
    config.hook.pytest_deselected(
        items=[item for item in items if item not in chosen])
    items[:] = chosen


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for stack in _live:
        # once: the logs of a shared stack are long, and all stay in its files
        logs = "(as above)" if stack.failed else stack.logs()
        report.sections.append((f"logs, kept in {stack.dir}/log", logs))
        stack.failed = True


def pytest_runtest_logfinish():
    """A stack that has ended is shown by the test that it ended with, too."""
    _live[:] = [stack for stack in _live if not stack.ended]


@contextlib.contextmanager
def _stacks():
    """A function that starts stacks, which all end with the with block."""
    mine = []

    def start(**options):
        stack = Stack(**options)
        stack.failed = stack.ended = stack.keep = False
        mine.append(stack)
        _live.append(stack)
        try:
            stack.start()
            stack.wait_linked()
            stack.wait_nodes()
        except BaseException:
            stack.keep = True
            raise
        return stack
    try:
        yield start
    finally:
        wrong = ""
        for stack in mine:
            stack.ended = True
            said = _finish(stack)
            stack.stop(keep=stack.failed or stack.keep or bool(said))
            wrong += said
        assert not wrong, wrong


def _finish(stack):
    """A leak shows when fed_flurmd ends well, a race in what it has said."""
    try:
        daemon = stack.flurm and stack.flurm.daemon
        return daemon.finish() if daemon else ""
    except AssertionError as error:
        return str(error)


@pytest.fixture(scope="session")
def host(pytestconfig):
    name = pytestconfig.getoption("--flurm-host")
    return None if name == "none" else name


@pytest.fixture(scope="session")
def fed(host):
    with _stacks() as start:
        yield start(flurm=host)


@pytest.fixture(scope="session")
def fed_that_runs(host):
    with _stacks() as start:
        stack = start(flurm=host, gateway="local")
        wait_until(lambda: stack.flurm.status()["clusters"][0]["flurm"]
                   ["reachable"], what="FLURM answers")
        yield stack


@pytest.fixture
def jobs(fed_that_runs):
    yield fed_that_runs
    fed_that_runs.natives("resume")
    fed_that_runs.cancel_all()
    assert not fed_that_runs.witness.started_twice()


@pytest.fixture
def full(jobs):
    jobs.natives("drain")
    return jobs


@pytest.fixture(scope="module")
def stack(host, request):
    with _stacks() as start:
        yield start(**{"flurm": host, **getattr(request.module, "STACK", {})})


@pytest.fixture
def make_stack(host):
    with _stacks() as start:
        yield lambda **options: start(**{"flurm": host, **options})
