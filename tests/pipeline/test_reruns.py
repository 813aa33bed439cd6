"""docs/reruns.md says of every key of the config which rules run again, and says the truth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from ctm.pipeline.config import parse_config
from ctm.pipeline.reruns import Difference, alternatives, walk
from ctm.pipeline.reruns_page import PAGE, everything_on, page_of
from ctm.pipeline.steps import WorkflowStep, steps

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def table() -> dict[str, WorkflowStep]:
    return steps(parse_config(everything_on(ROOT)))


@pytest.fixture(scope="module")
def changes() -> list[Difference]:
    """Every key of the config, changed."""
    return list(walk(everything_on(ROOT), ROOT))


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def table_of(heading: str) -> list[list[str]]:
    """Rows of the table below a heading of the page, as it lies there."""
    part = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def shown_as(key: str, keys: Mapping[str, list[str]]) -> str:
    """The key itself where the page has it, or else the nearest section of it."""
    parts = key.split(".")
    sections = [".".join(parts[:i]) + ".*" for i in range(len(parts) - 1, 0, -1)]
    return next(name for name in (key, *sections) if name in keys)


def documented(key: str, keys: Mapping[str, list[str]], follow: Mapping[str, list[str]]) -> set[str]:
    """The rules that a reader of the page would expect to run when a key changes."""
    waiting = list(keys[shown_as(key, keys)])
    found: set[str] = set()
    while waiting:
        rule = waiting.pop()
        found.add(rule)
        waiting += [other for other in follow.get(rule, []) if other not in found]
    return found


def test_the_page_is_what_the_code_says(changes: list[Difference], table: dict[str, WorkflowStep]) -> None:
    assert page_of(changes, table) == TEXT, "stale; run `ctm-pipeline schema --write`"


def test_every_key_runs_the_rules_that_the_page_names(changes: list[Difference]) -> None:
    """Read as a person reads it: the key's row, or its section's, and what follows from there."""
    keys = {name: names(row[1]) for row in table_of("Keys") for name in names(row[0])}
    follow = {names(row[0])[0]: names(row[1]) for row in table_of("What follows a rule")}
    refused = {change.key.name for change in changes if change.rules is None}
    said = {name for row in table_of("Keys") if row[1].startswith("refused") for name in names(row[0])}
    assert refused == {change.key.name for change in changes if shown_as(change.key.name, keys) in said}
    for change in changes:
        if change.rules is not None:
            assert documented(change.key.name, keys, follow) == change.rules, change.key.name
    assert len(changes) > 300, "all keys of all sections, those of each stage too"


def test_the_machine_and_resources_run_nothing_and_a_rate_its_stage(changes: list[Difference]) -> None:
    rules = {change.key.name: change.rules for change in changes}
    assert rules["machine.vram"] == rules["resources.train_stage1.mem_gb"] == frozenset()
    rate = rules["training.stages.stage3.learning_rate"]
    assert rate and {"train_stage3", "train_stage4", "report"} <= rate and "train_stage2" not in rate


def test_other_values_are_other_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "b.csv").touch()
    assert next(alternatives("a.csv", str, tmp_path)) == "b.csv"
    assert next(alternatives(None, int | None, tmp_path)) == 2
    assert next(alternatives((1, 2), tuple[int, ...], tmp_path)) == [1]
    assert False in alternatives(True, bool, tmp_path)
