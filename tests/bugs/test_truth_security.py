"""A security pair has one answer: equal buggy texts have equal fixed texts, and a slow pattern keeps its language."""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from random import Random

import pytest

from ctm.bugs.registry import apply, registry
from ctm.bugs.rewrite import CHOICES, filled, holes_of
from ctm.bugs.security_names import NAMES
from ctm.bugs.security_write import SHAPES
from ctm.bugs.source import Source

registry()
DERIVED = {"env"}  # made of another hole's word
PATTERN_KINDS = ("regex_nested_repeat", "regex_overlap")
HOSTS = (
    "if re.match(r'[ab]+c', x): pass",
    "y = re.compile(r'^\\s+(\\d+)\\.\\w+$')",
    "y = re.sub(r'[a.]+,', '', x)",
)


def usual(*texts: str) -> dict[str, str]:
    """One word for each hole, the same for all texts."""
    words = {hole: CHOICES.get(hole) or NAMES.get(hole) or (hole,) for hole in holes_of(*texts)}
    return {hole: "PASSWORD" if hole == "env" else words[hole][0] for hole in words}


def test_equal_buggy_sides_have_equal_fixed_sides_in_all_kinds():
    """Each secure text that any kind knows is given to every kind, so that shapes and patterns meet each other."""
    secure_texts = {filled(s, usual(s, i)) for written, _ in SHAPES.values() for s, i in written}
    answers: dict[str, set[str]] = {}
    for written, _ in SHAPES.values():
        for secure, insecure in written:
            values = usual(secure, insecure)
            answers.setdefault(filled(insecure, values), set()).add(filled(secure, values))
    for text in sorted(secure_texts):
        source = Source(text)
        for name in SHAPES:
            kind = registry()[name]
            if kind.own and kind.own(source):
                for candidate in kind.mutator(source, Random(0)):
                    answers.setdefault(apply(text, candidate.buggy), set()).add(apply(text, candidate.fixed))
    unsure = {buggy: sorted(fixed) for buggy, fixed in answers.items() if len(fixed) > 1}
    assert not unsure, "two answers for one state: whoever learns them can only guess"


@pytest.mark.parametrize("name", list(SHAPES))
def test_no_part_of_an_answer_is_lost_in_the_buggy_side(name):
    written, rewrites = SHAPES[name]
    for secure, insecure in [*written, *((r.secure, r.insecure) for r in rewrites)]:
        assert set(holes_of(secure)) - set(holes_of(insecure)) <= DERIVED, (secure, insecure)


def patterns(code: str) -> list[str]:
    """First arguments of the calls of `re` in a text."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [c.args[0].value for c in calls if ast.unparse(c.func).startswith("re.")]


def regex_pairs() -> list[tuple[str, str]]:
    pairs = []
    for name in PATTERN_KINDS:
        for secure, insecure in SHAPES[name][0]:
            values = usual(secure, insecure)
            pairs.append((filled(insecure, values), filled(secure, values)))
        for text in HOSTS:
            made = registry()[name].mutator(Source(text), Random(1))
            pairs.extend((apply(text, c.buggy), apply(text, c.fixed)) for c in made)
    return [(b, f) for buggy, fixed in pairs for b, f in zip(patterns(buggy), patterns(fixed), strict=True)]


@pytest.mark.parametrize(("buggy", "fixed"), regex_pairs())
def test_a_slow_pattern_takes_the_same_texts_as_its_repair(buggy, fixed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slow, fast = re.compile(buggy), re.compile(fixed)
    signs = "a1 .@-#:,c"
    for length in range(5):
        for text in map("".join, itertools.product(signs, repeat=length)):
            for how in ("fullmatch", "match"):
                one, other = getattr(slow, how)(text), getattr(fast, how)(text)
                assert (one and one.span()) == (other and other.span()), (buggy, fixed, text, how)
