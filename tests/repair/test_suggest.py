"""Suggestions for files that compile: only when asked for, one edit a function, ranked, linear in the file."""

from __future__ import annotations

import ast
import math
import symtable

import pytest

from ctm.repair.candidates import Candidate, Proposal
from ctm.repair.files import fix_source
from ctm.repair.odds import StrengthCurve, read_odds
from ctm.repair.passes import Repairer, strength
from ctm.repair.source import parse_source
from ctm.repair.suggest import BEYOND, OVERLAP, TOGETHER, UNBOUND, suggest


def fix(text: str, proposer, tokenizer, threshold: float = 0.5, odds: StrengthCurve | None = None):
    return suggest(parse_source(text.encode()), Repairer(proposer, tokenizer, threshold), odds)


PAIR = """\
class A:
    def f(self, a, b):
        return a - b

    def g(self):
        return 1

def h(n):
    return n  + 1
"""
EDITS = {
    "def f(self, a, b):\n    return a - b": ("def f(self, a, b):\n    return a + b", 0.6),
    "def h(n):\n    return n  + 1": ("def h(n):\n    m = n\n    return n  + 1", 0.9),
}


def towards(edits: dict[str, tuple[str, float]]):
    """Proposes one edit for each of these texts, with its probability, and leaves all others alone."""

    def suggested(state):
        text, probability = edits.get(state.text, (state.text, 0.99))
        return [(text, math.log(probability))]

    return suggested


def test_a_file_that_compiles_is_left_alone_unless_suggestions_are_asked_for(fake, tokenizer):
    proposer = fake(towards(EDITS))
    source, repairer = parse_source(PAIR.encode()), Repairer(proposer, tokenizer, 0.1)
    left = fix_source(source, repairer)
    assert (left.status, left.after, left.changes) == ("clean", source, ()) and not proposer.asked
    assert fix_source(source, repairer, suggesting=True).status == "repaired"


def test_suggestions_are_made_in_place_and_the_strongest_comes_first(fake, tokenizer):
    fixed = fix(PAIR, fake(towards(EDITS)), tokenizer, 0.3)
    expected = PAIR.replace("a - b", "a + b").replace("    return n  + 1", "    m = n\n    return n  + 1")
    assert fixed.after.text == expected and fixed.compiled and fixed.compiles
    assert [change.line for change in fixed.changes] == [8, 2]
    assert [change.passes for change in fixed.changes] == [1, 1] and fixed.changes[0].probability is None


def test_only_edits_above_the_threshold_are_suggested(fake, tokenizer):
    cells = len(tokenizer.encode("def h(n):\n    return n  + 1"))
    fixed = fix(PAIR, fake(towards(EDITS)), tokenizer, strength(0.9, cells) - 0.01)
    assert [change.line for change in fixed.changes] == [8]
    assert fix(PAIR, fake(towards(EDITS)), tokenizer, strength(0.9, cells)).status == "clean"


def test_a_suggestion_is_one_edit(oracle, tokenizer):
    goal = "def h(n):\n    m = n\n    return m"
    fixed = fix("def h(n):\n    return n  + 1", oracle({"def h(n):\n    return n  + 1": goal}), tokenizer)
    assert len(fixed.changes) == 1 and fixed.after.text not in (goal, fixed.before.text)


def test_suggestions_bear_the_probability_of_the_bundles_curve(fake, tokenizer):
    odds = StrengthCurve(0.01, ((0.0, 0.0), (1.0, 0.5)))
    fixed = fix(PAIR, fake(towards(EDITS)), tokenizer, 0.3, odds)
    cells = len(tokenizer.encode("def h(n):\n    return n  + 1"))
    assert fixed.changes[0].probability == pytest.approx(strength(0.9, cells) / 2)
    assert fixed.changes[0].probability > fixed.changes[1].probability


def test_line_ends_and_a_missing_last_one_stay(fake, tokenizer):
    raw = PAIR.rstrip("\n").replace("\n", "\r\n").encode()
    fixed = suggest(parse_source(raw), Repairer(fake(towards(EDITS)), tokenizer, 0.3))
    expected = raw.replace(b"a - b", b"a + b").replace(b"    return n", b"    m = n\r\n    return n")
    assert fixed.after.encode() == expected


CLASS = """\
import os

class A:
    def f(self, a, b):
        return a + b

    def g(self):
        return os.sep

def h(a, b):
    return a + b
"""


