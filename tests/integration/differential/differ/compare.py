"""A difference between two plays, for people."""
import difflib

from differ.describe import backend, frontend


def _lines(told):
    return [backend(kind, body) for kind, body in told]


def difference(scenario, expected, actual):
    """Text that shows the first step whose answers differ, or an empty one."""
    if expected == actual:
        return ""
    names = ["login"] + [f"step {i + 1}" for i in range(len(scenario.steps))] + ["end"]
    for number in range(max(len(expected), len(actual))):
        here = expected[number] if number < len(expected) else None
        there = actual[number] if number < len(actual) else None
        if here == there:
            continue
        name = names[number] if number < len(names) else "end"
        if (here is None) != (there is None) or name == "end":
            name += f" (of {len(expected)} parts in PostgreSQL, {len(actual)} through Howdah)"
        text = [f"{name} differs"]
        if 0 < number <= len(scenario.steps):
            text += ["  sent:"] + [f"    {line}" for line in frontend(scenario.steps[number - 1].data)]
        changes = difflib.ndiff(_lines(here or []), _lines(there or []))
        text += ["  answered (- PostgreSQL, + Howdah):"] + [f"    {line}" for line in changes if line[0] != "?"]
        return "\n".join(text)
    return "the number of steps differs"
