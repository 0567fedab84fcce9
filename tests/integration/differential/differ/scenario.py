"""What a scenario is: steps that send messages and say up to where the answer is read."""
from dataclasses import dataclass, field

from howdah_test.wire import PROTOCOL_3_0

from differ.messages import query, split

USER, DATABASE = "appuser", "appdb"


@dataclass(frozen=True)
class Until:
    """Where reading ends: after `count` messages of `kinds`, or of any kind but async ones."""

    kinds: str
    count: int = 1
    closed: bool = False


CLOSED = Until("", closed=True)
NOTHING = Until("", 0)


def ready(count=1):
    return Until("Z", count)


def seen(kinds, count=1):
    """After `count` messages of `kinds`; an ErrorResponse ends the reading, too."""
    return Until(kinds, count)


def replies(count):
    """After `count` messages that are neither notice, notification nor ParameterStatus, or an error."""
    return Until("", count)


@dataclass(frozen=True)
class Step:
    """`pins`: from now on the server connection is the client's own; `frees`: it is no more.

    `elsewhere` is run by a superuser, straight on the primary, before the step is sent.
    """

    data: bytes
    until: Until
    pins: bool = False
    frees: bool = False
    elsewhere: str = ""


def send(*messages, until=None, **more):
    """A step; without `until` the answer ends with the ReadyForQuery of the last message that earns one."""
    data = b"".join(messages)
    if until is None:
        count = sum(message[:1] in b"QSF" for message in split(data))
        until = ready(count) if count else NOTHING
    return Step(data, until, **more)


def read(until, **more):
    """A step that only reads."""
    return Step(b"", until, **more)


@dataclass(frozen=True)
class Login:
    """The start of a session. `shown`: the answers to it are compared, too; `ordered`: also the order
    of the ParameterStatus messages among them."""

    user: str = USER
    database: str = DATABASE
    password: str = ""
    version: int = PROTOCOL_3_0
    parameters: dict = field(default_factory=dict)
    raw: bytes = b""
    shown: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class Scenario:
    """`setup`: SQL that is run as the user before every play, on the primary; `teardown`: after it.

    `own_errors`: it is Howdah that finds the error, so the place in PostgreSQL's source (fields F, L,
    R) is not compared. `goodbye`: the client ends with Terminate, not by closing its socket.
    """

    name: str
    steps: tuple
    setup: str = ""
    teardown: str = ""
    login: Login = Login()
    interleaved: bool = True
    own_errors: bool = False
    goodbye: bool = True


def scenario(name, *steps, **more):
    """A step may be given as SQL (a Query), as bytes, or as a tuple of messages."""
    made = []
    for step in steps:
        if isinstance(step, str):
            step = send(query(step))
        elif isinstance(step, bytes):
            step = send(step)
        elif isinstance(step, tuple):
            step = send(*step)
        made.append(step)
    return Scenario(name, tuple(made), **more)