@pytest.mark.parametrize(
    ("function", "edited", "taken"),
    [
        ("def f(self, a, b):\n    return a + b", "def f(self, a, b):\n    return self.a + b", True),
        ("def h(a, b):\n    return a + b", "def h(a, b):\n    return self.a + b", False),
        ("def h(a, b):\n    return a + b", "def h(a, b):\n    return a + os.b", True),
        ("def h(a, b):\n    return a + b", "def h(a, b):\n    return a + c", False),
        ("def h(a, b):\n    return a + b", "def h(a, b):\n    return a", True),
    ],
)
def test_no_edit_reads_a_name_that_nothing_in_the_file_binds(
    function: str, edited: str, taken: bool, fake, tokenizer
):
    def suggest(state):
        return [(edited, -0.1), (function, -3.0)] if state.text == function else [(state.text, -0.1)]

    fixed = fix(CLASS, fake(suggest), tokenizer)
    assert [change.after for change in fixed.changes] == ([edited] if taken else [])
    assert fixed.skipped == ({} if taken else {UNBOUND: 1})


def test_names_that_a_file_lacks_already_are_no_reason_against_an_edit(fake, tokenizer):
    function, edited = "def f():\n    return lost", "def f():\n    return lost + 1"

    def suggest(state):
        return [(edited if state.text == function else state.text, -0.1)]

    assert fix(function, fake(suggest), tokenizer).after.text == edited
    star = f"from os import *\n\n{function}\n"
    edited = edited.replace("1", "sep")
    assert fix(star, fake(suggest), tokenizer).after.text == star.replace(function, edited)


def test_edits_of_two_parts_are_judged_together(fake, tokenizer):
    """Each alone leaves every name bound: only both take `x` away and read it."""
    goals = {"x = 1": "y = 1", "def f(a):\n    return a": "def f(a):\n    return x"}
    text = "x = 1\n\ndef f(a):\n    return a\n"
    fixed = fix(text, fake(lambda state: [(goals.get(state.text, state.text), -0.1)]), tokenizer, 0.3)
    assert [change.after for change in fixed.changes] == ["def f(a):\n    return x"]
    assert fixed.skipped == {UNBOUND: 1}


def test_the_next_candidate_is_taken_where_one_reads_an_unbound_name(fake, tokenizer):
    wrong, right = "def h(a, b):\n    return a + c", "def h(a, b):\n    return a + a"
    function = "def h(a, b):\n    return a + b"
    answers = [(wrong, -0.2), (right, -0.3)]
    proposer = fake(lambda state: answers if state.text == function else [(state.text, -0.1)])
    fixed = fix(function, proposer, tokenizer, 0.3)
    assert fixed.after.text == right and fixed.skipped == {UNBOUND: 1}


def test_long_functions_are_skipped_and_counted(fake, tokenizer):
    text = "def f():\n" + "    x = 1\n" * 70 + "def g():\n    pass\n"
    proposer = fake(lambda state: [(state.text, -0.1)])
    fixed = fix(text, proposer, tokenizer)
    assert fixed.status == "clean" and fixed.skipped == {"does not fit": 1}
    assert proposer.asked == ["def g():\n    pass"]


# --- names ----------------------------------------------------------------------------------------------------------


def test_a_method_reads_no_name_that_only_its_class_or_another_function_binds(fake, tokenizer):
    text = "class A:\n    x = 1\n    def f(self):\n        y = 2\n        return y\n\n"
    text += "    def g(self):\n        return self\n"
    method = "def g(self):\n    return self"
    for name, taken in (("x", False), ("y", False), ("A", True), ("len", True), ("__class__", True)):
        edited = method.replace("return self", f"return {name}")
        fixed = fix(text, fake(towards({method: (edited, 0.9)})), tokenizer)
        assert bool(fixed.changes) == taken, name


def test_a_function_inside_another_reads_what_that_binds(fake, tokenizer):
    inner = "def inner():\n    return 1"
    text = (
        "def outer(a):\n    b = 1\n"
        + "    a = b\n" * 65
        + "    def inner():\n        return 1\n    return inner\n"
    )
    for name, taken in (("b", True), ("a", True), ("c", False)):
        proposer = fake(towards({inner: (inner.replace("1", name), 0.9)}))
        assert bool(fix(text, proposer, tokenizer).changes) == taken, name


def test_an_edit_that_takes_away_what_others_read_is_dropped_alone(fake, tokenizer):
    text = "x = 1\n\ndef f(a):\n    return x\n\ndef h(n):\n    return n\n"
    edits = {"x = 1": ("y = 1", 0.99), "def h(n):\n    return n": ("def h(n):\n    return -n", 0.9)}
    fixed = fix(text, fake(towards(edits)), tokenizer, 0.3)
    assert fixed.after.text == text.replace("return n", "return -n") and fixed.skipped == {UNBOUND: 1}


# --- edits together -------------------------------------------------------------------------------------------------


