"""psql: what a person types."""
import signal
import subprocess
import zlib

import pytest
from howdah_test.activity import statement_runs, wait_for_statement
from howdah_test.cluster import BIN
from howdah_test.samples import (BIG_BYTES, BIG_QUERY, BIG_ROWS, PARAMETER_BYTES, RAISE_ERROR,
                                 RAISE_NOTICE, big_checksum)


@pytest.fixture
def psql(target):
    """psql(script, **connection changes): its standard output; stderr is at psql.stderr."""
    def run(script, *arguments, expect=0, **changes):
        done = subprocess.run(
            [BIN / "psql", "-X", "-q", "-t", "-A", "-v", "VERBOSITY=verbose", *arguments], input=script,
            env=target.environment(**changes), capture_output=True, text=True, timeout=100)
        assert done.returncode == expect, done.stderr
        run.stderr = done.stderr
        return done.stdout
    return run


def test_scram_login_without_and_with_verified_tls(psql, target):
    assert psql("SELECT current_user, current_database()") == "appuser|appdb\n"
    assert "SSL connection" in psql("\\conninfo", **target.verified_tls())
    assert "SSL connection" not in psql("\\conninfo")


def test_channel_binding_over_tls(psql, target):
    assert psql("SELECT 1", channel_binding="require", **target.verified_tls()) == "1\n"


def test_a_certificate_of_another_authority_is_refused(psql, target, authority):
    psql("SELECT 1", expect=2, **{**target.verified_tls(), "sslrootcert": authority.other_ca})
    assert "certificate verify failed" in psql.stderr


@pytest.mark.needs_howdah
def test_unix_socket(psql, target):
    assert psql("SELECT 1", host=target.socket_folder) == "1\n"


def test_describe_commands_of_psql(psql, table):
    psql(f"CREATE TABLE {table} (id serial PRIMARY KEY, v text)")
    out = psql(f"BEGIN; SELECT 1 FROM {table};\n\\d {table}\n\\di\n\\l\n\\du\nCOMMIT;")
    assert f"{table}_pkey" in out and "appdb" in out and "replicator" in out
    psql(f"DROP TABLE {table}")


def test_prepared_statements_last_over_transactions(psql):
    script = "".join(f"PREPARE s{n} (int) AS SELECT $1 + {n};\n" for n in range(50))
    script += "".join(f"EXECUTE s{n} (1);\n" for n in range(50)) * 3
    assert psql(script).split() == [str(n + 1) for n in range(50)] * 3


def test_commit_rollback_savepoint_and_an_error_inside_a_transaction(psql, table):
    out = psql(f"""
CREATE TABLE {table} (id int PRIMARY KEY);
BEGIN;
INSERT INTO {table} VALUES (1);
SAVEPOINT a;
INSERT INTO {table} VALUES (1);
SELECT 'not seen';
ROLLBACK TO a;
INSERT INTO {table} VALUES (2);
COMMIT;
BEGIN;
INSERT INTO {table} VALUES (3);
ROLLBACK;
BEGIN;
SELECT array_agg(id) FROM {table};
COMMIT;
DROP TABLE {table};
""")
    assert out == "{1,2}\n"
    assert psql.stderr.count("ERROR:  23505: duplicate key") == 1
    assert psql.stderr.count("ERROR:  25P02: current transaction is aborted") == 1


def test_copy_in_and_out(psql, table, tmp_path):
    source, result = tmp_path / "in", tmp_path / "out"
    source.write_text("".join(f"{n}\tline {n}\n" for n in range(100_000)))
    psql(f"""
CREATE TABLE {table} (id int, v text);
\\copy {table} FROM '{source}'
BEGIN;
LOCK TABLE {table};
\\copy (SELECT * FROM {table} ORDER BY id) TO '{result}'
COMMIT;
DROP TABLE {table};
""", "-v", "ON_ERROR_STOP=1")
    assert result.read_text() == source.read_text()


def test_copy_of_a_read_goes_out(psql):
    assert psql("COPY (SELECT generate_series(1, 3)) TO STDOUT") == "1\n2\n3\n"


