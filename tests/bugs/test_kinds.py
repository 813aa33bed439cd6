"""Every kind of the registry does what its example says, and the documents list all of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from ctm.bugs.catalog import page
from ctm.bugs.checks.validity import code_of, quiet, same_code
from ctm.bugs.generation.mutate import load_mix
from ctm.bugs.registry import Splice, apply, kind_names, register, registry, shuffled
from ctm.bugs.static_analysis.source import ParsedCode

ROOT = Path(__file__).resolve().parents[2]
KINDS = list(registry().values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_example_is_what_the_kind_says(kind):
    with quiet():
        correct, buggy = code_of(kind.correct), code_of(kind.buggy)
    assert correct is not None, "the example's correct side compiles"
    if kind.category == "syntax":
        assert buggy is None, "the example's buggy side does not compile"
    else:
        assert buggy is not None and not same_code(correct, buggy)


# a security kind's example is a shape of its weakness; its patterns are tested in security/test_security.py
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.category != "security"], ids=lambda kind: kind.name
)
def test_mutator_makes_its_kind_of_the_example(kind):
    source = ParsedCode(kind.correct)
    assert not kind.needs or not kind.needs.isdisjoint(source.words), "`needs` admits the example"
    good = 0
    with quiet():
        for seed in range(30):
            for candidate in kind.mutator(source, Random(seed)):
                fixed = apply(source.text, candidate.fixed)
                buggy = apply(source.text, candidate.buggy)
                old, new = code_of(fixed), code_of(buggy)
                if buggy != fixed and old is not None:
                    good += (
                        (new is None)
                        if kind.category == "syntax"
                        else (new is not None and not same_code(old, new))
                    )
    assert good, "at least one candidate of thirty draws is a bug of this kind"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_candidates_do_not_overlap_and_repeat_for_the_same_seed(kind):
    source = ParsedCode(kind.correct)
    for seed in range(5):
        first = list(kind.mutator(source, Random(seed)))
        assert first == list(kind.mutator(source, Random(seed))), "random only through the generator"
        for candidate in first:
            for splices in (candidate.buggy, candidate.fixed):
                ordered = sorted(splices)
                assert all(a.end <= b.start for a, b in pairwise(ordered))
                assert all(0 <= s.start <= s.end <= len(source.text) for s in ordered)


def test_enough_kinds_and_unique_names():
    assert len(kind_names("syntax")) >= 24 and len(kind_names("logic")) >= 12
    assert len(registry()) >= 60, "as many as the taxonomy asks for"
    with pytest.raises(ValueError, match="twice"):
        register("missing_colon", "syntax", "", "", "")(lambda source, rng: iter(()))


def test_mix_names_every_kind():
    mix = load_mix(ROOT / "config" / "bug_mix.yaml")
    off = {"log_raw_value", "log_line_ends"}  # every reader took these for the way in which everybody logs
    off |= {"exec_text", "marshal_load", "regex_overlap"}  # and these for what nobody writes
    assert set(mix.weights) == set(registry()) - off, "a kind that the mix lacks is never trained on"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no_such: 1\n", "no kind 'no_such'"),
        ("missing_colon: -1\n", "-1"),
        ("- a\n", "keys with values are due"),
        ("missing_colon: x\n", ":1: missing_colon: expected a weight"),
        (
            "missing_colon: 1\nextra_colon: 2\nmissing_colon: 3\n",
            ":3: key 'missing_colon' stands here and in line 1",
        ),
    ],
)
def test_bad_mix_is_refused_with_its_file(tmp_path, text, message):
    path = tmp_path / "mix.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        load_mix(path)
    assert "mix.yaml" in str(error.value)


def test_documentation_is_current():
    assert (ROOT / "docs" / "bugs.md").read_text(encoding="utf-8") == page(), (
        "run: python -m ctm.bugs.catalog > docs/bugs.md"
    )


def test_shuffled_gives_each_item_once():
    assert sorted(shuffled(range(20), Random(1))) == list(range(20))


def test_apply_takes_splices_in_any_order():
    assert apply("abcdef", (Splice(4, 5, "X"), Splice(0, 1, ""), Splice(2, 2, "-"))) == "b-cdXf"
