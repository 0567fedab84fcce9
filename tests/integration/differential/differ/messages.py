"""Frontend messages as bytes, under the names that PostgreSQL's documentation gives them."""
import struct

from howdah_test.wire import message


def text(value):
    return value if isinstance(value, bytes) else str(value).encode()


def _cstring(value):
    return text(value) + b"\0"


def query(sql):
    return message("Q", _cstring(sql))


def parse(sql, name="", types=()):
    return message("P", _cstring(name) + _cstring(sql) + struct.pack(f"!H{len(types)}I", len(types), *types))


def _formats(formats):
    return struct.pack(f"!H{len(formats)}H", len(formats), *formats)


def _values(values):
    packed = struct.pack("!H", len(values))
    for value in values:
        if value is None:
            packed += struct.pack("!i", -1)
        else:
            data = text(value)
            packed += struct.pack("!i", len(data)) + data
    return packed


def bind(*values, statement="", portal="", formats=(), results=()):
    """`formats` of the parameters and `results` of the columns: 0 is text, 1 is binary."""
    return message("B", _cstring(portal) + _cstring(statement) + _formats(formats) + _values(values)
                   + _formats(results))


def describe_statement(name=""):
    return message("D", b"S" + _cstring(name))


def describe_portal(name=""):
    return message("D", b"P" + _cstring(name))


def execute(portal="", rows=0):
    return message("E", _cstring(portal) + struct.pack("!I", rows))


def close_statement(name=""):
    return message("C", b"S" + _cstring(name))


def close_portal(name=""):
    return message("C", b"P" + _cstring(name))


def function_call(oid, *arguments, formats=(), result=0):
    return message("F", struct.pack("!I", oid) + _formats(formats) + _values(arguments)
                   + struct.pack("!H", result))


def copy_data(data):
    return message("d", text(data))


def copy_fail(reason):
    return message("f", _cstring(reason))


FLUSH, SYNC, COPY_DONE, TERMINATE = (message(kind) for kind in "HScX")


def run(sql, *values, types=(), formats=(), results=()):
    """A statement as drivers run it without a name: Parse, Bind, Describe, Execute."""
    return (parse(sql, types=types) + bind(*values, formats=formats, results=results)
            + describe_portal() + execute())


def split(data):
    """The single messages in `data`; what is no whole message comes last as it is."""
    messages = []
    while len(data) >= 5:
        size = 1 + struct.unpack("!I", data[1:5])[0]
        if size < 5 or size > len(data):
            break
        messages.append(data[:size])
        data = data[size:]
    return messages + ([data] if data else [])
