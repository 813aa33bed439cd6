"""Suites of real bugs: a model that never edits, one that guesses and an oracle score what arithmetic says."""

from __future__ import annotations

import io
import json
import random
import sys
import tokenize
from collections.abc import Callable
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ctm.evaluation import real_suites
from ctm.evaluation.groups import bucket, size_of
from ctm.evaluation.inverse_mutation import InverseMutations, learn
from ctm.evaluation.published import erased
from ctm.evaluation.published.checksum import checksum
from ctm.evaluation.published.loading import Loaded
from ctm.evaluation.published.settings import SuiteSettings
from ctm.evaluation.real_suites import drawn, evaluate_suite, evaluate_suites
from ctm.evaluation.references import answerers
from ctm.evaluation.security_repairs import judge_security, security_figures
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pipeline.suites_section import real_suites_section
from ctm.repair.bundle import Bundle
from ctm.repair.clock import OVER
from ctm.repair.evaluate import Item
from ctm.repair.sandbox import TestResult
from helpers.fake_proposer import FakeProposer, Suggest

BUGS, CLEAN = 24, 8
SIGNS = ("+", "-", "*", "%")
"""The bug has the first, the fix one of the others."""
SETTINGS = SuiteSettings("unused", "json_lines", "0" * 64, license="MIT")


def text(number: int, sign: str) -> str:
    return f"def f{number}(a, b):\n    return a {sign} b\n"


@pytest.fixture(scope="module")
def items() -> list[Item]:
    """Bugs of one token, two in each project, and clean code."""
    bugs = [
        Item(f"bug-{n}", text(n, "+"), text(n, SIGNS[1 + n % 3]), "logic", "operator", project=f"p{n // 2}")
        for n in range(BUGS)
    ]
    clean = [
        Item(f"clean-{n}", text(n, "+"), text(n, "+"), "clean", project="c") for n in range(90, 90 + CLEAN)
    ]
    return bugs + clean


@pytest.fixture
def judge(items: list[Item], tokenizer: CodeTokenizer) -> Callable[[Suggest], dict[str, Any]]:
    def run(suggest: Suggest, of: list[Item] = items) -> dict[str, Any]:
        model = Bundle(Path("none"), tokenizer, FakeProposer(tokenizer, suggest), threshold=0.0)
        return evaluate_suite(Loaded(of), SETTINGS, model, answerers(InverseMutations((), (), 0, 0)), 1)[0]

    return run


def test_a_model_that_never_edits_is_right_where_nothing_is_wrong(judge) -> None:
    found = judge(lambda state: [(state.text, -0.01)])
    assert found["all"]["exact_at_1"] == found["all"]["exact_at_10"] == CLEAN / (BUGS + CLEAN)
    assert found["by_category"]["logic"]["exact_at_1"] == 0
    assert found["all"]["edited"] == 0 and found["all"]["false_alarm"] == 0
    assert found["all"]["edit_precision"] is None, "there is no edit to be precise"
    assert found["all"]["coverage"] == 1
    baseline = found["baselines"]["no_edit"]
    assert {k: baseline[k] for k in ("exact_at_1", "edited")} == {
        k: found["all"][k] for k in ("exact_at_1", "edited")
    }


def test_an_oracle_is_always_right(items, judge) -> None:
    wanted = {item.buggy.rstrip("\n"): item.fixed.rstrip("\n") for item in items}
    found = judge(lambda state: [(wanted.get(state.text, state.text), -0.01)])
    for measure in (
        "exact_at_1",
        "exact_at_10",
        "same_tree",
        "edit_precision",
        "edit_recall",
        "statement_recall",
    ):
        assert found["all"][measure] == 1, measure
    assert found["all"]["edited"] == BUGS / (BUGS + CLEAN) and found["all"]["false_alarm"] == 0
    assert found["intervals"]["all"]["exact_at_1"][1] == 1
    assert found["by"]["kind"]["operator"]["n"] == BUGS and found["by"]["edit_length"]["1"]["exact_at_1"] == 1


