"""One client that plays a scenario and writes down what it is told."""
import select
import socket
import struct

from howdah_test.cluster import PASSWORDS
from howdah_test.wait import wait_until
from howdah_test.wire import PROTOCOL_3_0, Scram, md5_answer, message, packet

from differ.masks import masked, without_source
from differ.messages import TERMINATE, split
from differ.scenario import CLOSED, Until

_ASYNC = "NAS"
# Of a long message the ends go byte by byte and what lies between in pieces of this (prime) size.
_LONG, _HEAD, _TAIL, _PIECE = 2048, 48, 8, 997


def whole(data):
    """One write."""
    return [data] if data else []


def single_bytes(data):
    """One write per byte."""
    pieces = []
    for one in split(data):
        if len(one) <= _LONG:
            pieces += [one[i:i + 1] for i in range(len(one))]
            continue
        middle = one[_HEAD:-_TAIL]
        pieces += [one[i:i + 1] for i in range(_HEAD)]
        pieces += [middle[i:i + _PIECE] for i in range(0, len(middle), _PIECE)]
        pieces += [one[i:i + 1] for i in range(len(one) - _TAIL, len(one))]
    return pieces


class SplitAt:
    """One write per step, but the one that holds byte `position` of the scenario is two."""

    waits = True  # the second half goes when the first has been read

    def __init__(self, position):
        self.left = position

    def __call__(self, data):
        here, self.left = self.left, self.left - len(data)
        return [data[:here], data[here:]] if 0 < here < len(data) else whole(data)


