"""Orchestrator's API as orchestrator-client asks it: two HEADs and a GET by curl for each call, and what it prints."""
import json
import subprocess

from howdah_test.recovery import at


def path_of(node):
    return f"{node.host}/{node.port}"


def key(value):
    return f"{value['Hostname']}:{value['Port']}"


def keys(values):
    return sorted(key(value.get("Key", value)) for value in values)


class Client:
    """The requests of orchestrator-client, and how it takes the answers."""

    def __init__(self, howdah, *options, scheme="http"):
        host, self.options = howdah.host, list(options)
        if howdah.network:
            host = "localhost"
            self.options += ["--unix-socket", f"{howdah.host}/.s.PGSQL.{howdah.api_port}"]
        self.url = f"{scheme}://{host}:{howdah.api_port}/api"

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-s", *arguments], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, (arguments, done.returncode, done.stderr)
        return done.stdout

    def call(self, path, *options):
        """The body. The client greps the heads for a login that is missing."""
        for _ in range(2):
            head = self.curl(*self.options, "--head", self.url)
            assert head.startswith("HTTP/1.1 200 "), head
        return json.loads(self.curl(*self.options, *options, f"{self.url}/{path}"))

    def details(self, path, *options):
        answer = self.call(path, *options)
        assert answer["Code"] == "OK", answer
        return answer["Details"]

    def error(self, path, *options):
        answer = self.call(path, *options)
        assert answer["Code"] == "ERROR", answer
        return answer["Message"]

    def status(self, path, *options):
        return self.curl(*self.options, *options, "-o", "/dev/null", "-w", "%{http_code}", f"{self.url}/{path}")

    def analysis(self):
        return [f"{key(one['AnalyzedInstanceKey'])} (cluster {one['ClusterDetails']['ClusterName']}): {one['Analysis']}"
                for one in self.details("replication-analysis")]


def drawn(client, node):
    """The topology without the padding: {server: (mark, facts)}, in its order."""
    out = {}
    for line in client.details(f"topology/{at(node)}").splitlines():
        name, facts = line.rsplit(" [", 1)
        mark, _, server = name.strip().rpartition(" ")
        out[server] = (mark, facts.rstrip("]").split(","))
    return out
