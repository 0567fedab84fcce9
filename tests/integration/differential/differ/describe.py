"""Messages as lines that a person can compare."""
import struct

from howdah_test.wire import data_row

from differ.messages import split

_BACKEND = {
    "1": "ParseComplete", "2": "BindComplete", "3": "CloseComplete", "A": "NotificationResponse",
    "C": "CommandComplete", "D": "DataRow", "E": "ErrorResponse", "G": "CopyInResponse",
    "H": "CopyOutResponse", "I": "EmptyQueryResponse", "K": "BackendKeyData", "N": "NoticeResponse",
    "R": "Authentication", "S": "ParameterStatus", "T": "RowDescription", "V": "FunctionCallResponse",
    "W": "CopyBothResponse", "Z": "ReadyForQuery", "c": "CopyDone", "d": "CopyData", "n": "NoData",
    "s": "PortalSuspended", "t": "ParameterDescription", "v": "NegotiateProtocolVersion",
}
_FRONTEND = {
    "Q": "Query", "P": "Parse", "B": "Bind", "D": "Describe", "E": "Execute", "C": "Close", "H": "Flush",
    "S": "Sync", "d": "CopyData", "c": "CopyDone", "f": "CopyFail", "F": "FunctionCall", "X": "Terminate",
}
_LONGEST = 300


def _short(data):
    shown = repr(data)[1:]
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}... ({len(data)} bytes)"


def _fields(body):
    return ", ".join(f"{field[:1].decode()}={_short(field[1:])}" for field in body.split(b"\0") if field)


def _columns(body):
    columns, at = [], 2
    while at < len(body):
        end = body.index(b"\0", at)
        table, column, kind, size, modifier, form = struct.unpack("!IhIhih", body[end + 1:end + 19])
        columns.append(f"{body[at:end].decode(errors='replace')}(table {table}.{column} type {kind} size {size} "
                       f"mod {modifier} format {form})")
        at = end + 19
    return ", ".join(columns)


def backend(kind, body):
    name = _BACKEND.get(kind, kind)
    if kind in "EN":
        return f"{name} {_fields(body)}"
    if kind == "T":
        return f"{name} {_columns(body)}"
    if kind == "D":
        return f"{name} " + ", ".join("NULL" if value is None else _short(value) for value in data_row(body))
    return f"{name} {_short(body)}" if body else name


def frontend(data):
    """The messages of a step."""
    lines = []
    for one in split(data):
        kind = one[:1].decode(errors="replace")
        lines.append(f"{_FRONTEND.get(kind, kind)} {_short(one[5:])}" if kind in _FRONTEND else _short(one))
    return lines