class Player:
    """`told` holds (kind, masked body) of the answers since the last `take()`."""

    def __init__(self, address, cut=whole, timeout=10.0):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.cut, self.timeout = cut, timeout
        self.received, self.closed, self.last, self.told = bytearray(), False, "", []
        self.poll = select.poll()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def idle(self):
        """Outside a transaction, with nothing outstanding as far as the answers tell."""
        return self.last == "I"

    def take(self):
        told, self.told = self.told, []
        return told

    def _wait(self, events):
        self.poll.register(self.socket, events)
        return bool(self.poll.poll(self.timeout * 1000))

    def _receive(self):
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self.closed = not data
        self.received += data

    def send(self, data):
        """Sends in the pieces of `cut`; reads on the way where the peer would not take more."""
        for number, piece in enumerate(self.cut(data)):
            if number and getattr(self.cut, "waits", False):
                wait_until(self._is_read, self.timeout, "the peer reads", 0.0005)
            self.send_piece(piece)

    def _is_read(self):
        """True where the peer has nothing unread of what was sent."""
        ours, theirs = self.socket.getsockname(), self.socket.getpeername()
        name = [f"{struct.unpack('<I', socket.inet_aton(host))[0]:08X}:{port:04X}" for host, port in (theirs, ours)]
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [row.split() for row in table if all(part in row for part in name)]
        sent = all(row[4].startswith("00000000:") for row in rows if row[1:3] == name[::-1])
        return sent and all(row[4].endswith(":00000000") for row in rows if row[1:3] == name)

    def send_piece(self, piece):
        while piece and not self.closed:
            try:
                piece = piece[self.socket.send(piece):]
            except BlockingIOError:
                if not self._wait(select.POLLIN | select.POLLOUT):
                    return
                self._receive()
            except (BrokenPipeError, ConnectionResetError):
                self._receive()
                return

    def next(self):
        """The next message as (kind, body), or None: the connection is closed or nothing comes."""
        while True:
            if len(self.received) >= 5:
                size = 1 + struct.unpack_from("!I", self.received, 1)[0]
                if len(self.received) >= size:
                    kind, body = chr(self.received[0]), bytes(self.received[5:size])
                    del self.received[:size]
                    self.last = chr(body[0]) if kind == "Z" else kind if kind not in _ASYNC else self.last
                    return kind, body
            if self.closed:
                return None
            if not self._wait(select.POLLIN):
                return None
            self._receive()

    def hear(self):
        """The next message, written down."""
        one = self.next()
        if one is None:
            self.told.append(("(closed)" if self.closed else "(silence)", bytes(self.received)))
        else:
            self.told.append((one[0], masked(*one)))
        return one

    def read(self, until: Until):
        """Reads up to `until`; the end of the connection and silence end it, too."""
        count = until.count
        while until.closed or count > 0:
            one = self.hear()
            if one is None:
                return
            kind = one[0]
            if until.closed:
                continue
            if kind == "E" and until.kinds != "Z" and "E" not in until.kinds:
                return
            if kind in until.kinds if until.kinds else kind not in _ASYNC:
                count -= 1

    def log_in(self, login):
        """Start-up packet and password exchange; ends with ReadyForQuery or the end of the connection."""
        send = self.send if login.shown else self.send_piece
        if login.raw:
            send(login.raw)
        else:
            body = struct.pack("!I", login.version)
            for name, value in {"user": login.user, "database": login.database, **login.parameters}.items():
                if value is not None:
                    body += name.encode() + b"\0" + (value if isinstance(value, bytes) else value.encode()) + b"\0"
            send(packet(body + b"\0"))
        password = login.password or PASSWORDS.get(login.user, "no password")
        scram = Scram(password)
        while True:
            one = self.hear()
            if one is None or one[0] == "Z":
                break
            kind, body = one
            if kind != "R":
                continue
            code = struct.unpack("!I", body[:4])[0]
            if code == 10:
                initial = scram.initial()
                send(message("p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(initial)) + initial))
            elif code == 11:
                send(message("p", scram.response(body[4:])))
            elif code == 12:
                assert scram.is_genuine(body[4:])
            elif code == 5:
                send(message("p", md5_answer(login.user, password, body[4:8]) + b"\0"))
            elif code == 3:
                send(message("p", password.encode() + b"\0"))
        return self.closed or self.last == "I"

    def end(self, goodbye):
        """Terminate, or no more than the end of the stream; whatever was still to come is written down."""
        if not self.closed:
            if goodbye:
                self.send_piece(TERMINATE)
            else:
                self.socket.shutdown(socket.SHUT_WR)
            self.read(CLOSED)


def play(scenario, address, cut=whole, timeout=10.0, between=None, elsewhere=None):
    """Plays `scenario`; the answers by step: login, steps, end.

    `between(step)` is called before each step at which no server connection should be held;
    `elsewhere(sql)` runs the statements of a step that are not the client's.
    """
    answers, pinned = [], False
    with Player(address, cut, timeout) as player:
        player.log_in(scenario.login)
        told = player.take()
        answers.append(_shown(told, scenario.login))
        for number, step in enumerate(scenario.steps):
            if between and player.idle and not pinned:
                between(number)
            if step.elsewhere:
                elsewhere(step.elsewhere)
            player.send(step.data)
            player.read(step.until)
            pinned = (pinned or step.pins) and not step.frees
            answers.append(player.take())
            if player.closed or any(kind == "(silence)" for kind, _ in answers[-1]):
                break
        if between and player.idle and not pinned:
            between(len(scenario.steps))
        player.end(scenario.goodbye)
        answers.append(player.take())
    return without_source(answers) if scenario.own_errors else answers


def _shown(told, login):
    """What is compared of the answers to a start-up."""
    if not login.shown:
        return [one for one in told if one[0] in "EZ("]
    if login.ordered:
        return told
    if login.version != PROTOCOL_3_0:
        # Howdah speaks 3.2, with its longer keys, also where the server speaks 3.0 only.
        told = [(kind, body[4:] if kind == "v" else b"" if kind == "K" else body) for kind, body in told]
    parameters = iter(sorted(one for one in told if one[0] == "S"))
    return [next(parameters) if one[0] == "S" else one for one in told]
