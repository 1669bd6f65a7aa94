"""Fixtures: a gateway to share, or one of a test's own."""
import glob
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from gw import Api, Gateway, build_dir  # noqa: E402

_live = []

# every answer and event of every test is held against the contract
try:
    from gw.contract import Contract
    Api.check = staticmethod(Contract().check)
    Api.event_check = staticmethod(Contract().check_event)
except ImportError:
    pass        # no python3-yaml; test_contract.py says so


def _backends():
    """Those that were built."""
    found = []
    for name in ("local", "sim"):
        probe = Gateway()
        done = subprocess.run(
            [f"{build_dir()}/flurm-gateway", "-c", "--backend", name, "-f",
             probe.write_conf()], capture_output=True, check=False)
        if done.returncode == 0:
            found.append(name)
        probe.stop()
    return found


def pytest_report_header():
    return f"build {build_dir()}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for gateway in _live:
            gateway.failed = True
            report.sections.append((f"log, kept in {gateway.dir}",
                                    gateway.log()))


def _stop(gateway):
    _live.remove(gateway)
    gateway.stop(keep=gateway.failed)


@pytest.fixture(scope="module")
def gateway():
    """Shared by the tests of a file, with backend local."""
    gateway = Gateway()
    _live.append(gateway)
    yield gateway.start()
    _stop(gateway)


@pytest.fixture(scope="module", params=_backends())
def each_backend(request):
    """As gateway, with one backend after the other."""
    gateway = Gateway(backend=request.param)
    _live.append(gateway)
    yield gateway.start()
    _stop(gateway)


@pytest.fixture
def make_gateway():
    """make_gateway(**settings) makes one for this test, not yet started."""
    made = []

    def make(**settings):
        made.append(Gateway(**settings))
        _live.append(made[-1])
        return made[-1]
    yield make
    for gateway in made:
        _stop(gateway)


@pytest.fixture
def api(gateway):
    api = gateway.api()
    yield api
    api.close()


@pytest.fixture
def events(gateway):
    """The event stream from now on."""
    cursor = gateway.events()
    cursor.close()
    last = gateway.api().get("/metrics")
    assert last.status == 200
    stream = gateway.events()
    yield stream
    stream.close()


@pytest.fixture(autouse=True)
def no_core_files():
    yield
    assert not glob.glob("/tmp/gw-*/core*")
