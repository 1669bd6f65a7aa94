"""Waiting for what must become true."""
import time


def wait_for(what, condition, timeout=20.0, every=0.02):
    """Return the first true value of condition(), or fail saying what."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(every)
