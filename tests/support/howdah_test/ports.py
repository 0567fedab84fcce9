"""Free loopback ports."""
import os
import random
import socket

_given = set()
# Of several processes of one test run each has ports of its own.
_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def free_port():
    """A port that nobody listens on and that was not given out before in this process.

    Below the range of outgoing connections, which could otherwise take it in the meantime.
    """
    while True:
        port = random.randrange(16000, 32000)
        if port in _given or port % _PROCESSES != _NUMBER:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
