"""/metrics as Prometheus sees it, and what is shipped for Prometheus and Grafana."""
import json
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from howdah_test.ports import free_port
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah

CONF = Path(__file__).resolve().parents[2] / "conf"


def metrics_of(howdah):
    with urllib.request.urlopen(f"http://{howdah.host}:{howdah.metrics_port}/metrics", timeout=30) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def prometheus(howdah, tmp_path_factory):
    """A Prometheus that scrapes Howdah every second, with the shipped rules; answers queries."""
    folder = tmp_path_factory.mktemp("prometheus")
    port = free_port()
    (folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{CONF / 'prometheus-alerts.yml'}]
scrape_configs:
  - job_name: howdah
    static_configs: [{{targets: ["{howdah.host}:{howdah.metrics_port}"]}}]
""")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                    f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def query(path, **parameters):
        url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except (OSError, ValueError):
            return None

    try:
        wait_until(lambda: (query("query", query='up{job="howdah"} == 1') or {}).get("result"), 60,
                   lambda: f"Prometheus has scraped Howdah\n{(folder / 'log').read_text()[-2000:]}")
        yield query
    finally:
        process.terminate()
        process.wait(30)


def test_the_alert_rules_are_valid():
    done = subprocess.run(["promtool", "check", "rules", str(CONF / "prometheus-alerts.yml")], capture_output=True, text=True)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_promtool_finds_nothing_wrong_with_the_metrics(howdah):
    done = subprocess.run(["promtool", "check", "metrics"], input=metrics_of(howdah), capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_prometheus_scrapes_and_no_alert_fires_on_a_healthy_cluster(prometheus):
    result = wait_until(lambda: prometheus("query", query="count(howdah_server_up == 1)")["result"], 30, "servers are seen")
    assert int(result[0]["value"][1]) >= 3
    assert prometheus("alerts")["alerts"] == []
    groups = prometheus("rules")["groups"]
    assert [rule["health"] for group in groups for rule in group["rules"] if rule["health"] == "err"] == []


def test_every_expression_that_is_shipped_names_metrics_that_exist(howdah, prometheus):
    exported = set(re.findall(r"^# TYPE (\S+)", metrics_of(howdah), re.M)) | {"up"}
    dashboard = json.loads((CONF / "grafana-dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += re.findall(r"^\s+expr: (.*)$", (CONF / "prometheus-alerts.yml").read_text(), re.M)
    assert len(expressions) > 20
    for expression in expressions:
        names = set(re.findall(r"\b(?:howdah|process)_[a-z_]+\b", expression))
        assert names <= exported, expression
        plain = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
        assert prometheus("query", query=plain) is not None, expression
