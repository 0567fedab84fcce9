"""bench/load: what it makes of figures, and that it runs."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from howdah_test.proxy import binary

LOAD = Path(__file__).resolve().parents[2] / "bench" / "load"
sys.path.insert(0, str(LOAD))
import measure  # noqa: E402  pylint: disable=wrong-import-position
import report  # noqa: E402  pylint: disable=wrong-import-position

ROUNDS = [{"direct": {"tps": 100, "cpu_us": 0}, "pgbouncer": {"tps": tps, "cpu_us": 30}, "howdah": {"tps": 60, "cpu_us": ours}}
          for tps, ours in ((50, 24), (60, 60), (30, 27))]


def test_ratios_are_of_the_same_round():
    assert report.ratio(ROUNDS, "howdah", "pgbouncer", "tps") == 1.2
    assert report.ratio(ROUNDS, "howdah", "pgbouncer", "cpu_us") == 0.9
    assert report.ratio(ROUNDS, "howdah", "direct", "cpu_us") is None, "nothing is no measure"
    assert report.ratio(ROUNDS, "howdah", "pgpool", "tps") is None, "it was not there"


def test_what_pgbench_says_is_read_and_what_it_does_not_say_is_an_error():
    said = ("number of transactions actually processed: 10 (above the 1.0 ms)\nnumber of failed transactions: 2 (20.000%)\n"
            "initial connection time = 1.2 ms\ntps = 123.456 (without initial connection time)\n")
    assert measure.parse_pgbench(said) == (10, 123.456, 2)
    with pytest.raises(ValueError, match="aborted"):
        measure.parse_pgbench("aborted")


def test_percentiles_are_latencies_that_were_seen():
    times = measure.latencies(["0 1 3000 0 1700000000 1\n", "1 1 1000 0 1700000000 2\n", "0 2 2500 0 1700000000 3\n", ""])
    assert times == [1, 2.5, 3]
    assert [measure.percentile(times, share) for share in (0, 0.5, 0.99, 1)] == [1, 2.5, 3, 3]


def test_what_processes_spent_is_of_all_their_threads():
    before, _ = measure.spent_by([os.getpid()])
    sum(range(2_000_000))
    after, switches = measure.spent_by([os.getpid()])
    assert after > before > 0 and switches > 0
    assert measure.parse_switches("voluntary_ctxt_switches:\t4\nnonvoluntary_ctxt_switches:\t3\n") == 7


@pytest.mark.needs_howdah
def test_one_round_gives_a_table_and_its_figures(tmp_path):
    done = subprocess.run([sys.executable, LOAD / "load.py", "--rounds", "1", "--transactions", "20", "--scale", "1",
                           "--only", "simple", "--out", tmp_path], capture_output=True, text=True, timeout=100, check=False,
                          env={**os.environ, "HOWDAH_BIN": str(binary())})
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    figures = written["results"]["simple"][0]
    assert figures["howdah"]["cpu_us"] > 0 and figures["howdah"]["tps"] > 0 and figures["direct"]["cpu_us"] == 0
    assert "| simple | howdah |" in done.stdout and done.stdout == (tmp_path / "load.md").read_text(encoding="utf-8") + "\n"
    unknown = subprocess.run([sys.executable, LOAD / "load.py", "--only", "nothing"], capture_output=True, text=True, check=False)
    assert unknown.returncode == 2 and "there is no workload nothing" in unknown.stderr
