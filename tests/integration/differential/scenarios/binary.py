"""Binary and mixed formats of parameters and results."""
import struct

from differ.messages import SYNC, bind, describe_portal, execute, function_call, parse, run
from differ.scenario import scenario, send

_INT = struct.pack("!i", 7)
_EVERY = ("SELECT 1::int2, 2::int4, 3::int8, 4.5::float4, 5.25::float8, 6.125::numeric, true, 'text'::text, '\\xdead'::bytea, '2024-02-29'::date, '12:34:56'::time, "
          "'2024-02-29 12:34:56'::timestamp, '2024-02-29 12:34:56+02'::timestamptz, '1 day'::interval, '{1,NULL}'::int[], '{}'::jsonb, '10.0.0.1'::inet, ROW(1, 'x')")

SCENARIOS = [
    scenario("results", (run(_EVERY, results=(1,)), SYNC), (run("SELECT a, b FROM d.t ORDER BY a", results=(1, 1)), SYNC)),
    scenario("results_mixed", (run("SELECT a, a, b FROM d.t ORDER BY a", results=(0, 1, 0)), SYNC), (run("SELECT a, b FROM d.t", results=(1, 0, 1)), SYNC)),
    scenario("parameters", (run("SELECT $1::int4 + 1, $2::int8", _INT, struct.pack("!q", -5), formats=(1,)), SYNC), (run("SELECT $1::float8", struct.pack("!d", 1.5), formats=(1,), results=(1,)), SYNC)),
    scenario("parameters_mixed", (run("SELECT $1::int4, $2::int4, $3::text", _INT, "8", b"t", formats=(1, 0, 1)), SYNC)),
    scenario("null_in_binary", (run("SELECT $1::int4, $2::bytea", None, b"\0\1\2", formats=(1, 1), results=(1, 1)), SYNC)),
    scenario("wrong_length", (run("SELECT $1::int4", b"abc", formats=(1,)), SYNC), (run("SELECT $1::int4", b"abcde", formats=(1,)), SYNC), (run("SELECT 1"), SYNC)),
    scenario("unknown_format", (run("SELECT $1::int4", "1", formats=(2,)), SYNC), (run("SELECT 1", results=(7,)), SYNC)),
    scenario("bytes_with_nul", (run("SELECT $1::bytea, length($1::bytea)", bytes(range(256)), formats=(1,), results=(1, 0)), SYNC), (run("SELECT $1::text", b"a\0b"), SYNC), (run("SELECT $1::text", b"a\0b", formats=(1,)), SYNC)),
    scenario("arrays_and_rows", (run("SELECT $1::int4[]", struct.pack("!iiiii", 1, 0, 23, 2, 1) + struct.pack("!iiii", 4, 5, 4, 6), formats=(1,), results=(1,)), SYNC)),
    scenario("one_statement_in_both_formats", (parse("SELECT $1::int4 * 2", "s1"), SYNC), (bind(_INT, statement="s1", formats=(1,), results=(1,)), describe_portal(), execute(), SYNC), (bind("7", statement="s1"), describe_portal(), execute(), SYNC)),
    scenario("portal_in_binary", "BEGIN", (parse("SELECT a, b FROM d.t ORDER BY a"), bind(portal="p", results=(1,)), describe_portal("p"), execute("p", 2), SYNC), (execute("p", 2), SYNC), "COMMIT"),
    scenario("binary_data_that_looks_like_messages", (run("SELECT $1::bytea", SYNC + b"Q\0\0\0\rSELECT 1\0" + SYNC, formats=(1,), results=(1,)), SYNC)),
    scenario("function_call", send(function_call(1377, _INT, struct.pack("!i", 2), formats=(1,), result=1)), send(function_call(1377, "7", "2")), "SELECT proname FROM pg_proc WHERE oid = 1377"),
    scenario("function_call_of_int4pl", send(function_call(177, _INT, _INT, formats=(1,), result=1)), send(function_call(177, "7", "8")), send(function_call(177, "7", None))),
    scenario("function_call_errors", send(function_call(4294967294)), send(function_call(177, "7")), send(function_call(177, "x", "1")), send(function_call(154, "1", "0")), "SELECT 1"),
    scenario("function_call_in_a_transaction", "BEGIN", send(function_call(177, "1", "2")), send(function_call(154, "1", "0")), send(function_call(177, "1", "2")), "ROLLBACK", send(function_call(177, "1", "2"))),
    scenario("function_calls_in_a_pipeline", send(function_call(177, "1", "2"), function_call(177, "3", "4"), run("SELECT 1"), SYNC, function_call(177, "5", "6"))),
]
