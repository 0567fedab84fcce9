"""Sizes around the buffers: 8 KiB, 16 KiB, 64 KiB, and more."""
from differ.messages import SYNC, bind, describe_statement, execute, parse, query, run
from differ.scenario import scenario, send

_SIZES = (8192, 16384, 65536)
_AROUND = [size + delta for size in _SIZES for delta in (-41, -12, -6, -5, -4, -1, 0, 1, 5, 7)]

SCENARIOS = [
    *[scenario(f"answers_around_{size}", *[f"SELECT repeat('x', {n})" for n in _AROUND if abs(n - size) < 50]) for size in _SIZES],
    *[scenario(f"queries_around_{size}", *[query(b"SELECT length('" + b"y" * (n - 22) + b"')") for n in _AROUND if abs(n - size) < 50]) for size in _SIZES[:2]],
    *[scenario(f"parameters_around_{size}", *[(run("SELECT length($1), right($1, 3)", b"z" * n), SYNC) for n in _AROUND if abs(n - size) < 8]) for size in _SIZES],
    scenario("named_statement_with_large_parameters", (parse("SELECT length($1), md5($1)", "s1"), SYNC), *[(bind(b"p" * n, statement="s1"), execute(), SYNC) for n in (5, 8192, 16384, 70000)]),
    scenario("large_then_small_in_one_batch", (run("SELECT length($1)", b"a" * 70000), run("SELECT 1"), run("SELECT length($1)", b"b" * 20000), SYNC, run("SELECT 2"), SYNC)),
    scenario("large_statement_text", (parse("SELECT length('" + "t" * 40000 + "')", "s1"), describe_statement("s1"), bind(statement="s1"), execute(), SYNC), (bind(statement="s1"), execute(), SYNC)),
    scenario("large_row_of_many_columns", "SELECT " + ", ".join(f"repeat('{chr(97 + i % 26)}', 1000) AS c{i}" for i in range(60))),
    scenario("many_columns", "SELECT " + ", ".join(f"{i} AS column_number_{i}" for i in range(1200)), (run("SELECT " + ", ".join(str(i) for i in range(1600))), SYNC)),
    scenario("rows_that_cross_buffers", "SELECT i, repeat('r', 1000 + i) FROM generate_series(1, 60) AS i", (run("SELECT i, repeat('r', 3000 + i) FROM generate_series(1, 30) AS i"), SYNC)),
    scenario("a_megabyte", "SELECT repeat('0123456789abcdef', 65536)", send(run("SELECT md5($1)", b"m" * 1000000), SYNC)),
    scenario("large_error", "SELECT '" + "e" * 20000 + "'::int", "DO $$ BEGIN RAISE NOTICE '%', repeat('n', 20000); END $$", "DO $$ BEGIN RAISE EXCEPTION '%', repeat('n', 70000); END $$", "SELECT 1"),
    scenario("error_after_a_large_message", (run("SELECT length($1), 1/0", b"a" * 70000), run("SELECT 1"), SYNC), (bind(b"x" * 70000, statement="nobody"), execute(), SYNC), "SELECT 1"),
    scenario("large_message_skipped_after_an_error", (run("SELECT 1/0"), run("SELECT length($1)", b"a" * 70000), SYNC), (run("SELECT 1"), SYNC)),
    scenario("pipeline_of_large_answers", tuple(run(f"SELECT repeat('{i}', 20000)") + SYNC for i in range(8))),
    scenario("large_parameter_status", "SET application_name = '" + "n" * 3000 + "'", "SHOW application_name", "SET d.custom = '" + "v" * 20000 + "'", "SELECT length(current_setting('d.custom'))"),
]
