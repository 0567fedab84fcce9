"""Notices, notifications and other messages that nobody asked for."""
from differ.messages import SYNC, query, run
from differ.scenario import read, scenario, seen, send

_NOTICE = "DO $$ BEGIN RAISE {} 'number %', 7 USING DETAIL = 'the detail', HINT = 'the hint'; END $$"

SCENARIOS = [
    scenario("notice", _NOTICE.format("NOTICE"), _NOTICE.format("WARNING"), _NOTICE.format("INFO"), _NOTICE.format("LOG"), _NOTICE.format("DEBUG")),
    scenario("notices_of_commands", "DROP TABLE IF EXISTS d.nothing", "CREATE TABLE IF NOT EXISTS d.t (x int)", "COMMIT", "BEGIN; BEGIN; COMMIT"),
    scenario("many_notices", "DO $$ BEGIN FOR i IN 1..200 LOOP RAISE NOTICE 'number %', i; END LOOP; END $$"),
    scenario("notices_between_rows", "SELECT d.loud(a) FROM d.t ORDER BY a", (run("SELECT d.loud($1)", 3), SYNC), setup="CREATE OR REPLACE FUNCTION d.loud(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'x = %', x; RETURN x; END $$"),
    scenario("notice_then_error", "DO $$ BEGIN RAISE NOTICE 'first'; RAISE EXCEPTION 'then'; END $$", (run("DO $$ BEGIN RAISE NOTICE 'first'; RAISE EXCEPTION 'then'; END $$"), run("SELECT 1"), SYNC)),
    scenario("notice_at_parse_and_bind", (run(r"SELECT 'a\\b'"), SYNC), "SET standard_conforming_strings = off", (run(r"SELECT 'a\\b'"), SYNC)),
    scenario("notice_in_a_transaction", "BEGIN", _NOTICE.format("NOTICE"), "COMMIT"),
    scenario("notices_at_debug_level", "SET client_min_messages = debug1", "CREATE TABLE d.made (x serial)", "SET client_min_messages = notice", "DROP TABLE d.made", setup="DROP TABLE IF EXISTS d.made", interleaved=False),
    scenario("notify_nobody", "NOTIFY nobody", "NOTIFY nobody, 'payload'", "SELECT pg_notify('nobody', 'x')", "BEGIN", "NOTIFY nobody", "COMMIT"),
    scenario("listen_to_oneself", send(query("LISTEN here"), pins=True), "NOTIFY here, 'payload'", "NOTIFY here", "SELECT pg_notify('here', 'by function')", send(query("UNLISTEN here"), frees=True), "NOTIFY here, 'nobody hears'"),
    scenario("listen_in_a_transaction", "BEGIN", send(query("LISTEN here"), pins=True), "NOTIFY here, 'inside'", "SELECT 1", "COMMIT", "NOTIFY here, 'after'"),
    scenario("listen_rolled_back", "BEGIN", send(query("LISTEN here")), "NOTIFY here", "ROLLBACK", "NOTIFY here, 'nobody hears'"),
    scenario("notify_rolled_back", send(query("LISTEN here"), pins=True), "BEGIN", "NOTIFY here, 'never'", "ROLLBACK", "SELECT 1"),
    scenario("notifications_are_merged", send(query("LISTEN here"), pins=True), "BEGIN", "NOTIFY here, 'a'", "NOTIFY here, 'a'", "NOTIFY here, 'b'", "COMMIT"),
    scenario("listen_to_another", send(query("LISTEN here"), pins=True), read(seen("A"), elsewhere="NOTIFY here, 'from elsewhere'"), read(seen("A", 2), elsewhere="NOTIFY here, '1'; NOTIFY here, '2'"), "SELECT 1"),
    scenario("listen_to_another_in_a_transaction", send(query("LISTEN here"), pins=True), "BEGIN", send(query("SELECT 1"), elsewhere="NOTIFY here, 'x'"), send(query("COMMIT")), "SELECT 1"),
    scenario("listen_extended", send(run("LISTEN here"), SYNC, pins=True), (run("NOTIFY here, 'payload'"), SYNC), (run("SELECT pg_notify($1, $2)", "here", "p"), SYNC), send(run("UNLISTEN *"), SYNC, frees=True), (run("NOTIFY here"), SYNC)),
    scenario("unlisten_all", send(query("LISTEN a"), pins=True), "LISTEN b", "SELECT count(*) FROM pg_listening_channels()", send(query("UNLISTEN *"), frees=True), "NOTIFY a", "SELECT count(*) FROM pg_listening_channels()"),
    scenario("unlisten_one_of_two", send(query("LISTEN a"), pins=True), "LISTEN b", "UNLISTEN a", "NOTIFY a", "NOTIFY b", send(query("UNLISTEN b"), frees=True), "SELECT 1"),
    scenario("unlisten_rolled_back", send(query("LISTEN a"), pins=True), "BEGIN", "UNLISTEN *", "ROLLBACK", "NOTIFY a, 'heard'"),
    scenario("discard_all_ends_listening", send(query("LISTEN a"), pins=True), send(query("DISCARD ALL"), frees=True), "NOTIFY a"),
    scenario("channel_names", send(query('LISTEN "Odd Name ü"'), pins=True), "NOTIFY \"Odd Name ü\", 'x'", "SELECT * FROM pg_listening_channels()", "SELECT pg_notify('Odd Name ü', 'y')"),
    scenario("long_payload", send(query("LISTEN here"), pins=True), f"NOTIFY here, '{'p' * 7900}'", f"NOTIFY here, '{'p' * 8001}'"),
    scenario("unlisten_without_listen", "UNLISTEN here", "UNLISTEN *"),
    scenario("parameter_status_in_the_middle", "SELECT 1; SET application_name = 'a'; SELECT 2; SET application_name = 'b'; SELECT 3", (run("SET application_name = 'c'"), run("SELECT current_setting('application_name')"), SYNC)),
    scenario("parameter_status_after_rollback", "BEGIN", "SET application_name = 'inside'", "ROLLBACK", "SELECT 1", "BEGIN; SET LOCAL application_name = 'local'; SELECT 1; COMMIT", "SELECT 1"),
    scenario("parameter_status_by_a_function", "SELECT d.named()", setup="CREATE OR REPLACE FUNCTION d.named() RETURNS text LANGUAGE sql SET application_name = 'within' AS $$ SELECT current_setting('application_name') $$"),
    scenario("parameter_status_of_a_role", "SET ROLE d_role", "RESET ROLE", "SET SESSION AUTHORIZATION DEFAULT"),
]