def test_of_edits_that_overlap_the_stronger_is_made(fake, tokenizer):
    whole, inner = "if A:\n    def g(): pass", "def g(): pass"
    text = f"A = 1\n\n\ndef f(): pass\n{whole}\n"
    for strong, weak in ((whole, inner), (inner, whole)):
        edited = {whole: "if not A:\n    def g(): pass", inner: "def g(): return 1"}
        edits = {strong: (edited[strong], 0.95), weak: (edited[weak], 0.7)}
        fixed = fix(text, fake(towards(edits)), tokenizer, 0.3)
        assert [change.after for change in fixed.changes] == [edited[strong]]
        assert fixed.skipped == {OVERLAP: 1}


def test_an_edit_that_only_spoils_the_whole_file_is_dropped_alone(fake, tokenizer):
    """By itself the part compiles: only the file says that its future import comes too late."""
    text = "import os\n\ndef f():\n    return 1\n\nx = 1\n"
    late, good = "from __future__ import annotations", "def f():\n    return 2"
    edits = {"x = 1": (late, 0.95), "def f():\n    return 1": (good, 0.9)}
    fixed = fix(text, fake(towards(edits)), tokenizer, 0.3)
    assert fixed.after.text == text.replace("return 1", "return 2") and fixed.skipped == {TOGETHER: 1}


# --- time and memory ------------------------------------------------------------------------------------------------


class Appends:
    """Proposes to append each of some texts to the last line, the first with the highest probability."""

    def __init__(self, endings: list[str], tokenizer) -> None:
        known = len(tokenizer.encode("return a"))
        self.units = [tuple(tokenizer.encode(f"return a{ending}")[known:]) for ending in endings]
        self.most = 0

    def propose(self, states):
        self.most = max(self.most, len(states))
        return [
            Proposal(
                tuple(Candidate(n, n, units, -0.1 * place) for place, units in enumerate(self.units, 1)),
                0.9,
                1,
            )
            for n in (len(state.ids) for state in states)
        ]


def test_a_file_of_5000_methods_is_analyzed_a_few_times_and_its_parts_once(fake, tokenizer, monkeypatch):
    """What used to take a parse of the whole file, and a search of all its functions, for each edit."""
    count = 5000
    text = "class A:\n" + "".join(f"    def m{i}(self, a):\n        return a\n" for i in range(count))
    parsed: list[int] = []

    def counted(module, name):
        real = getattr(module, name)

        def parse(source, *rest, **more):
            parsed.append(len(source))
            return real(source, *rest, **more)

        monkeypatch.setattr(module, name, parse)

    counted(ast, "parse")
    counted(symtable, "symtable")
    proposer = Appends([" + lost", " + a"], tokenizer)  # an unbound name first: every part is looked at twice
    fixed = fix(text, proposer, tokenizer, 0.2)
    assert len(fixed.changes) == count and fixed.after.text == text.replace("return a", "return a + a")
    assert fixed.skipped == {UNBOUND: count}
    assert proposer.most <= 256, "states of a few hundred parts at a time"
    assert sum(size > len(text) / 2 for size in parsed) <= 8, "of the whole file"
    assert sum(parsed) < 20 * len(text), "all parts together grow as the file does"


def test_parts_beyond_the_limit_are_counted(fake, tokenizer, monkeypatch):
    monkeypatch.setattr("ctm.repair.suggest.LIMIT", 3)
    proposer = fake(towards({}))
    fixed = fix("".join(f"def f{i}(): pass\n" for i in range(5)), proposer, tokenizer)
    assert len(proposer.asked) == 3 and fixed.skipped == {BEYOND: 2}


# --- odds -----------------------------------------------------------------------------------------------------------


def test_odds_are_straight_lines_between_points_and_level_outside():
    odds = read_odds({"prior": 0.01, "points": [[0.2, 0.0], [0.6, 0.2], [0.8, 0.8]]})
    assert [odds.probability(s) for s in (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 1.0)] == pytest.approx(
        [0.0, 0.0, 0.1, 0.2, 0.5, 0.8, 0.8]
    )
    assert read_odds(odds.as_dict()) == odds


@pytest.mark.parametrize(
    "content",
    [
        {"prior": 0.01, "points": []},
        {"prior": 0.01, "points": [[0.2, 0.5], [0.4, 0.1]]},
        {"prior": 0.01, "points": [[0.4, 0.1], [0.2, 0.5]]},
        {"prior": float("nan"), "points": [[0.4, 0.1]]},
        {"prior": 0.01, "points": [[0.4, "x"]]},
        {"points": [[0.4, 0.1]]},
        [0.1],
    ],
)
def test_odds_that_are_none_are_refused(content: object):
    with pytest.raises(ValueError, match="points"):
        read_odds(content)
