"""The benchmark: figures agree with the items they come from, threads change nothing, an oracle reaches everything."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from ctm.bugs.generation.quotas import balance_mix
from ctm.bugs.settings import MutationSettings
from ctm.evaluation.averages import FIGURES
from ctm.evaluation.benchmark import benchmark, figures
from ctm.evaluation.items import read_items
from ctm.evaluation.repairs import CaseResult, repair_cases
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suites import prepare
from ctm.evaluation.working import SHAPE
from ctm.grid.edits import edits_between
from ctm.grid.packed import replacement_units
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.pairs.overall import FEWEST
from ctm.pairs.record import Origin, make_snippet, write_snippets
from ctm.repair.candidates import Candidate, CodeState, Proposal
from ctm.repair.evaluate import Item, judge_item
from ctm.repair.passes import Repairer

SETTINGS = EvaluationSettings(windows=12, tick_items=12, ranked_items=4, confidence_items=40, device="cpu")


@dataclass
class Oracle:
    """Knows the fixed text of everything on the way to it."""

    goals: dict[str, str]
    tokenizer: CodeTokenizer
    known: dict[str, str] = field(default_factory=dict)

    def propose(self, states: list[CodeState]) -> list[Proposal]:
        return [Proposal((self._candidate(state),), 0.9, 2) for state in states]

    def _candidate(self, state: CodeState) -> Candidate:
        goal = self.known.get(state.text) or self.goals.get(state.text, state.text)
        edits = edits_between(state.ids, self.tokenizer.encode(goal), self.tokenizer)
        if not edits:
            return Candidate(len(state.ids), len(state.ids), (), -0.01)
        edit, words = edits[0], state.packed.word_numbers.tolist()
        after = [*state.ids[: edit.start], *edit.tokens, *state.ids[edit.end :]]
        self.known[self.tokenizer.decode(after)] = goal
        units = [
            token if token >= 0 else self.tokenizer.vocab_size + words.index(word)
            for token, word in replacement_units(edit.tokens, state.packed, self.tokenizer)
        ]
        return Candidate(edit.start, edit.end, tuple(units), -0.01)


def test_an_oracle_reaches_everything_in_scope(items: list[Item], tokenizer: CodeTokenizer) -> None:
    cases = prepare(items, tokenizer)
    oracle = Oracle({i.buggy.rstrip("\n"): i.fixed.rstrip("\n") for i in items}, tokenizer)
    repairs = Repairer(oracle, tokenizer, 0.5).repair([item.buggy for item in items])
    judged = [
        CaseResult(case, judge_item(case.item, repair, case.reason), None)
        for case, repair in zip(cases, repairs, strict=True)
    ]
    shown = figures(judged, 4, 2.0)
    lost = sum(case.item.kind == "lost_colon" for case in cases)
    assert shown["accuracy"]["logic"] == shown["accuracy"]["clean"] == 1.0
    kinds = [min(1.0, n / FEWEST) for n in (lost, sum(case.item.kind == "two_errors" for case in cases))]
    assert shown["accuracy"]["syntax"] == pytest.approx(1 - kinds[0] / lost / sum(kinds)), (
        "one of a kind is out of scope: a failure"
    )
    assert (
        shown["unreachable"]["out_of_scope"] == 1
        and shown["intervals"]["units"]["overall"] == shown["n"]["overall"]
    )
    assert shown["coverage"]["syntax"] == shown["accuracy"]["syntax"]
    assert shown["by_kind"]["two_errors"]["accuracy"] == 1.0
    assert shown["edit_precision"] == 1.0 and shown["collateral_1"] == shown["over_deleted_5"] == 0.0
    assert shown["guarded_bifi"] == shown["bifi"] > 0.9 and shown["auroc"] == 1.0
    assert shown["false_alarm"] == 0.0 and shown["ticks_used"]["mean"] == 2.0
    assert all(set(shown[name]) == set(FIGURES) for name in ("accuracy", "coverage", "n"))


def test_threads_and_chunks_change_nothing(
    model: CTM, tokenizer: CodeTokenizer, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = prepare(items[:20], tokenizer)
    one = repair_cases(cases, model, tokenizer, 2.0, 0.5, 1, "one")
    monkeypatch.setattr("ctm.evaluation.repairs.CHUNK", 7)
    two = repair_cases(cases, model, tokenizer, 2.0, 0.5, 2, "two")
    assert [j.case for j in one] == [j.case for j in two] == cases, "in the order of the cases"
    for a, b in zip(one, two, strict=True):
        assert [r.text for r in a.evaluated.answers] == [r.text for r in b.evaluated.answers]


def test_thresholds_of_use_give_what_a_run_with_them_gives(
    model: CTM, tokenizer: CodeTokenizer, items: list[Item]
) -> None:
    cases = prepare(items, tokenizer)
    plain = repair_cases(cases, model, tokenizer, 2.0, -1.0, 1, "plain")
    certainty = np.concatenate([j.by_tick.certainty for j in plain if j.by_tick is not None])
    tick, edit = float(np.quantile(certainty, 0.3)), 1e-5
    both = repair_cases(cases, model, tokenizer, 2.0, -1.0, 1, "both", in_use=(tick, edit))
    alone = repair_cases(cases, model, tokenizer, tick, edit, 1, "alone")
    assert [j.evaluated.outcome for j in both] == [j.evaluated.outcome for j in plain]
    seen = 0
    for together, apart in zip(both, alone, strict=True):
        if together.case.item.category == "syntax":
            assert together.in_use is None
            continue
        ours, theirs = together.in_use.answers, apart.evaluated.answers
        assert [(a.text, a.stopped, a.ticks) for a in ours] == [(a.text, a.stopped, a.ticks) for a in theirs]
        seen += apart.evaluated.outcome.ticks != together.evaluated.outcome.ticks
    assert seen > 3, "thoughts that end early, or this shows nothing"


def quotas_in(folder: Path) -> Path:
    """Quotas of two kinds, from no snippets."""
    none, mix, out = folder / "snippets.parquet", folder / "mix.yaml", folder / "quotas.json"
    write_snippets(none, [])
    mix.write_text("missing_colon: 1\nunclosed_bracket: 1\n")
    balance_mix(none, MutationSettings(), mix, out)
    return out


def windows_of(path: Path, items: list[Item]) -> Path:
    """Fixed sides as working code of two projects in each split."""
    snippets = [
        make_snippet(item.fixed, SHAPE, f"project-{number % 4}", Origin(), ("validation", "test")[number % 2])
        for number, item in enumerate(items[:-1])
    ]
    write_snippets(path, snippets)
    return path


def test_report_and_items_agree(
    weights: Path, tokenizer: CodeTokenizer, items: list[Item], pairs_of, tmp_path: Path
) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    files = {name: pairs_of(tmp_path / f"{name}.parquet", part) for name, part in (
        ("validation", items[:20]), ("test", items[20:]), ("real", []))}  # fmt: skip
    out, rows = tmp_path / "benchmark.json", tmp_path / "items.parquet"
    benchmark(
        weights, tmp_path / "tokenizer.json", files["validation"], files["test"], files["real"],
        windows_of(tmp_path / "windows.parquet", items), quotas_in(tmp_path), SETTINGS, 2, out, rows,
        tmp_path / "validation_items.parquet",
    )  # fmt: skip
    report, table = json.loads(out.read_text()), read_items(rows).to_pylist()
    assert len(table) == len(items[20:]) and {row["suite"] for row in table} == {"test"}
    chosen_on = read_items(tmp_path / "validation_items.parquet").to_pylist()
    assert {row["suite"] for row in chosen_on} == {"validation"}
    assert len(chosen_on) == report["calibration"]["further"]["items"], "those that thresholds were chosen on"
    assert {row["project"] for row in table} == {"g"}
    logic = [row["exact"] for row in table if row["category"] == "logic"]
    assert report["accuracy"]["logic"] == np.mean(logic) and report["n"]["logic"] == len(logic)
    assert report["accuracy"]["security"] is None
    assert report["intervals"]["units"]["logic"] == 1 and report["intervals"]["accuracy"]["logic"] is None
    assert set(report["suite_intervals"]["test"]) < set(report["suites"]["test"])
    assert [tick for tick, _ in report["accuracy_by_tick"]] == [1, 2, 3, 4]
    assert all(0 <= value <= 1 for _, value in report["accuracy_by_tick"])
    assert 1 <= report["ticks_used"]["mean"] <= 4
    assert set(report["suites"]) == {"test"} and report["suites"]["test"]["n"] == len(table)
    assert set(report["deletion"]) == {"test"} and report["deletion"]["test"]["coverage"] == 1.0
    assert set(report["deletion"]["test"]) == set(report["suites"]["test"])
    edits = [row for row in table if row["changed"]]
    lost = np.mean([row["collateral"] > 0 for row in edits])
    assert report["collateral_1"] == report["suites"]["test"]["collateral_1"] == lost
    guarded = [row["guarded_bifi"] and row["in_scope"] for row in table if row["category"] == "syntax"]
    assert report["guarded_bifi"] == np.mean(guarded)
    assert all(row["project"] == "g" for row in table)
    assert all(row["broken"] for row in table if row["category"] == "syntax")
    shares = [row["share"] for row in table if row["broken"] and row["compiles"]]
    assert shares and None not in shares, "confidence before its curve is there too"
    assert all(row["share"] is None for row in table if not row["broken"])
    assert [one["precision"] for one in report["precision_thresholds"]] == [0.9, 0.95]
    assert all(one["confidence"] is None and one["reason"] for one in report["precision_thresholds"])
    assert report["thresholds"]["tick"] == report["calibration"]["tick"]["threshold"]
    shown = report["suggestions"]
    assert shown["validation"] == report["calibration"]["edit"]["validation"]
    for split, names in (("validation", {"project-0", "project-2"}), ("test", {"project-1", "project-3"})):
        assert set(shown[split]["projects"]) == names and shown[split]["windows"] == 12
    assert shown["validation"]["proposals"] == 0, "a dozen functions cannot show that 2 in 1,000 hold"
    assert shown["validation"]["high"] > shown["asked"] == 2.0
    assert report["ranked"]["n"] == 4 and report["ranked"]["exact_at_10"] >= report["ranked"]["exact_at_1"]
    out_of_scope = [row for row in table if not row["in_scope"]]
    assert [row["id"] for row in out_of_scope] and all(r["reason"] and not r["exact"] for r in out_of_scope)
    asked = [row for row in table if row["tick_right"] is not None]
    assert len(asked) == len(table) - len(out_of_scope) and all(len(r["tick_certainty"]) == 4 for r in asked)


def test_empty_test_set_is_refused(
    weights: Path, tokenizer: CodeTokenizer, items: list[Item], pairs_of, tmp_path: Path
) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    some, none = pairs_of(tmp_path / "some.parquet", items[:8]), pairs_of(tmp_path / "none.parquet", [])
    with pytest.raises(ValueError, match=r"none\.parquet: has no pairs"):
        benchmark(
            weights, tmp_path / "tokenizer.json", some, none, none, windows_of(tmp_path / "w.parquet", items),
            quotas_in(tmp_path), SETTINGS, 1, tmp_path / "b", tmp_path / "i", tmp_path / "v",
        )  # fmt: skip


def test_shares_that_are_none_are_refused() -> None:
    for name, value in (("prior", 5), ("proposals_per_1000", 0)):
        with pytest.raises(ValueError, match=name):
            TypeAdapter(EvaluationSettings).validate_python({name: value})
