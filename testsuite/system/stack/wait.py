"""Waiting for a condition, and saying what was seen when it did not come."""
import time


class GaveUp(AssertionError):
    """Raised by what wait_until looks with: it will never come."""


class TimedOut(GaveUp):
    pass


def wait_until(look, accept=bool, timeout=15, what="condition", every=0.05):
    """Calls look() until accept(its value) holds; returns that value.

    An exception in look() or accept() counts as "not yet", but GaveUp ends
    the wait. What was seen or raised last is told when time is up.
    """
    start = time.monotonic()
    while True:
        try:
            seen = look()
            if accept(seen):
                return seen
        except GaveUp:
            raise
        except Exception as err:
            seen = err
        if time.monotonic() - start > timeout:
            raise TimedOut(f"not within {timeout} s: {what}; "
                           f"seen last: {_show(seen)}")
        time.sleep(every)


def _show(value):
    return value if isinstance(value, str) else repr(value)
