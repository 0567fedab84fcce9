"""What may differ between two plays, replaced by what must be equal; everything else is compared."""
import struct

FIRST_USER_OID = 16384


def _oid(number):
    """Objects that a scenario creates get other OIDs in every play; the system's are fixed."""
    return number if number < FIRST_USER_OID else 0xFFFFFFFF


def _row_description(body):
    masked, at = body[:2], 2
    while at < len(body):
        end = body.index(b"\0", at) + 1
        table, column, kind, size, modifier, form = struct.unpack("!IhIhih", body[end:end + 18])
        masked += body[at:end] + struct.pack("!IhIhih", _oid(table), column, _oid(kind), size, modifier, form)
        at = end + 18
    return masked


def _parameter_description(body):
    count = struct.unpack("!H", body[:2])[0]
    return body[:2] + struct.pack(f"!{count}I", *map(_oid, struct.unpack(f"!{count}I", body[2:])))


def _key(body):
    """Pid and key are Howdah's own; the pid must be positive and the key as long."""
    return b"pid " + (b"> 0" if struct.unpack("!i", body[:4])[0] > 0 else b"<= 0") + b", key of %d" % (len(body) - 4)


def _authentication(body):
    """Nonces, salts and signatures are random."""
    code = struct.unpack("!I", body[:4])[0]
    return body[:4] + (b"random" if code in (5, 11, 12) else body[4:])


def _notification(body):
    """The sender's pid is that of its backend."""
    return b"pid " + body[4:]


_MASKS = {"T": _row_description, "t": _parameter_description, "K": _key, "R": _authentication,
          "A": _notification}


def masked(kind, body):
    return _MASKS.get(kind, lambda same: same)(body)


def without_source(answers):
    """Errors without the place in PostgreSQL's source: for those that Howdah itself finds."""
    def bare(kind, body):
        if kind == "E":
            body = b"\0".join(field for field in body.split(b"\0") if field[:1] not in (b"F", b"L", b"R"))
        return kind, body
    return [[bare(*one) for one in told] for told in answers]
