"""docs/chaos.md says what the tests of this folder do."""
import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_howdah

_HERE = Path(__file__).resolve().parent
_PAGE = _HERE.parents[1] / "docs" / "chaos.md"
# What has to be automated, or has a reason why not.
WANTED = {*range(1, 8), *range(9, 16), *range(19, 38), 43, 44, 50, 52, *range(55, 59), 60, *range(62, 65),
          *range(66, 70)}


def rows():
    """(number or None, what the last column says) of the table."""
    found = re.findall(r"^\| (\d+|-) \| .* \| (.*) \|$", _PAGE.read_text(encoding="utf-8"), re.M)
    return [(None if number == "-" else int(number), cell) for number, cell in found]


def chaos_tests():
    return {node.name for file in _HERE.glob("test_*.py") if file != Path(__file__).resolve()
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_scenario_has_a_test_or_a_reason():
    assert not WANTED - {number for number, _ in rows()}
    for number, cell in rows():
        assert re.search(r"`test_\w+`", cell) or re.match("not automated: .{10}", cell), (number, cell)


def test_every_test_is_in_the_table_and_the_table_names_no_other():
    named = {name for _, cell in rows() for name in re.findall(r"`(test_\w+)`", cell)}
    assert named == chaos_tests()
