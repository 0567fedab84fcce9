"""Free loopback ports."""
import random
import socket

_given = set()


def free_port():
    """A port that nobody listens on and that was not given out before in this process.

    Below the range of outgoing connections, which could otherwise take it in the meantime.
    """
    while True:
        port = random.randrange(16000, 32000)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