def test_a_guess_among_four_is_right_as_often_as_the_dice_say(items, judge) -> None:
    """Each guess ranks the three signs and 'no edit' at random; the shares at 1 and 5 are counted from the dice."""
    dice = random.Random(4)
    ranked = {item.buggy.rstrip("\n"): dice.sample(SIGNS, len(SIGNS)) for item in items}

    def guess(state):
        if state.text not in ranked:
            return [(state.text, -0.01)]
        return [
            (state.text.replace(" + ", f" {sign} "), log(share))
            for sign, share in zip(ranked[state.text], (0.4, 0.3, 0.2, 0.1), strict=True)
        ]

    found = judge(guess)
    right = [
        ranked[item.buggy.rstrip("\n")][0] == (SIGNS[1 + n % 3] if n < BUGS else "+")
        for n, item in enumerate(items)
    ]
    assert 0.05 < sum(right) / len(right) < 0.5, "about one in four"
    assert found["all"]["exact_at_1"] == sum(right) / len(right)
    assert found["all"]["false_alarm"] == sum(not one for one in right[BUGS:]) / CLEAN
    assert found["by_category"]["logic"]["exact_at_5"] == 1, "one of the four is right"


def test_the_rows_give_the_same_figures_again(items, tokenizer, monkeypatch, tmp_path: Path) -> None:
    """An independent recount from the answers in the Parquet file, with the standard library's tokens."""
    dice = random.Random(1)
    wanted = {item.buggy.rstrip("\n"): item.fixed.rstrip("\n") for item in items if dice.random() < 0.6}
    proposer = FakeProposer(tokenizer, lambda state: [(wanted.get(state.text, state.text), -0.01)])
    monkeypatch.setattr(
        real_suites, "load_bundle", lambda path, threads: Bundle(path, tokenizer, proposer, threshold=0.0)
    )
    suite = tmp_path / "suite.jsonl"
    keys = ("id", "buggy", "fixed", "category", "kind", "test", "project")
    fields = [
        dict(zip(keys, [i.item_id, i.buggy, i.fixed, i.category, i.kind, "", i.project], strict=True))
        for i in items
    ]
    suite.write_text("".join(json.dumps(row) + "\n" for row in fields))
    mutations = learn([(text(1, "+"), text(1, "-"), True)], 3)
    published = Path(__file__).parents[2] / "config" / "published.yaml"
    named = {"mine": SuiteSettings(str(suite), "json_lines", checksum(suite), published="humanevalpack")}
    out, rows = tmp_path / "suites.json", tmp_path / "suite_items.parquet"
    evaluate_suites(Path("none"), named, mutations, published, 1, out, rows)
    content = json.loads(out.read_text())
    assert real_suites_section(content).blocks[0].title.startswith("mine: "), (
        "the report reads this very file"
    )
    titles = [block.title for block in real_suites_section(content).blocks]
    assert "mine: false alarms on working code" in titles
    found = content["suites"]["mine"]
    table = pq.read_table(rows).to_pylist()
    right = [tokens(row["answers"][0]) == tokens(item.fixed) for row, item in zip(table, items, strict=True)]
    assert 0.3 < sum(right) / len(right) < 1
    assert found["all"]["exact_at_1"] == sum(right) / len(right)
    assert [row["exact_rank"] == 1 for row in table] == right
    minus = {item.item_id for item in items if " - " in item.fixed}
    ranks = {row["id"]: dict(row["references"])["inverse_mutation"] for row in table}
    assert {name for name, rank in ranks.items() if rank == 1} == minus, "what the one learned exchange mends"
    assert found["published"][0]["system"] == "SantaCoder"
    assert found["dropped"] == {} and found["asked"] == len(items) and found["license"]


def tokens(code: str) -> list[str]:
    return [
        token.string for token in tokenize.generate_tokens(io.StringIO(code.rstrip("\n") + "\n").readline)
    ]


