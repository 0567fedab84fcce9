"""The same messages to PostgreSQL and through Howdah bring the same bytes back.

Every scenario is played to the primary itself, then through Howdah with one write per step, with
one write per byte, and on a pool of one connection with a second client between its steps.
HOWDAH_DIFFERENTIAL_LONG=1 also splits each scenario's bytes at every single position.
HOWDAH_TEST_DIRECT=1 plays everything to the primary: what differs then is the scenario's fault.
"""
import os

import pytest
from differ.compare import difference
from known_differences import KNOWN_DIFFERENCES, SOMETIMES_DIFFERENT
from scenarios import ALL

DIRECT = os.environ.get("HOWDAH_TEST_DIRECT") == "1"
LONG = os.environ.get("HOWDAH_DIFFERENTIAL_LONG") == "1"
# A difference that is known may be that no answer comes.
TIMEOUT, TIMEOUT_OF_KNOWN = 10.0, 1.0


def known_for(name, way):
    return None if DIRECT else KNOWN_DIFFERENCES.get(f"{name}[{way}]") or KNOWN_DIFFERENCES.get(name)


@pytest.mark.parametrize("name", ALL)
def test_answers_are_those_of_postgresql(arena, name):
    scenario = ALL[name]
    expected = arena.reference(scenario)
    for number, told in enumerate(expected[1:-1]):
        silent = told and told[-1][0] == "(silence)"
        assert not silent, f"the scenario waits in step {number + 1} for what PostgreSQL never sends: {told}"
    problems, known = [], []
    for way, play in arena.ways.items():
        if way == "interleaved" and not scenario.interleaved:
            continue
        reason = known_for(name, way) or SOMETIMES_DIFFERENT.get(name)
        actual, problem = play(scenario, TIMEOUT_OF_KNOWN if reason else TIMEOUT)
        problem = difference(scenario, expected, actual) or problem
        if problem:
            arena.renew()
        if problem and reason:
            known.append(f"{way}: {reason}")
        elif problem:
            problems.append(f"{name}, played {way}: {problem}")
        elif reason and name not in SOMETIMES_DIFFERENT:
            problems.append(f"{name}, played {way}, is no longer different: take it out of KNOWN_DIFFERENCES")
    if name.startswith("random_sequences/"):
        # What a sequence spoils without showing it must not be held against the next one.
        arena.renew()
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)
    if known:
        pytest.xfail("; ".join(known))


if LONG:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", [name for name in ALL
                                      if name not in KNOWN_DIFFERENCES and name not in SOMETIMES_DIFFERENT])
    def test_answers_do_not_depend_on_where_the_bytes_are_split(arena, name):
        scenario = ALL[name]
        expected = arena.reference(scenario)
        for position in arena.positions(scenario):
            problem = difference(scenario, expected, arena.play_split(scenario, position, TIMEOUT))
            if problem:
                pytest.fail(f"{name}, split at byte {position}: {problem}", pytrace=False)


def test_every_known_difference_is_of_a_scenario():
    names = {name.partition("[")[0] for name in [*KNOWN_DIFFERENCES, *SOMETIMES_DIFFERENT]}
    assert names <= set(ALL), names - set(ALL)


def test_scenarios_have_names_of_their_own_and_are_many():
    assert len(ALL) >= 300
    assert all(scenario.steps or scenario.login.shown for scenario in ALL.values())
