"""A bare client of the wire protocol, for bytes that no library would send."""
import base64
import hashlib
import hmac
import os
import socket
import struct

PROTOCOL_3_0, PROTOCOL_3_2 = 0x30000, 0x30002
SSL_REQUEST, GSSENC_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102


class WireError(Exception):
    """An ErrorResponse; `fields` by their one-letter code."""

    def __init__(self, fields):
        super().__init__(f"{fields.get('S')}: {fields.get('C')}: {fields.get('M')}")
        self.fields = fields
        self.sqlstate, self.message = fields.get("C"), fields.get("M")


class RawClient:
    """One connection; nothing is sent by itself. EOFError where the peer has closed."""

    def __init__(self, host, port, timeout=20):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.parameters, self.key, self.status = {}, None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read_exactly(self, size):
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            if not chunk:
                raise EOFError(f"closed after {len(data)} of {size} bytes")
            data += chunk
        return data

    def read(self):
        """The next message: (type, body)."""
        kind, length = struct.unpack("!cI", self.read_exactly(5))
        return kind.decode(), self.read_exactly(length - 4)

    def read_until(self, kinds="Z"):
        """Messages up to and including the first one of `kinds`."""
        messages = []
        while not messages or messages[-1][0] not in kinds:
            messages.append(self.read())
        return messages

    def at_end(self):
        """True where the peer closes without another byte."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def startup(self, user, database, version=PROTOCOL_3_0, **parameters):
        self.send(startup_packet(version, user=user, database=database, **parameters))

    def log_in(self, user, password, database, **parameters):
        """StartupMessage and password exchange up to ReadyForQuery; WireError where refused."""
        self.startup(user, database, **parameters)
        scram = None
        while True:
            kind, body = self.read()
            if kind == "E":
                raise WireError(error_fields(body))
            if kind == "R":
                code = struct.unpack("!I", body[:4])[0]
                if code == 10:
                    scram = Scram(password)
                    initial = scram.initial()
                    self.send(message("p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(initial)) + initial))
                elif code == 11:
                    self.send(message("p", scram.response(body[4:])))
                elif code == 12:
                    assert scram.is_genuine(body[4:]), "the server's SCRAM signature is wrong"
                elif code == 5:
                    self.send(message("p", md5_answer(user, password, body[4:8]) + b"\0"))
                elif code == 3:
                    self.send(message("p", password.encode() + b"\0"))
            elif kind == "S":
                name, value = body[:-1].split(b"\0")
                self.parameters[name.decode()] = value.decode()
            elif kind == "K":
                self.key = body
            elif kind == "Z":
                self.status = body.decode()
                return self

    def query(self, sql):
        """Simple query: (rows as lists of bytes or None, command tags); WireError where one came."""
        self.send(message("Q", sql.encode() + b"\0"))
        return rows_and_tags(self.read_until("Z"))


def rows_and_tags(messages):
    rows, tags, error = [], [], None
    for kind, body in messages:
        if kind == "D":
            rows.append(data_row(body))
        elif kind == "C":
            tags.append(body[:-1].decode())
        elif kind == "E":
            error = WireError(error_fields(body))
    if error:
        raise error
    return rows, tags


def message(kind, body=b""):
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def startup_packet(version, **parameters):
    body = struct.pack("!I", version)
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    return packet(body + b"\0")


def packet(body):
    """A message without a type byte."""
    return struct.pack("!I", len(body) + 4) + body


def error_fields(body):
    return {field[:1].decode(): field[1:].decode() for field in body.split(b"\0") if field}


def data_row(body):
    values, offset = [], 2
    for _ in range(struct.unpack("!H", body[:2])[0]):
        length = struct.unpack("!i", body[offset:offset + 4])[0]
        offset += 4
        values.append(None if length < 0 else body[offset:offset + length])
        offset += max(length, 0)
    return values


def md5_answer(user, password, salt):
    inner = hashlib.md5((password + user).encode()).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt).hexdigest().encode()


def scram_verifier(password, iterations=4096, salt=b"0123456789abcdef"):
    """What pg_authid.rolpassword holds for a SCRAM password."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encode = lambda data: base64.b64encode(data).decode()  # noqa: E731
    return f"SCRAM-SHA-256${iterations}:{encode(salt)}${encode(stored)}:{encode(server)}"


class Scram:
    """The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

    def __init__(self, password):
        self.password, self.nonce = password, base64.b64encode(os.urandom(18)).decode()

    def initial(self):
        return f"n,,n=,r={self.nonce}".encode()

    def response(self, challenge):
        values = dict(part.split("=", 1) for part in challenge.decode().split(","))
        assert values["r"].startswith(self.nonce), "the server's nonce does not continue ours"
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(values["s"]),
                                     int(values["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={values['r']}"
        signed = f"n=,r={self.nonce},{challenge.decode()},{final}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        self.expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def is_genuine(self, final):
        return final.decode() == f"v={base64.b64encode(self.expected).decode()}"
