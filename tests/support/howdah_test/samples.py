"""Statements that every client test uses, with the answers they must bring."""
import hashlib
import zlib

# 200 MiB in 100,000 rows, each 2 KiB of a hash of its number.
BIG_ROWS = 100_000
BIG_ROW_BYTES = 2048
BIG_QUERY = (f"SELECT repeat(md5(i::text), {BIG_ROW_BYTES // 32}) "
             f"FROM generate_series(1, {BIG_ROWS}) AS i")
BIG_BYTES = BIG_ROWS * BIG_ROW_BYTES


def big_checksum():
    """CRC-32 of all the rows of BIG_QUERY, one after the other."""
    value = 0
    for number in range(1, BIG_ROWS + 1):
        row = hashlib.md5(str(number).encode()).hexdigest() * (BIG_ROW_BYTES // 32)
        value = zlib.crc32(row.encode(), value)
    return value


PARAMETER_BYTES = 10 << 20

# An error and a notice with every field that a server can be made to send.
RAISE_FIELDS = {
    "sqlstate": "HW001", "message": "the message", "detail": "the detail", "hint": "the hint",
    "schema": "the schema", "table": "the table", "column": "the column", "datatype": "the type",
    "constraint": "the constraint",
}
_USING = """USING ERRCODE = 'HW001', MESSAGE = 'the message', DETAIL = 'the detail',
    HINT = 'the hint', SCHEMA = 'the schema', TABLE = 'the table', COLUMN = 'the column',
    DATATYPE = 'the type', CONSTRAINT = 'the constraint'"""
RAISE_ERROR = f"DO $$ BEGIN RAISE EXCEPTION {_USING}; END $$"
RAISE_NOTICE = f"DO $$ BEGIN RAISE NOTICE {_USING}; END $$"
