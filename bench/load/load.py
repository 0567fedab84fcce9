"""What a query costs through Howdah, PgBouncer and pgpool-II, and directly: pgbench, one after another, round by round.

    apt-get install pgbouncer pgpool2
    HOWDAH_BIN=build/release/proxy/howdah python3 bench/load/load.py [--rounds 5] [--seconds 5] [--only simple,prepared]

A program that is not installed is left out. PGBOUNCER_BIN: another PgBouncer. Prints a Markdown table, and writes it and all
figures as JSON where --out says.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
# pylint: disable=wrong-import-position
from howdah_test import Authority, Cluster, OsUser, Target, Template  # noqa: E402
from howdah_test.cluster import ADDRESS, BIN  # noqa: E402
from howdah_test.proxy import binary  # noqa: E402

import contenders as who  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
from workloads import WORKLOADS  # noqa: E402


def start_all(cluster, folder, program):
    """Those that are installed, in the order in which they are measured."""
    out = [who.Direct(cluster)]
    try:
        for kind in (who.PgBouncer, who.Pgpool):
            if kind.program:
                out.append(kind(cluster, folder / kind.name))
            else:
                print(f"{kind.name} is not installed: left out", file=sys.stderr)
        out.append(who.OurHowdah(cluster, folder / "howdah", program))
    except BaseException:
        close_all(out)
        raise
    return out


def close_all(contenders):
    for one in contenders:
        one.close()


def suits(contender, workload):
    """pgpool-II has a process and a server connection for each client: a crowd is not for it."""
    return contender.name != "pgpool" or workload.clients <= 64


def environment_of(cluster, contender, workload):
    target = Target(ADDRESS, contender.port, cluster.authority.ca, contender.name == "direct", cluster.folder)
    return target.environment(dbname=contender.database(workload.session), sslmode="require" if workload.tls else "disable")


def measure_all(cluster, contenders, workloads, rounds, seconds, folder):
    results = {}
    for workload in workloads:
        results[workload.name] = []
        for number in range(rounds):
            figures = {}
            for one in contenders:
                if suits(one, workload):
                    figures[one.name] = measure.run(BIN / "pgbench", one, workload, seconds, folder,
                                                    environment_of(cluster, one, workload))
            results[workload.name].append(figures)
            print(f"{workload.name}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return results


def how_it_was_run(contenders, options):
    def said_by(*command):
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False).stdout.strip()
    return {"command": " ".join(["bench/load/load.py", *sys.argv[1:]]), "commit": said_by("git", "rev-parse", "--short", "HEAD"),
            "changed": bool(said_by("git", "status", "--porcelain")), "cores": os.cpu_count(),
            "postgresql": said_by(BIN / "postgres", "--version"), "rounds": options.rounds, "seconds": options.seconds,
            "versions": {one.name: one.version() for one in contenders if one.version()}}


def arguments():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=5, help="of each run of pgbench")
    options.add_argument("--transactions", type=int, default=0, help="of each client, instead of --seconds")
    options.add_argument("--scale", type=int, default=10, help="of pgbench's tables")
    options.add_argument("--only", default="", help="names of workloads, separated by commas")
    options.add_argument("--out", type=Path, help="where to write load.md and load.json")
    chosen = options.parse_args()
    wanted = chosen.only.split(",") if chosen.only else [one.name for one in WORKLOADS]
    unknown = set(wanted) - {one.name for one in WORKLOADS}
    if unknown:
        options.error(f"there is no workload {', '.join(sorted(unknown))}; there are {', '.join(one.name for one in WORKLOADS)}")
    chosen.workloads = [replace(one, transactions=chosen.transactions or one.transactions)
                        for one in WORKLOADS if one.name in wanted]
    return chosen


def main():
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="howdah-bench-"))
    folder.chmod(0o755)
    os_user = OsUser()
    os_user.own(folder)
    cluster, contenders = None, []
    try:
        program = folder / "program"
        shutil.copyfile(binary(), program)
        program.chmod(0o755)
        cluster = Cluster(Template(folder, os_user, Authority(folder / "tls", os_user)), folder / "cluster", replicas=0,
                          settings="max_connections = 700\nshared_buffers = 512MB\n")
        subprocess.run([BIN / "pgbench", "-i", "-q", "-s", str(options.scale)], check=True, capture_output=True,
                       env=Target(ADDRESS, cluster.primary.port, cluster.authority.ca, True, cluster.folder).environment())
        contenders = start_all(cluster, folder, program)
        results = measure_all(cluster, contenders, options.workloads, options.rounds, options.seconds, folder)
        how = how_it_was_run(contenders, options)
        text = report.table(results, [one.name for one in contenders]) + "\n\n" + ", ".join(
            f"{key}: {value}" for key, value in how.items()) + "\n"
        print(text)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / "load.md").write_text(text, encoding="utf-8")
            (options.out / "load.json").write_text(json.dumps({"how": how, "results": results}, indent=1), encoding="utf-8")
    finally:
        close_all(contenders)
        if cluster:
            cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
