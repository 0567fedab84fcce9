"""Messages that are not as they should be."""
import struct

from differ.messages import COPY_DONE, SYNC, parse, query, run
from differ.scenario import CLOSED, NOTHING, send
from differ.scenario import scenario as _scenario
from howdah_test.wire import message


def scenario(name, *steps, **more):
    return _scenario(name, *steps, own_errors=True, **more)


def _closing(data):
    return send(data, until=CLOSED)


SCENARIOS = [
    scenario("unknown_message_type", "SELECT 1", _closing(message("z", b"abc"))),
    scenario("password_message_after_the_login", "SELECT 1", _closing(message("p", b"secret\0"))),
    scenario("length_too_small", "SELECT 1", _closing(b"Q" + struct.pack("!I", 3))),
    scenario("length_negative", "SELECT 1", _closing(b"Q" + struct.pack("!i", -1))),
    scenario("length_of_a_small_message_too_large", "SELECT 1", _closing(b"S" + struct.pack("!I", 20000))),
    scenario("query_without_terminator", send(message("Q", b"SELECT 1")), "SELECT 2"),
    scenario("query_with_more_behind_it", send(message("Q", b"SELECT 1\0more\0")), "SELECT 2"),
    scenario("empty_query_message", send(message("Q", b"")), "SELECT 2"),
    scenario("parse_cut_short", (message("P", b"\0SELECT 1\0"), SYNC), "SELECT 2"),
    scenario("parse_without_terminator", (message("P", b"\0SELECT 1"), SYNC), "SELECT 2"),
    scenario("bind_cut_short", (parse("SELECT 1"), message("B", b"\0\0\0\0"), SYNC), "SELECT 2"),
    scenario("bind_with_a_value_too_long", (parse("SELECT $1::int"), message("B", b"\0\0\0\0\0\1\0\0\1\0x\0\0"), SYNC), "SELECT 2"),
    scenario("bind_with_more_behind_it", (parse("SELECT 1"), message("B", b"\0\0\0\0\0\0\0\0more"), SYNC), "SELECT 2"),
    scenario("describe_of_neither", (message("D", b"Xname\0"), SYNC), "SELECT 2"),
    scenario("describe_empty", (message("D", b""), SYNC), "SELECT 2"),
    scenario("close_of_neither", (message("C", b"Xname\0"), SYNC), "SELECT 2"),
    scenario("execute_cut_short", (run("SELECT 1"), message("E", b"\0\0"), SYNC), "SELECT 2"),
    scenario("execute_with_negative_rows", (parse("SELECT a FROM d.t ORDER BY a"), message("B", bytes(8)), message("E", b"\0\xff\xff\xff\xff"), SYNC)),
    scenario("sync_with_a_body", send(message("S", b"x")), "SELECT 2"),
    scenario("flush_with_a_body", send(message("H", b"x"), SYNC), "SELECT 2"),
    scenario("function_call_cut_short", send(message("F", b"\0\0\0\1")), "SELECT 2"),
    scenario("copy_done_with_nothing_to_copy", send(COPY_DONE, query("SELECT 1"))),
    scenario("malformed_in_a_transaction", "BEGIN", (message("P", b"\0SELECT 1"), SYNC), "SELECT 1", "ROLLBACK"),
    scenario("gone_in_the_middle_of_a_message", "SELECT 1", send(b"Q\0\0\0\x20SELECT", until=NOTHING), goodbye=False),
]
