"""The start of a session: what it is told, what is refused and in which words."""
import struct

from differ.messages import SYNC, query, run
from differ.scenario import Login, scenario
from howdah_test.wire import packet, startup_packet


def _login(*steps, name, own_errors=False, **more):
    return scenario(name, *steps, login=Login(shown=True, **more), interleaved=False, own_errors=own_errors)


def _with(name, *steps, **parameters):
    return _login(*steps, name=name, parameters=parameters)


SCENARIOS = [
    _login("SELECT 1", name="plain"),
    _login("SELECT 1", name="order_of_parameters", ordered=True),
    _login(name="plain_and_away"),
    _with("application_name", "SHOW application_name", application_name="from the start"),
    _with("application_name_with_odd_characters", "SHOW application_name", application_name="ü 'quoted' \"x\" \\ \t"),
    _with("client_encoding", "SHOW client_encoding", query(b"SELECT '\xfc'"), client_encoding="LATIN1"),
    _with("client_encoding_in_quotes", "SHOW client_encoding", client_encoding="'utf-8'"),
    _with("date_style_and_time_zone", "SELECT '2024-02-29 12:00+00'::timestamptz", DateStyle="German, DMY", TimeZone="Asia/Tokyo"),
    _with("search_path", "SHOW search_path", "SELECT * FROM t", search_path="d2, d"),
    _with("statement_timeout", "SHOW statement_timeout", "SELECT pg_sleep(3)", statement_timeout="40"),
    _with("names_in_other_case", "SHOW search_path", "SHOW timezone", SEARCH_PATH="d2", timezone="Asia/Tokyo"),
    _with("options", "SHOW work_mem", "SHOW d.custom", options="-c work_mem=128kB -c d.custom=x"),
    _with("options_with_dashes", "SHOW work_mem", "SHOW enable_seqscan", options="--work-mem=128kB --enable_seqscan=off"),
    _with("options_with_blanks", "SHOW application_name", "SHOW d.custom", options="-c application_name=two\\ words  -cd.custom=a\\\\b"),
    _with("options_without_blank_after_c", "SHOW work_mem", options="-cwork_mem=128kB"),
    _with("options_of_the_backend", "SHOW DateStyle", "SHOW enable_indexscan", options="-e -f i"),
    _with("options_empty", "SELECT 1", options=""),
    _with("options_set_twice", "SHOW work_mem", options="-c work_mem=128kB -c work_mem=256kB"),
    _with("options_and_parameter", "SHOW work_mem", options="-c work_mem=128kB", work_mem="512kB"),
    _with("options_malformed", options="-c work_mem"),
    _with("options_unknown_switch", options="-Z"),
    _with("options_unknown_setting", options="-c nothing=1"),
    _with("custom_parameter", "SHOW d.custom", **{"d.custom": "from the start"}),
    _with("unknown_parameter", nothing="1"),
    _with("bad_value", work_mem="x"),
    _with("bad_date_style", DateStyle="nothing"),
    _with("bad_encoding", client_encoding="nothing"),
    _with("parameter_that_cannot_be_set", max_connections="5"),
    _with("parameter_for_superusers", log_statement="all"),
    _with("default_transaction_read_only", "INSERT INTO d.t VALUES (10, 'x')", "SHOW default_transaction_read_only", default_transaction_read_only="on"),
    _with("default_isolation", "SHOW transaction_isolation", default_transaction_isolation="serializable"),
    _with("role", "SELECT current_user, session_user", "RESET ROLE", "SELECT current_user", role="d_role"),
    _with("role_unknown", role="nobody"),
    _with("session_authorization", "SELECT session_user", session_authorization="appuser"),
    _with("replication_off", "SELECT 1", replication="false"),
    _with("standard_conforming_strings", "SELECT 'a\\'b'", standard_conforming_strings="off"),
    _with("client_min_messages", "DROP TABLE IF EXISTS d.nothing", client_min_messages="warning"),
    _with("extra_float_digits", "SELECT 0.1::float8 + 0.2::float8", extra_float_digits="2"),
    _with("jdbc", "SELECT 1", client_encoding="UTF8", DateStyle="ISO", TimeZone="Europe/Vienna", extra_float_digits="2", application_name="PostgreSQL JDBC Driver"),
    _with("several", "SHOW work_mem", "SHOW lock_timeout", work_mem="128kB", lock_timeout="1s", geqo="off", jit="off", IntervalStyle="iso_8601"),
    _login("SELECT current_user, current_database()", name="database_is_the_user", parameters={"database": None}, user="appuser"),
    _login(name="unknown_database", database="nowhere"),
    _login(name="unknown_user", own_errors=True, user="nobody_at_all", password="x"),
    _login(name="wrong_password", own_errors=True, password="wrong"),
    _login(name="wrong_password_and_unknown_database", own_errors=True, database="nowhere", password="wrong"),
    _login(name="no_user", own_errors=True, parameters={"user": None}),
    _login(name="empty_user", own_errors=True, parameters={"user": ""}),
    _login("SELECT 1", name="protocol_3_2_and_unknown_option", version=0x30002, parameters={"_pq_.nothing": "1"}),
    _login("SELECT 1", name="unknown_protocol_option", parameters={"_pq_.test_protocol_negotiation": ""}),
    _login("SELECT 1", name="protocol_3_9999", version=0x3270F),
    _login(name="protocol_2", own_errors=True, raw=packet(struct.pack("!I", 0x20000) + bytes(60))),
    _login(name="protocol_4", own_errors=True, raw=startup_packet(0x40000, user="appuser", database="appdb")),
    _login(name="startup_without_terminator", own_errors=True, raw=packet(struct.pack("!I", 0x30000) + b"user\0appuser")),
    _login(name="startup_without_value", own_errors=True, raw=packet(struct.pack("!I", 0x30000) + b"user\0appuser\0database\0")),
    _login(name="startup_too_short", own_errors=True, raw=struct.pack("!I", 4)),
    _login(name="startup_too_long", own_errors=True, raw=struct.pack("!I", 20000)),
    _login(name="not_postgresql_at_all", own_errors=True, raw=b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    _login(name="cancel_of_nobody", raw=packet(struct.pack("!III", 80877102, 999999, 5))),
    scenario("pipelined_with_the_login", (run("SELECT 1"), SYNC), login=Login(shown=True)),
]