def test_tests_say_what_exact_match_cannot(tokenizer, judge) -> None:
    test = "assert f1(5, 3) == 2\n"
    one = Item("one", text(1, "+"), text(1, "-"), "logic", test=test)
    other = {"def f1(a, b):\n    return a + b": "def f1(a, b):\n    return a % b"}  # 5 % 3 is 2 too
    found = judge(lambda state: [(other.get(state.text, state.text), -0.01)], [one])
    if found["tests"]["why_not_run"]:
        assert found["all"]["pass_at_1"] is None
        pytest.skip(found["tests"]["why_not_run"])
    assert (found["all"]["exact_at_1"], found["all"]["pass_at_1"]) == (0, 1)
    assert found["baselines"]["no_edit"]["pass_at_1"] == 0


def test_tests_that_hang_end_with_the_suites_time(tokenizer, monkeypatch) -> None:
    """Two tests end in a second each, the next hangs for as long as each point has: the last is not reached."""
    now = [0.0]

    def run(code: str, test: str, *_: Any, **__: Any) -> TestResult:
        now[0] += 1 if test == "ends" else 100
        return TestResult(" - " in code, "")

    monkeypatch.setattr("ctm.repair.evaluate.run_test", run)
    monkeypatch.setattr("ctm.repair.clock.time.monotonic", lambda: now[0])
    monkeypatch.setattr(real_suites, "unavailable", lambda: "")
    items = [  # the longest first
        Item(str(n), text(n, "+") + n * "# more\n", text(n, "-"), "logic", test=test)
        for n, test in ((4, "hangs"), (3, "hangs"), (2, "ends"), (1, "ends"))
    ]
    model = Bundle(
        Path("none"), tokenizer, FakeProposer(tokenizer, lambda s: [(s.text, -0.01)]), threshold=0.0
    )
    points = answerers(learn([(text(1, "+"), text(1, "-"), True)], 3))
    settings = replace(SETTINGS, test_seconds=100 * (1 + len(points)))
    found, judged = evaluate_suite(Loaded(items), settings, model, points, 1)
    assert found["tests"]["left_out"] == {OVER: 1} and found["tests"]["items"] == 4
    reached = [result.outcome.has_test for result in judged.results]
    assert reached == [False, True, True, True], "the longest item counts for no point"
    assert found["baselines"]["inverse_mutation"]["pass_at_1"] == 1 and found["all"]["pass_at_1"] == 0


def test_false_alarms_are_proposals_for_the_working_sides(items, judge) -> None:
    """24 repairs and 8 clean texts, each a function: eight minus, eight stars, eight percents, and plus."""
    fine = judge(lambda state: [(state.text, -0.01)])["working"]
    assert (fine["texts"], fine["functions"], fine["proposals"], fine["per_1000"]) == (32, 32, 0, 0.0)
    assert fine["interval"][0] == 0 < fine["interval"][1], (
        "no alarm in 32 functions does not show that there is none"
    )
    eager = judge(lambda state: [(state.text.replace(" - ", " + "), -0.01)], [*items, items[0]])["working"]
    assert (eager["proposals"], eager["functions"]) == (8, 32), "those with a minus"
    assert eager["per_1000"] == 250 and eager["interval"][0] < 250 < eager["interval"][1]
    assert eager["left_out"] == {"the same text as another item's": 1}
    broken = judge(lambda s: [(s.text, -0.01)], [Item("b", "x = (1\n", "x = 1)\n", "syntax")])["working"]
    assert broken["per_1000"] is None and broken["left_out"] == {"does not compile": 1}


