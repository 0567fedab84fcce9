"""Client encodings, and text that is not ASCII."""
from differ.messages import SYNC, bind, execute, parse, query, run
from differ.scenario import Login, scenario

SCENARIOS = [
    scenario("utf8", "SELECT 'äöü 🐘 \u0000'::text".replace("\u0000", "x"), "SELECT length('🐘'), octet_length('🐘')", (run("SELECT $1::text, length($1)", "日本語"), SYNC)),
    scenario("latin1", "SET client_encoding = 'LATIN1'", query(b"SELECT 'gr\xfc\xdfe', length('gr\xfc\xdfe')"), (run("SELECT $1::text", b"\xe4"), SYNC), "SELECT U&'\\0434'", "RESET client_encoding", "SELECT U&'\\0434'"),
    scenario("latin1_with_a_prepared_statement", "SET client_encoding = 'LATIN1'", (parse("SELECT $1::text, length($1)", "s1"), SYNC), (bind(b"\xfc", statement="s1"), execute(), SYNC), "SET client_encoding = 'UTF8'", (bind("ü", statement="s1"), execute(), SYNC)),
    scenario("statement_text_in_latin1", "SET client_encoding = 'LATIN1'", (parse(b"SELECT '\xfc', length('\xfc')", "s1"), bind(statement="s1"), execute(), SYNC), (parse(b"SELECT '\xfc', length('\xfc')", "s2"), bind(statement="s2"), execute(), SYNC), "SET client_encoding = 'UTF8'",
             (parse("SELECT 'ü', length('ü')", "s3"), bind(statement="s3"), execute(), SYNC)),
    scenario("same_statement_bytes_in_two_encodings", (parse(b"SELECT length('\xc3\xbc')", "s1"), bind(statement="s1"), execute(), SYNC), "SET client_encoding = 'LATIN1'", (parse(b"SELECT length('\xc3\xbc')", "s2"), bind(statement="s2"), execute(), SYNC), (bind(statement="s1"), execute(), SYNC)),
    scenario("win1252_and_others", "SET client_encoding = 'WIN1252'", "SELECT chr(8364)", "SET client_encoding = 'EUC_JP'", "SELECT U&'\\65E5'", "SET client_encoding = 'SQL_ASCII'", query(b"SELECT '\xc3\xa4'")),
    scenario("sjis", "SET client_encoding = 'SJIS'", query(b"SELECT '\x83\x5c', length('\x83\x5c')"), query(b"SELECT '\x95\x5c''; SELECT 2 --'"), (run(b"SELECT '\x83\x5c'"), SYNC), "RESET client_encoding"),
    scenario("big5_and_gbk", "SET client_encoding = 'BIG5'", query(b"SELECT '\xa5\x5c', length('\xa5\x5c')"), "SET client_encoding = 'GBK'", query(b"SELECT '\x95\x5c', length('\x95\x5c')"), "SET client_encoding = 'GB18030'", query(b"SELECT '\x81\x5c'")),
    scenario("encoding_in_a_transaction", "BEGIN", "SET client_encoding = 'LATIN1'", query(b"SELECT '\xfc'"), "ROLLBACK", "SELECT 'ü'", "SHOW client_encoding"),
    scenario("encoding_from_the_start", "SHOW client_encoding", query(b"SELECT '\xfc', length('\xfc')"), "SET client_encoding = 'UTF8'", "SELECT 'ü'", "RESET client_encoding", "SHOW client_encoding", login=Login(parameters={"client_encoding": "LATIN1"})),
    scenario("error_texts_in_another_encoding", "SET client_encoding = 'LATIN1'", query(b"SELECT gr\xfc\xdfe"), query(b"SELECT '\xfc'::int"), "SELECT U&'\\3042'"),
    scenario("invalid_bytes", query(b"SELECT '\xc3'"), query(b"SELECT '\xed\xa0\x80'"), query(b"\xff"), (parse(b"SELECT 1", b"\xff"), SYNC), (bind(b"\xff", statement=""), SYNC), "SELECT 1"),
    scenario("identifiers", 'CREATE TABLE d."tä🐘" ("ö" int)', 'SELECT * FROM d."tä🐘"', 'DROP TABLE d."tä🐘"', 'SELECT * FROM d."tä🐘"', setup='DROP TABLE IF EXISTS d."tä🐘"'),
    scenario("long_identifier_is_truncated", f"SELECT 1 AS {'i' * 70}", f"SELECT * FROM {'t' * 70}", f"SELECT 1 AS {'ü' * 40}"),
]
