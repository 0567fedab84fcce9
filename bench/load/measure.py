"""One run of pgbench, and what it cost the processes before the server."""
import re
import statistics
import subprocess
from pathlib import Path


def parse_schedstat(text):
    """Nanoseconds that a thread has run, of /proc/PID/task/TID/schedstat: finer than the ticks of `stat`."""
    return int(text.split()[0])


def parse_switches(text):
    """Voluntary and other context switches, of /proc/PID/task/TID/status."""
    return sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", text)))


def spent_by(pids):
    """CPU microseconds and context switches of all threads of these processes since they began. A process that has ended
    takes its figures with it."""
    nanoseconds = switches = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*"):
            try:
                nanoseconds += parse_schedstat((thread / "schedstat").read_text(encoding="ascii"))
                switches += parse_switches((thread / "status").read_text(encoding="utf-8"))
            except OSError:
                continue
    return nanoseconds / 1000, switches


def parse_pgbench(text):
    """Transactions done, transactions per second, failed ones."""
    done = re.search(r"number of transactions actually processed: (\d+)", text)
    rate = re.search(r"^tps = ([\d.]+)", text, re.M)
    failed = re.search(r"number of failed transactions: (\d+)", text)
    if not done or not rate:
        raise ValueError(f"pgbench says no figures:\n{text}")
    return int(done[1]), float(rate[1]), int(failed[1]) if failed else 0


def latencies(lines):
    """Sorted milliseconds, of the lines of `pgbench --log`: client, number, microseconds, script, epoch, microseconds."""
    return sorted(int(line.split()[2]) / 1000 for line in lines if line.strip())


def percentile(values, share):
    """Of sorted values, the least that `share` of them do not exceed."""
    return values[min(len(values) - 1, int(share * len(values)))]


def run(pgbench, contender, workload, seconds, folder, environment):
    """The figures of one run, by name. Raises where a transaction failed: what was measured would be something else."""
    for old in folder.glob("latency.*"):
        old.unlink()
    command = [pgbench, "-n", "-c", str(workload.clients), "-j", "1", "--log", "--log-prefix", str(folder / "latency"),
               *workload.arguments]
    command += ["-t", str(workload.transactions)] if workload.transactions else ["-T", str(seconds)]
    if workload.script is None:
        command += ["-S"]
    elif workload.script:
        script = folder / "script.sql"
        script.write_text(workload.script, encoding="utf-8")
        command += ["-f", str(script)]
    cpu_before, switches_before = spent_by(contender.pids())
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 300, check=False)
    cpu_after, switches_after = spent_by(contender.pids())
    if done.returncode:
        raise RuntimeError(f"{contender.name}, {workload.name}: {done.stderr[-1000:]}")
    transactions, rate, failed = parse_pgbench(done.stdout)
    if failed or not transactions:
        raise RuntimeError(f"{contender.name}, {workload.name}: {failed} of {transactions} transactions failed")
    times = latencies(line for file in folder.glob("latency.*") for line in file.read_text(encoding="ascii").splitlines())
    return {"tps": rate, "p50_ms": statistics.median(times), "p99_ms": percentile(times, 0.99),
            "p999_ms": percentile(times, 0.999), "longest_ms": times[-1],
            "cpu_us": (cpu_after - cpu_before) / transactions,
            "switches": (switches_after - switches_before) / transactions}
