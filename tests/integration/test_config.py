"""The command line, the configuration file, and its reload."""
import json
import re
import subprocess
from pathlib import Path

import psycopg
import pytest
from howdah_test.cluster import PASSWORDS
from howdah_test.proxy import user
from howdah_test.wait import wait_until
from howdah_test.wire import RawClient, WireError

pytestmark = pytest.mark.needs_howdah

GOOD = """\
variables:
  interfaces: ["127.0.0.1:6133"]
  monitor_password: hidden_monitor
servers:
  - {hostgroup_id: 10, hostname: 127.0.0.1, port: 5432}
  - {hostgroup_id: 20, hostname: 127.0.0.1, port: 5433}
replication_hostgroups:
  - {writer_hostgroup: 10, reader_hostgroup: 20}
users:
  - {username: appuser, password: hidden_app, default_hostgroup: 10}
"""


@pytest.fixture
def run(program, tmp_path):
    """run(arguments..., config=text): the finished process; `{}` stands for the file's name."""
    def call(*arguments, config=None):
        path = tmp_path / "howdah.yaml"
        if config is not None:
            path.write_text(config, encoding="utf-8")
            path.chmod(0o600)
        return subprocess.run([program, *(str(path) if a == "{}" else a for a in arguments)],
                              capture_output=True, text=True, timeout=60)
    return call


def test_version_and_help(run):
    version = run("--version")
    assert version.returncode == 0 and re.search(r"\d+\.\d+\.\d+", version.stdout)
    usage = run("--help")
    assert usage.returncode == 0
    for option in ("--config", "--check", "--print-config", "--version", "--help"):
        assert option in usage.stdout


def test_an_unknown_argument_is_an_error(run):
    done = run("--no-such-option")
    assert done.returncode != 0 and "no-such-option" in done.stderr + done.stdout


def test_a_good_file_passes_the_check(run):
    done = run("--config", "{}", "--check", config=GOOD)
    assert done.returncode == 0, done.stderr


def test_the_shipped_file_passes_the_check(run):
    shipped = Path(__file__).resolve().parents[2] / "conf/howdah.yaml"
    done = run("--config", str(shipped), "--check")
    assert done.returncode == 0, done.stderr


def test_the_printed_configuration_names_every_option_and_no_secret(run):
    done = run("--config", "{}", "--print-config", config=GOOD)
    assert done.returncode == 0, done.stderr
    assert "hidden" not in done.stdout + done.stderr
    for word in ("monitor_ping_interval", "pool_mode", "appuser", "writer_hostgroup", "5433"):
        assert word in done.stdout
    again = run("--config", "{}", "--check", config=done.stdout)
    assert again.returncode == 0, again.stderr


BAD = {
    "a misspelt option": ("  monitor_password:", "  monitor_pasword:", 3, "monitor_password"),
    "a misspelt section": ("servers:", "serverz:", 4, "servers"),
    "a bad number": ("port: 5433", "port: lots", 6, "port"),
    "a number out of bounds": ("port: 5433", "port: 99999", 6, "65535"),
    "a duplicate server": ("{hostgroup_id: 20, hostname: 127.0.0.1, port: 5433}",
                           "{hostgroup_id: 10, hostname: 127.0.0.1, port: 5432}", 6, "5432"),
    "an unknown hostgroup of a user": ("default_hostgroup: 10", "default_hostgroup: 77", 10, "77"),
    "writer and reader the same": ("reader_hostgroup: 20", "reader_hostgroup: 10", 8, "10"),
    "broken YAML": ("users:\n", "users: [\n", None, ""),
    "a TLS certificate without key": ("  monitor_password: hidden_monitor",
                                      "  ssl_cert: /nowhere.crt", None, "ssl_key"),
}


