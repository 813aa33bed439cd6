"""The picture of a run's rules: which are done, under the lineage they have now, and what each waits for."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from ctm.pipeline import rule_graph
from ctm.pipeline.ledger import Entry
from ctm.pipeline.rule_graph import direct, dot_text, rules_block, rules_of
from helpers.dashboard_run import BEGUN, entry


def lineages(run: Path, parents: dict[str, list[str]]) -> None:
    """What a start of Snakemake writes down."""
    folder = run / "results/provenance/lineage"
    folder.mkdir(parents=True, exist_ok=True)
    for step, above in parents.items():
        record = {"step": step, "lineage": f"{step}-now", "parents": dict.fromkeys(above, "x")}
        (folder / f"{step}.json").write_text(json.dumps(record), encoding="utf-8")


def ended(rule: str, lineage: str = "", status: str = "done", shard: str = "") -> Entry:
    """A line of the ledger."""
    made = entry(rule, BEGUN, BEGUN)
    return dataclasses.replace(
        made, lineage=lineage or f"{rule}-now", status=status, wildcards=(shard,) if shard else ()
    )


def test_only_what_ended_under_today_s_lineage_is_done(tmp_path: Path) -> None:
    lineages(tmp_path, {"mutate": [], "build_pairs": ["mutate"], "benchmark": ["build_pairs"]})
    rules = rules_of(
        tmp_path,
        [
            ended("mutate", shard="1"), ended("mutate", shard="2"), ended("mutate", shard="2"),
            ended("build_pairs", lineage="of another rate"),
            ended("benchmark"), ended("benchmark", status="failed"),
        ],
    )  # fmt: skip
    assert rules.jobs_done == {"mutate": 2, "benchmark": 1}, "a shard that was made twice is one"
    assert [rules.is_done(rule) for rule in ("mutate", "build_pairs", "benchmark")] == [True, False, False]
    text = dot_text(rules, {"build_pairs"}, {"mutate": 3})
    assert '"mutate" [label="mutate\\n2 of 3"' in text and "filled,bold" in text
    assert '"mutate" -> "build_pairs"' in text


def test_arrows_that_follow_from_others_are_left_out() -> None:
    parents = {"a": frozenset(), "b": frozenset("a"), "c": frozenset("ab"), "d": frozenset({"c", "gone"})}
    assert direct(parents) == {("a", "b"), ("b", "c"), ("c", "d")}


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_it_is_drawn(tmp_path: Path) -> None:
    lineages(tmp_path, {"mutate": [], "build_pairs": ["mutate"]})
    block = rules_block(rules_of(tmp_path, []))
    assert block is not None and "build_pairs" in block.drawing and "<script" not in block.drawing
    assert 'fill="none"' in block.drawing or "polygon" in block.drawing


def test_without_graphviz_it_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_graph.shutil, "which", lambda name: None)
    lineages(tmp_path, {"mutate": []})
    block = rules_block(rules_of(tmp_path, []))
    assert block is not None and not block.svg and "graphviz is not installed" in block.note
    assert rules_block(rules_of(tmp_path / "nothing", [])) is None