def test_interrupt_cancels_the_running_statement(target, cluster):
    process = subprocess.Popen(
        [BIN / "psql", "-X", "-q", "-t", "-A"], env=target.environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write("SELECT pg_sleep(100) /* psql cancel */;\n")
    process.stdin.flush()
    wait_for_statement(cluster, "psql cancel */")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert "canceling statement due to user request" in err
    assert not statement_runs(cluster, "psql cancel */")


@pytest.mark.slow
def test_a_200_mb_result_streams_through_unchanged(target):
    process = subprocess.Popen(
        [BIN / "psql", "-X", "-q", "-t", "-A", "-v", "FETCH_COUNT=1000", "-c", BIG_QUERY],
        env=target.environment(), stdout=subprocess.PIPE)
    checksum, size, rows = 0, 0, 0
    for line in process.stdout:
        data = line.rstrip(b"\n")
        checksum, size, rows = zlib.crc32(data, checksum), size + len(data), rows + 1
    assert process.wait(30) == 0
    assert (rows, size, checksum) == (BIG_ROWS, BIG_BYTES, big_checksum())


def test_a_10_mb_statement(psql):
    assert psql(f"SELECT length('{'z' * PARAMETER_BYTES}')") == f"{PARAMETER_BYTES}\n"


def test_errors_and_notices_arrive_with_all_their_fields(psql):
    psql(RAISE_ERROR + ";\n" + RAISE_NOTICE + ";\nSELECT * FROM no_such_table;")
    for severity in ("ERROR", "NOTICE"):
        assert f"{severity}:  HW001: the message\nDETAIL:  the detail\nHINT:  the hint\n" in psql.stderr
    for field in ("SCHEMA NAME:  the schema", "TABLE NAME:  the table", "COLUMN NAME:  the column",
                  "DATATYPE NAME:  the type", "CONSTRAINT NAME:  the constraint", "LOCATION:  exec_stmt_raise"):
        assert psql.stderr.count(field) == 2, field
    assert "LINE 1: SELECT * FROM no_such_table;\n                      ^" in psql.stderr


def test_settings_last_over_transactions(psql):
    assert psql("SET statement_timeout = '31s';\nSELECT 1;\nSHOW statement_timeout;\nBEGIN;\n"
                "SHOW statement_timeout;\nCOMMIT;\nRESET statement_timeout;\nSHOW statement_timeout;\n",
                options="-c statement_timeout=44s") == "1\n31s\n31s\n44s\n"


def test_listen_and_notify(psql, table):
    out = psql(f"LISTEN {table};\nNOTIFY {table}, 'payload';\nSELECT 1;")
    assert f'Asynchronous notification "{table}" with payload "payload" received' in out


def test_gexec_gset_and_a_statement_without_result(psql):
    assert psql("SELECT 'SELECT ' || g FROM generate_series(1, 3) g \\gexec\nSELECT 5 AS a \\gset\n"
                "SELECT :a;\n;\n") == "1\n2\n3\n5\n"


def test_a_script_with_copies_cursors_and_generated_statements(psql, pool_of_two, table, tmp_path):
    source, result = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("".join(f'{n},"line ""{n}"", \u00e4"\n' for n in range(3000)))
    out = psql(f"""
\\set ON_ERROR_STOP on
CREATE TABLE {table} (id int PRIMARY KEY, v text);
\\copy {table} FROM '{source}' CSV
SELECT format('CREATE TABLE {table}_%s (LIKE {table} INCLUDING ALL)', i) FROM generate_series(1, 3) i \\gexec
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM {table} ORDER BY id;
FETCH 2 FROM c;
MOVE ABSOLUTE 2000 IN c;
FETCH BACKWARD 1 FROM c;
UPDATE {table} SET v = v || '!' WHERE id = 7;
SAVEPOINT a;
\\copy {table}_1 FROM PROGRAM 'printf "1\\\\tone\\\\n2\\\\ttwo\\\\n"'
ROLLBACK TO a;
COPY {table}_2 FROM STDIN;
5	five
\\.
CLOSE c;
COMMIT;
DECLARE held CURSOR WITH HOLD FOR SELECT id FROM {table} ORDER BY id DESC;
FETCH FORWARD 1 FROM held;
\\copy (SELECT * FROM {table} ORDER BY id) TO '{result}' CSV FORCE QUOTE v
FETCH FORWARD 1 FROM held;
CLOSE ALL;
SELECT count(*) AS n, min(id) AS least FROM {table} \\gset
\\if :{{?n}}
SELECT :n, :least, count(*) FROM {table}_1;
\\endif
SELECT 1 \\; SELECT 2 \\; SELECT 3;
SELECT v FROM {table}_2;
\\set FETCH_COUNT 100
SELECT count(*) FROM {table} a;
DO $$ BEGIN FOR i IN 1..3 LOOP EXECUTE format('DROP TABLE {table}_%s', i); END LOOP; END $$;
DROP TABLE {table};
""", port=pool_of_two)
    assert out.split() == ["0", "1", "1998", "2999", "2998", "3000|0|0", "1", "2", "3", "five", "3000"]
    assert result.read_text() == source.read_text().replace('line ""7"", \u00e4', 'line ""7"", \u00e4!')