@pytest.mark.parametrize("old, new, line, word", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_with_file_line_and_reason(run, tmp_path, old, new, line, word):
    assert old in GOOD
    done = run("--config", "{}", "--check", config=GOOD.replace(old, new, 1))
    assert done.returncode != 0
    lines = [text for text in done.stderr.splitlines() if f"{tmp_path}/howdah.yaml:" in text]
    assert len(lines) >= 1, done.stderr
    assert any(word in text and (line is None or f"howdah.yaml:{line}:" in text) for text in lines), done.stderr
    assert "hidden" not in done.stderr


def test_a_rule_that_points_to_no_hostgroup_is_refused(run):
    done = run("--config", "{}", "--check", config=GOOD + "query_rules:\n  - {rule_id: 1, "
               "match_pattern: x, destination_hostgroup: 55, apply: true}\n")
    assert done.returncode != 0
    assert re.search(r"howdah\.yaml:12: .*55", done.stderr), done.stderr


def test_a_missing_file_is_named(run):
    done = run("--config", "/no/such/file.yaml", "--check")
    assert done.returncode != 0 and "/no/such/file.yaml" in done.stderr


def test_a_port_that_is_taken_ends_the_start_with_a_reason(howdah, make_howdah, cluster):
    second = make_howdah(cluster, start=False)
    # The unix socket is its own; the TCP port is somebody else's, who does not share it.
    second.config["variables"]["interfaces"] = [f"127.0.0.1:{cluster.primary.port}"]
    with pytest.raises(RuntimeError, match=f"(?s)ended with [1-9].*{cluster.primary.port}"):
        second.start()
    second.process = None


def login_works(howdah, name, password):
    try:
        with RawClient(howdah.host, howdah.port) as client:
            client.log_in(name, password, "appdb")
            return client.query("SELECT 1")[0] == [[b"1"]]
    except WireError:
        return False


def test_sighup_takes_over_users_and_options_and_names_what_needs_a_restart(cluster, make_howdah):
    howdah = make_howdah(cluster)
    client = psycopg.connect(**howdah.target().libpq(), autocommit=True)
    client.execute("SELECT 1")
    assert not login_works(howdah, "small_user", PASSWORDS["small_user"])
    howdah.config["users"].append(user("small_user"))
    howdah.config["variables"]["threads"] = 3
    howdah.config["variables"]["log_level"] = "debug"
    howdah.reload()
    wait_until(lambda: login_works(howdah, "small_user", PASSWORDS["small_user"]), 20, "the new user")
    howdah.wait_for_log(r"(?i)threads.*restart|restart.*threads")
    assert client.execute("SELECT 1").fetchone() == (1,)
    howdah.config["users"][0].update(password="changed", server_password=PASSWORDS["appuser"])
    howdah.reload()
    wait_until(lambda: not login_works(howdah, "appuser", PASSWORDS["appuser"]), 20, "the old password is refused")
    assert client.execute("SELECT 1").fetchone() == (1,)
    client.close()


def test_sighup_with_a_bad_file_keeps_what_was(cluster, make_howdah):
    howdah = make_howdah(cluster)
    howdah.config["variables"]["pool_mood"] = "session"
    howdah.reload()
    howdah.wait_for_log(r"pool_mode")
    assert login_works(howdah, "appuser", PASSWORDS["appuser"])


def test_sighup_moves_servers(cluster, make_howdah):
    howdah = make_howdah(cluster)
    with psycopg.connect(**howdah.target().libpq(), autocommit=True) as client:
        ports = lambda: {client.execute("SELECT inet_server_port()").fetchone()[0] for _ in range(20)}  # noqa: E731
        removed = howdah.config["servers"].pop(2)
        howdah.reload()
        wait_until(lambda: removed["port"] not in ports(), 20, "no read goes to the removed server")
        howdah.config["servers"].append(removed)
        howdah.config["servers"].pop(1)
        howdah.reload()
        wait_until(lambda: ports() == {removed["port"]}, 20, "all reads go to the one that is left")


def test_log_format_json_is_one_object_per_line(cluster, make_howdah):

    howdah = make_howdah(cluster, variables={"log_format": "json"})
    lines = [json.loads(line) for line in howdah.log_text().splitlines()]
    assert any("listening on" in str(line) for line in lines)


def test_log_file_is_written(cluster, make_howdah):
    howdah = make_howdah(cluster, start=False)
    log_file = howdah.folder / "own.log"
    howdah.config["variables"].update(log_file=str(log_file))
    howdah.start(is_ready=lambda: log_file.exists() and "listening on" in log_file.read_text())
    assert "listening on" in log_file.read_text()
