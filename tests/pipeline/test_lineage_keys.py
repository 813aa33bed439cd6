"""What of the configuration counts: keys that change no result run nothing again, files count by content."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctm.pipeline.config import overlay, parse_config, section
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.idle_keys import IDLE
from ctm.pipeline.lineage import ENDS, Lineage
from ctm.pipeline.steps import DUMP

ROOT = Path(__file__).resolve().parents[2]
FULL = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
PATHS = {path for path, reason in IDLE.items() if reason == "the file counts by its content"}


@pytest.fixture(autouse=True)
def no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is the same all along, and to read it takes most of the time."""
    monkeypatch.setattr("ctm.pipeline.lineage.Code.digests", lambda self, script: {"program": script.name})


def lineages(*changes: dict[str, Any]) -> dict[str, str]:
    """Lineage of each step of the full configuration with changes laid over it."""
    values = copy.deepcopy(FULL)
    for change in changes:
        overlay(values, copy.deepcopy(change))
    lineage = Lineage(parse_config(values), ROOT)
    return {step: lineage.of(step) for step in lineage.steps}


def nested(path: str, value: Any) -> dict[str, Any]:
    """{"a": {"b": value}} of "a.b"."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def changed_steps(*changes: dict[str, Any], before: tuple[dict[str, Any], ...] = ()) -> set[str]:
    """Steps that run again."""
    old, new = lineages(*before), lineages(*before, *changes)
    return {step for step in new if old.get(step) != new[step]}


STACK_OVERFLOW = {
    "sources": {"stackoverflow": {"enabled": True, "accept_dump_terms": True, "api": {"questions": 9}}}
}


@pytest.mark.parametrize("path", sorted(IDLE.keys() - PATHS))
def test_a_key_that_changes_no_result_runs_nothing_again(path: str) -> None:
    config = parse_config(FULL)
    value = section(config, path)
    assert isinstance(value, (int, float)), "what no number is needs a test of its own"
    before = (STACK_OVERFLOW,) if "stackoverflow" in path else ()
    assert changed_steps(nested(path, 2 * value + 2), before=before) == set()


def test_another_target_trains_nothing() -> None:
    """Whoever shows what was reached compares it with the targets at hand; the trainer knows none."""
    shown = {"model_card", "report", "provenance"}
    asked = {"milestones": {"75%": {"syntax": 0.01}}}
    assert changed_steps({"training": {"stages": {"stage1": asked}}}) == shown
    assert changed_steps({"training": {"stages": {"stage4": {"milestones": None}}}}) == shown
    assert changed_steps({"trm": {"stage": asked}}) == set(), "the dashboard alone shows the baseline's"


def test_keys_beside_them_do_count() -> None:
    """So that the test above can fail: each section is still looked at."""
    assert "train_stage1" in changed_steps({"training": {"clip": 0.4}})
    assert "encode_shard" in changed_steps({"grids": {"train_shards": 8}})
    assert "mutate" in changed_steps({"bugs": {"per_snippet": 7}})
    assert "train_stage4" in changed_steps({"model": {"width": 256}})
    assert "train_trm" in changed_steps({"trm": {"model": {"width": 256}}})
    assert "collect_releases" in changed_steps({"sources": {"releases": {"max_alike": 9}}})
    assert "discover_repositories" in changed_steps({"sources": {"github": {"min_stars": 9}}})
    more = {"sources": {"stackoverflow": {"api": {"questions": 10}}}}
    assert "collect_stackoverflow" in changed_steps(more, before=(STACK_OVERFLOW,))


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("bugs.mix", "balance_mix"),
        ("sources.packages.pins", "collect_packages"),
        ("sources.releases.pins", "collect_releases"),
    ],
)
def test_an_equal_file_elsewhere_runs_nothing_again(path: str, step: str, tmp_path: Path) -> None:
    other = tmp_path / f"other{Path(section(parse_config(FULL), path)).suffix}"
    shutil.copyfile(ROOT / section(parse_config(FULL), path), other)
    assert changed_steps(nested(path, str(other))) == set()
    with other.open("a", encoding="utf-8") as file:
        file.write("new_kind: 1\n" if other.suffix == ".yaml" else "new,1.0\n")
    assert step in changed_steps(nested(path, str(other)))


def test_a_list_and_a_suite_count_by_content(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text("url\n", encoding="utf-8")
    for path, step in (("sources.github.listed", "discover_repositories"),
                       ("quality.decontamination.suites.mine", "build_pairs")):  # fmt: skip
        one, two = (nested(path, str(tmp_path / name)) for name in ("one", "two"))
        assert changed_steps(two, before=(one,)) == set()
        assert step in changed_steps(one), "a list where there was none"
        (tmp_path / "two").write_text("url\nhttps://example.org/x\n", encoding="utf-8")
        assert step in changed_steps(two, before=(one,))
        (tmp_path / "two").write_text("url\n", encoding="utf-8")


def test_all_paths_are_tested_here() -> None:
    tested = {"bugs.mix", "sources.packages.pins", "sources.releases.pins", "sources.github.listed"}
    tested |= {"quality.decontamination.suites", *(f"sources.stackoverflow.{name}" for name in DUMP)}
    assert tested == PATHS


@pytest.mark.parametrize("name", DUMP)
def test_another_dump_is_read_again(name: str, tmp_path: Path) -> None:
    """By size, first and last MB: a copy with another time and another name is the same dump."""
    dumps = {key: tmp_path / f"{key}.xml" for key in DUMP}
    for path in dumps.values():
        path.write_bytes(b"a" * (3 * ENDS))
    entry = {"enabled": True, "accept_dump_terms": True, **{key: str(path) for key, path in dumps.items()}}
    before = ({"sources": {"stackoverflow": entry}},)
    first = lineages(*before)

    def moved(content: bytes) -> dict[str, str]:
        (tmp_path / "moved").write_bytes(content)
        return lineages(*before, nested(f"sources.stackoverflow.{name}", str(tmp_path / "moved")))

    assert moved(b"a" * (3 * ENDS)) == first
    for content in (
        b"a" * (3 * ENDS + 1),
        b"b" + b"a" * (3 * ENDS - 1),
        b"a" * (3 * ENDS - 1) + b"b",
        b"",
    ):
        now = moved(content)
        assert now["collect_stackoverflow"] != first["collect_stackoverflow"]
        assert now["build_pairs"] != first["build_pairs"] and now["mutate"] == first["mutate"]
    with pytest.raises(ConfigError, match=r"none\.xml: cannot be read"):
        lineages(*before, nested(f"sources.stackoverflow.{name}", str(tmp_path / "none.xml")))


def test_threads_count_where_they_decide_bits() -> None:
    """Weights differ in their last digits from one number of threads to the next; other resources change nothing."""
    for step in ("train_stage2", "train_trm", "validate_model", "check_onnx"):
        assert step in changed_steps({"resources": {step: {"threads": 3}}}), step
        other = {"mem_gb": 7, "vram": 7, "gpu_percent": 7, "runtime": 7, "disk": "low", "network_mbps": 7}
        assert changed_steps({"resources": {step: other}}) == set()
    for step in ("mutate", "train_tokenizer", "encode_shard", "benchmark", "baseline", "compare_trm"):
        assert changed_steps({"resources": {step: {"threads": 3}}}) == set(), step
