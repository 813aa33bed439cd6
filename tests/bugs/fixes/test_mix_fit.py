"""The mix learned from real fixes: what a kind explains is found, and weights follow how often it does."""

from __future__ import annotations

import pytest

from ctm.bugs.fixes.mix_fit import PSEUDO, explain, fit_bug_mix, fitted, gather
from ctm.bugs.generation.mix import BugMix
from ctm.bugs.generation.mutate import load_mix
from ctm.bugs.registry import registry
from ctm.pairs.record import Origin, make_pair, write_pairs

FIXES = [
    ("while n > {0}:\n    n += 1", "while n < {0}:\n    n += 1"),
    ("if a or b{0}:\n    go()", "if a and b{0}:\n    go()"),
    ("def f():\n    x{0} = 1", "def f():\n    x{0} = g()\n    return h(x{0})"),
]


def pair(buggy: str, fixed: str, split: str = "train", source: str = "commit"):
    return make_pair(
        buggy, fixed, category="logic", kind="", source=source, split=split, group="g", origin=Origin()
    )


@pytest.mark.parametrize(
    ("buggy", "fixed", "kind"),
    [
        ("while n > 3:\n    n += 1", "while n < 3:\n    n += 1", "comparison_operator"),
        ("x = yaml.unsafe_load(f)", "x = yaml.safe_load(f)", "yaml_load"),
        ("isinstance(str, x)", "isinstance(x, str)", "swapped_arguments"),
        ("if x\n    go()", "if x:\n    go()", "missing_colon"),
        ("while   n > 3:\n\n    n += 1", "while n < 3:\n    n += 1", "comparison_operator"),
    ],
)
def test_the_kind_that_made_a_pair_is_found(buggy, fixed, kind):
    made, places = explain(buggy, fixed)
    assert kind in made and set(made) <= set(places)


def test_a_draw_without_candidates_is_not_the_last():
    """Some kinds leave frequent places out at random: their first draw may be empty, and they count all the same."""
    fixed = "def f(k):\n    return k"
    for word in ("retrun", "reutrn", "retun"):
        assert "misspelt_keyword" in explain(fixed.replace("return", word), fixed, seeds=100)[0]


def test_a_pair_that_no_kind_makes():
    made, places = explain("x = 1", "y = isinstance(a, b)\nreturn_(y)")
    assert made == [] and "swapped_arguments" in places
    assert explain("x = 1", "x = (") == ([], []), "a fixed side that does not compile explains nothing"


def test_weights_move_towards_what_fixes_ask_for():
    pinned = BugMix(
        {"comparison_operator": 1, "boolean_operator": 1, "negated_condition": 1, "missing_colon": 7}
    )
    pairs = [pair(*(text.format(n) for text in FIXES[0])) for n in range(60)]
    pairs += [pair(*(text.format(n) for text in FIXES[1])) for n in range(20)]
    evidence = gather(pairs, seeds=2)
    assert evidence.pairs == evidence.explained == 80
    learned = fitted(pinned, evidence)
    assert learned["comparison_operator"] > 1 > learned["negated_condition"] > 0
    assert learned["missing_colon"] == 7, "no evidence, no change"
    for name in ("comparison_operator", "boolean_operator"):
        assert evidence.places[name] >= evidence.matches[name] > 0
    assert sum(learned.values()) == pytest.approx(sum(pinned.weights.values())), (
        "as many logic bugs as before"
    )
    assert PSEUDO > 0


def test_files_of_the_target(tmp_path):
    mix = tmp_path / "pinned.yaml"
    mix.write_text("".join(f"{name}: 1\n" for name in registry()))
    pairs = tmp_path / "train.parquet"
    made = [pair(*(text.format(n) for text in texts)) for n in range(6) for texts in FIXES]
    write_pairs(pairs, [*made, pair("x = (", "x = 1", source="mutation")])
    fit_bug_mix(pairs, mix, tmp_path / "out" / "mix.yaml", tmp_path / "out" / "mix.md")
    learned = load_mix(tmp_path / "out" / "mix.yaml").weights
    assert set(learned) == set(registry())
    assert learned["comparison_operator"] > learned["wrong_jump"]
    table = (tmp_path / "out" / "mix.md").read_text()
    assert table.startswith("12 of 18 real fixes") and "| comparison_operator | logic | 1 |" in table


def test_pairs_of_another_split_are_refused(tmp_path):
    path = tmp_path / "test.parquet"
    write_pairs(path, [pair("x = 1", "x = 2", split="test")])
    mix = tmp_path / "mix.yaml"
    mix.write_text("off_by_one: 1\n")
    with pytest.raises(ValueError, match="reads training pairs only"):
        fit_bug_mix(path, mix, tmp_path / "a.yaml", tmp_path / "a.md")
