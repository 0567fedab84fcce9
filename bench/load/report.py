"""The figures as a table."""
import statistics

COLUMNS = {"tps": ("TPS", "{:.0f}"), "p50_ms": ("p50 ms", "{:.2f}"), "p99_ms": ("p99 ms", "{:.2f}"),
           "longest_ms": ("longest ms", "{:.1f}"), "cpu_us": ("CPU us", "{:.1f}"), "switches": ("switches", "{:.2f}")}


def ratio(rounds, ours, theirs, figure):
    """The median of what `ours` is to `theirs` in the same round, or None where that is not known."""
    known = [one[ours][figure] / one[theirs][figure] for one in rounds
             if ours in one and theirs in one and one[theirs][figure]]
    return statistics.median(known) if known else None


def median(rounds, name, figure):
    known = [one[name][figure] for one in rounds if name in one]
    return statistics.median(known) if known else None


def table(results, names):
    """Markdown of `results`: workload -> rounds -> contender -> figure -> number. Where Howdah stands to PgBouncer is in
    the last columns."""
    titles = [title for title, _ in COLUMNS.values()]
    lines = ["| workload | who | " + " | ".join(titles) + " | TPS to PgBouncer | CPU to PgBouncer |",
             "|---" * (len(titles) + 4) + "|"]
    for workload, rounds in results.items():
        for name in names:
            if median(rounds, name, "tps") is None:
                continue
            cells = [form.format(median(rounds, name, figure)) for figure, (_, form) in COLUMNS.items()]
            ratios = [ratio(rounds, name, "pgbouncer", figure) for figure in ("tps", "cpu_us")]
            cells += ["" if one is None or name in ("pgbouncer", "direct") else f"{one:.2f}" for one in ratios]
            lines.append(f"| {workload} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
