"""Texts drawn for training have one, two, three errors as often as real ones, counted in both in the same way."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path
from random import Random

import pytest
from rapidfuzz.distance import LCSseq

from ctm.bugs.generation.draw import mutate_text, snippet_rng
from ctm.bugs.generation.mix import BugMix
from ctm.bugs.generation.quotas import drawing_mix, load_mix, quotas_of
from ctm.bugs.settings import MutationSettings, Shares
from ctm.pairs.record import Origin, make_snippet
from ctm.pairs.snippets import cut
from ctm.python.lexical import DEDENT, INDENT, lenient_tokens, taken_apart
from helpers import real_code

ASKED = load_mix(Path(__file__).parents[3] / "config" / "bug_mix.yaml")
MIX = BugMix({kind.name: ASKED.weights[kind.name] for kind in ASKED.kinds("syntax")})
REAL = {1: 0.73, 2: 0.18, 3: 0.09}
"""Shares of texts with one, two, three and more errors, of 1,622 that people posted: half of a suite."""
CLOSING = {"(": ")", "[": "]", "{": "}", INDENT: DEDENT}


def errors(buggy: str, fixed: str) -> int:
    """Runs of changed lexical tokens; both ends of a pair of brackets or of a block are one error."""
    old, new = (taken_apart(lenient_tokens(text)) for text in (buggy, fixed))
    runs = []
    for is_same, group in groupby(LCSseq.opcodes(old, new), key=lambda step: step.tag == "equal"):
        if not is_same:
            steps = list(group)
            before = Counter(old[steps[0].src_start : steps[-1].src_end])
            after = Counter(new[steps[0].dest_start : steps[-1].dest_end])
            runs.append((before - after, after - before))
    number = 0
    while runs:
        number += 1
        run = runs.pop(0)
        closing = [
            other
            for other in runs
            if any(
                o in mine and c in theirs
                for mine, theirs in zip(run, other, strict=True)
                for o, c in CLOSING.items()
            )
        ]
        if closing:
            runs.remove(closing[0])
    return number


@pytest.mark.parametrize(
    ("buggy", "fixed", "number"),
    [
        ("print a", "print(a)", 1),
        ("if a\n    f(b", "if a:\n    f(b)", 2),
        ("x = [1, 2\ny = (3\nz = 4)", "x = [1, 2]\ny = (3)\nz = 4", 3),
        ("for a in b:\nf(a)", "for a in b:\n    f(a)", 1),
    ],
)
def test_a_pair_of_brackets_is_one_error(buggy: str, fixed: str, number: int) -> None:
    assert errors(buggy, fixed) == number


def test_texts_have_as_many_errors_as_real_ones() -> None:
    settings = MutationSettings(shares=Shares(1, 0, 0))
    texts = [
        text
        for name in real_code.MODULES[:6]
        for text, *_ in cut((real_code.LIBRARY / f"{name}.py").read_text(encoding="utf-8")).snippets
    ]
    snippets = [
        make_snippet(text, "statements", "g", Origin(), "train") for text in Random(0).sample(texts, 500)
    ]
    mix = drawing_mix(quotas_of(snippets, settings, MIX))
    made = [
        mutant
        for snippet in snippets
        for mutant in mutate_text(snippet.text, snippet_rng(0, snippet.snippet_id), mix, 3, settings).kept
    ]
    drawn = Counter(min(3, errors(mutant.buggy, mutant.fixed)) for mutant in made)
    assert len(made) > 1000
    for number, share in REAL.items():
        assert drawn[number] / len(made) == pytest.approx(share, abs=0.04), (number, drawn)
