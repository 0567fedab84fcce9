"""Waiting for a condition, never for a time."""
import time


def wait_until(predicate, timeout=30.0, what="", interval=0.02):
    """Polls until `predicate()` is true and returns its value; TimeoutError after `timeout` s.

    `what` is text, or a callable that explains the state at the time of the failure.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(interval)
