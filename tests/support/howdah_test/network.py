"""A network of their own for the hosts of a test: one network namespace each, joined by a bridge.

Nothing of it is reachable from the machine's own network, and nothing there changes: the test itself
talks to servers through unix sockets, which cross network namespaces. Faults are silent, as with a
pulled cable: nobody gets a reset.
"""
import os
import subprocess
from functools import cache
from itertools import count
from pathlib import Path

from howdah_test.slow_cable import SlowCable, write_checksums

_PREFIX = "howdah-test-"
_FOLDER = Path("/run/netns")
_NOWHERE = "02:00:00:00:00:99"  # nobody has this MAC address
_serial = count(1)


@cache
def why_not():
    """Why networks cannot be made here, or "" where they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        Network(["probe"]).close()
    except (OSError, RuntimeError) as problem:
        return f"no network namespaces here: {problem}"
    return ""


class Network:
    """Hosts by name, each with one address and one way to all others. `close()` removes it."""

    def __init__(self, hosts):
        _remove_leftovers()
        number = next(_serial)
        self._name = f"{_PREFIX}{os.getpid()}-{number}"
        self._switch = f"{self._name}-switch"
        self._addresses = {host: f"10.77.{number % 250}.{i}" for i, host in enumerate(hosts, 1)}
        self._lost, self._cables = set(), {}
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self):
        _run("ip", "netns", "add", self._switch)
        for host in self._addresses:
            _run("ip", "netns", "add", self._space(host))
        _batch(self._switch, "link add bridge type bridge", "link set bridge up",
               *(f"link add {_port(host)} type veth peer name eth0 netns {self._space(host)}"
                 for host in self._addresses),
               *(f"link set {_port(host)} master bridge up" for host in self._addresses))
        for host, address in self._addresses.items():
            _batch(self._space(host), "link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up")

    def _space(self, host):
        return f"{self._name}-{host}"

    def address(self, host):
        return self._addresses[host]

    def command(self, host, arguments):
        """The command line that runs `arguments` on a host, in a process of the same pid."""
        return ["nsenter", f"--net={_FOLDER / self._space(host)}", *map(str, arguments)]

    def drop(self, sender, *receivers):
        """From now on what `sender` sends to `receivers` (none: to anybody) does not arrive."""
        for receiver in receivers or self._others(sender):
            _batch(self._space(sender), f"neigh replace {self.address(receiver)} lladdr {_NOWHERE} "
                   "dev eth0 nud permanent")
            self._lost.add((sender, receiver))

    def cut(self, one, *others):
        """Nothing passes between a host and `others` (none: anybody), in either direction."""
        for other in others or self._others(one):
            self.drop(one, other)
            self.drop(other, one)

    def degrade(self, host, delay=0.0, loss=0.0):
        """Packets from and to a host arrive `delay` s late, or get lost with the probability `loss`."""
        for other in self._addresses:
            write_checksums(_FOLDER / self._space(other), "eth0")
        port, near, far = _port(host), _near(host), f"far-{host}"[:15]
        _batch(self._switch, f"link set {port} nomaster", f"link add {near} type veth peer name {far}",
               f"link set {far} master bridge up", f"link set {near} up")
        self._cables[host] = SlowCable(_FOLDER / self._switch, port, near, delay, loss)

    def heal(self):
        """Every packet arrives again, at once."""
        for host, cable in self._cables.items():
            cable.close()
            _batch(self._switch, f"link del {_near(host)}", f"link set {_port(host)} master bridge")
        self._cables.clear()
        for sender, receiver in sorted(self._lost):
            _batch(self._space(sender), f"neigh del {self.address(receiver)} dev eth0")
        self._lost.clear()
        _batch(self._switch, *(f"link set {_port(host)} up" for host in self._addresses))

    def unplug(self, host):
        """Pulls the cable of a host out of the switch; heal() puts it back."""
        _batch(self._switch, f"link set {_port(host)} down")

    def _others(self, host):
        return [other for other in self._addresses if other != host]

    def close(self):
        for cable in self._cables.values():
            cable.close()
        self._cables.clear()
        for path in _FOLDER.glob(f"{self._name}-*"):
            _run("ip", "netns", "delete", path.name)


def _port(host):
    return f"to-{host}"[:15]


def _near(host):
    return f"near-{host}"[:15]


def _run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")


def _batch(space, *commands):
    _run("ip", "-n", space, "-batch", "-", input="\n".join(commands) + "\n")


def _remove_leftovers():
    """Of test runs that died without a chance to clean up."""
    for path in _FOLDER.glob(f"{_PREFIX}*"):
        pid = path.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            subprocess.run(["ip", "netns", "delete", path.name], capture_output=True, timeout=60, check=False)
