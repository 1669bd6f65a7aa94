"""Fixtures: which stack a test gets, and what is told when it fails."""
import signal

import pytest

from stack import Stack, flurm
from stack.release import slurm_release

_live = []  # stacks that run now; what a failed test shows the logs of


def pytest_addoption(parser):
    parser.addoption("--flurm-host", default="plugin",
                     choices=("plugin", "fed_flurmd"),
                     help="what hosts FLURM's virtual controller; with "
                     "fed_flurmd only the tests marked both_hosts run")


def pytest_configure(config):
    def stop(*_):
        raise KeyboardInterrupt
    # so that an ended run tears its stacks down, too
    signal.signal(signal.SIGTERM, stop)


def pytest_report_header(config):
    return [f"Slurm {slurm_release()}, "
            f"build {flurm.build_dir()}, "
            f"FLURM hosted by {config.getoption('--flurm-host')}"]


def pytest_collection_modifyitems(config, items):
    if config.getoption("--flurm-host") == "plugin":
        return
    chosen = [item for item in items if item.get_closest_marker("both_hosts")]
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
        stack.failed = True
        report.sections.append((f"logs, kept in {stack.dir}/log",
                                stack.logs()))


class _Running:
    """A stack for as long as a fixture lasts, kept if a test failed."""

    def __init__(self, **options):
        self.stack = Stack(**options)

    def __enter__(self):
        _live.append(self.stack)
        self.stack.failed = False
        return self.stack.start()

    def __exit__(self, kind, *_):
        _live.remove(self.stack)
        self.stack.stop(keep=self.stack.failed or kind is not None)


@pytest.fixture(scope="session")
def host(pytestconfig):
    return pytestconfig.getoption("--flurm-host")


@pytest.fixture(scope="session")
def fed(host):
    """The stack that tests share which leave it as they found it."""
    with _Running(flurm=host) as stack:
        stack.wait_linked()
        stack.wait_nodes()
        yield stack


@pytest.fixture
def make_stack(host):
    """make_stack(**options) starts a stack for this test alone."""
    running = []

    def make(**options):
        options.setdefault("flurm", host)
        running.append(_Running(**options))
        return running[-1].__enter__()
    yield make
    for each in running:
        each.__exit__(None)