def test_without_anybodys_fix_nothing_is_compared_with_it(tokenizer) -> None:
    loaded = Loaded([Item("bad", "x = (1\n", "", "syntax"), Item("good", "x = 1\n", "x = 1\n", "clean")])
    model = Bundle(
        Path("none"), tokenizer, FakeProposer(tokenizer, lambda s: [(s.text, -0.01)]), threshold=0.0
    )
    settings = SuiteSettings("unused", "bifi", "0" * 64)
    found, _ = evaluate_suite(loaded, settings, model, answerers(InverseMutations((), (), 0, 0)), 1)
    assert found["all"]["exact_at_1"] is None and found["all"]["same_tree"] is None and found["by"] is None
    assert found["all"]["n"] == 2 and found["all"]["false_alarm"] == 0 and found["all"]["bifi"] is not None
    assert found["working"]["texts"] == 1, "the good one; the bad one has no other side"
    assert found["baselines"]["single_token"]["bifi"] == 1 and found["baselines"]["no_edit"]["bifi"] == 0


def test_a_part_of_a_suite_is_the_same_part_every_time(items) -> None:
    assert drawn(items, 5) == drawn(items, 5) and len(drawn(items, 5)) == 5
    assert drawn(items, 0) == items == drawn(items, 1000)


# --- sizes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("buggy", "fixed", "tokens", "edits"),
    [
        ("x = 1\n", "x = 1\n", 0, 0),
        ("f(a, b)\n", "f(a, c)\n", 1, 1),
        ("f(a, b, c, d, e)\n", "f(A, b, c, d, E)\n", 2, 2),  # seven tokens between them
        ("f(a, b)\n", "f(A, B)\n", 2, 1),  # one token between them
    ],
)
def test_sizes_by_hand(buggy: str, fixed: str, tokens: int, edits: int) -> None:
    size = size_of(Item("1", buggy, fixed, "logic"))
    assert (size.tokens, size.edits, size.lines) == (tokens, edits, 1)


def test_ranges_have_readable_names() -> None:
    assert [bucket(n, (1, 2, 4)) for n in (0, 1, 2, 3, 4, 99)] == [
        "0",
        "1",
        "2-3",
        "2-3",
        "4 and more",
        "4 and more",
    ]


# --- names erased ---------------------------------------------------------------------------------------------------


def test_erased_tokens_keep_keywords_and_signs_alone() -> None:
    assert erased.erased("if x1 == 'a':\n    y = 3.5")[:6] == ("if", "NAME", "==", "STRING", ":", "<newline>")
    chosen = erased.choose([("print 'a'", "print('b')"), ("x = 1", "y = 2"), ("a(" * 50, "a(" * 49)])
    assert [edits for edits, _, _ in chosen.pairs] == [2], "two brackets; another word is none"
    assert chosen.dropped == {erased.OTHER_EDITS: 1, erased.TOO_LONG: 1}


# --- security -------------------------------------------------------------------------------------------------------

SHELL = "import subprocess\nsubprocess.run('ls ' + name, shell=True)\n"
SAFE = "import subprocess\nsubprocess.run(['ls', name])\n"
GONE = "import subprocess\n"
OTHER = "import subprocess\nsubprocess.run(['ls', name])\neval(name)\n"


@pytest.mark.parametrize(
    ("answer", "rule", "bandit"),
    [
        (SAFE, True, True),
        (SHELL, False, False),
        (GONE, False, True),
        (OTHER, False, False),
        ("x = (", False, False),
    ],
)
def test_a_weakness_is_mended_by_what_parses_keeps_the_place_and_breaks_nothing(
    answer: str, rule: bool, bandit: bool
) -> None:
    pytest.importorskip("bandit")
    item = Item("1", SHELL, SAFE, "security")
    (verdict,), why = judge_security([item], [answer])
    assert (verdict.rule, verdict.bandit, why) == (rule, bandit, "")


def test_what_nobody_sees_counts_for_nobody_and_without_bandit_the_reason_is_said(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "bandit.core", None)
    items = [Item("1", SHELL, SAFE, "security"), Item("2", "x = 1\n", "x = 2\n", "security")]
    verdicts, why = judge_security(items, [SAFE, "x = 2\n"])
    figures = security_figures(items, verdicts, why)
    assert figures["n"] == 2 and (figures["rule"]["seen"], figures["rule"]["share"]) == (1, 1.0)
    assert figures["bandit"] is None and "not installed" in figures["bandit_why"]
