"""The verdict: what is met, missed, undecided and untested, by hand; every criterion is judged and shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ctm.analysis.verdict.artifacts import Artifacts, Missing, find
from ctm.analysis.verdict.criterion import LEVELS, STATUSES, Bound, Criterion, Figure, Key, Scale, judge
from ctm.analysis.verdict.judge import CRITERIA, judge_criteria, verdict
from ctm.analysis.verdict.page import row, shown
from ctm.analysis.verdict.scales import STAGES
from ctm.pipeline.verdict_section import verdict_section


def run_of(folder: Path, **contents: Any) -> Artifacts:
    """Artifacts by name; "." stands for "/"."""
    paths = []
    for name, content in contents.items():
        path = folder / f"{name.replace('.', '/')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        paths.append(path)
    return Artifacts(folder, paths)


@pytest.mark.parametrize(
    ("sign", "value", "interval", "status"),
    [
        (">", 0.80, (0.76, 0.84), "met"),
        (">", 0.80, (0.74, 0.86), "not decided"),
        (">", 0.70, (0.64, 0.76), "not decided"),
        (">", 0.70, (0.66, 0.74), "not met"),
        (">", 0.75, None, "not met"),
        (">=", 0.75, None, "met"),
        ("<", 0.74, None, "met"),
        ("<", 0.74, (0.70, 0.75), "not decided"),
        ("<=", 0.74, (0.70, 0.75), "met"),
        ("about", 0.80, (0.1, 0.9), "met"),
        ("about", 0.90, None, "not met"),
    ],
)
def test_a_figure_is_judged_by_the_whole_of_its_interval(
    sign: Any, value: float, interval: tuple[float, float] | None, status: str
) -> None:
    assert Bound(sign, 0.75).judge(Figure(value, interval)) == status


def test_a_smaller_run_meets_nothing_of_full_scale_and_keeps_its_figure(tmp_path: Path) -> None:
    run = run_of(tmp_path, a={"accuracy": 0.9, "ends": [0.85, 0.95], "n": 40, "samples": 160_000})
    asked = Criterion(
        "x", "minimum", "accuracy", Bound(">", 0.75), Key("a.json", "accuracy", "ends", "n"),
        (Scale("samples", Key("a.json", "samples"), 2_000_000),),
    )  # fmt: skip
    found = judge(asked, run)
    assert (found.status, found.reason) == ("not tested at this scale", "160,000 of 2,000,000 samples")
    assert found.figure == Figure(0.9, (0.85, 0.95), 40)
    of_unknown = judge(
        Criterion(**{**vars(asked), "needs": (Scale("samples", Key("b.json", "samples"), 1),)}), run
    )
    assert of_unknown.status == "not tested at this scale" and "no such artifact: b.json" in of_unknown.reason
    whole = run_of(tmp_path, a={"accuracy": 0.9, "ends": [0.85, 0.95], "samples": 1_990_000})
    assert judge(asked, whole).status == "met", "samples are cut to whole batches"


def test_what_is_not_there_is_not_tested_and_never_met(tmp_path: Path) -> None:
    found = verdict(Artifacts(tmp_path, []))
    assert {one["status"] for one in found["criteria"]} == {"not tested"}
    assert all(one["reason"] for one in found["criteria"])
    gone = tmp_path / "reports/benchmark.json"
    assert verdict(Artifacts(tmp_path, [gone]))["counts"]["all"] == {"not tested": len(CRITERIA)}
    strange = run_of(tmp_path, **{name: {"format_version": 9} for name in ALL_NAMES})
    counts = verdict(strange)["counts"]["all"]
    assert "met" not in counts and "not met" not in counts, "an artifact of another form decides nothing"


ALL_NAMES = (
    "reports.benchmark", "reports.comparison", "reports.certainty", "reports.iterations", "reports.synchronization",
    "reports.baseline", "reports.validation", "reports.onnx", "trm.summary", "pairs.counts",
    "mutants.01-of-01", *(f"training.{stage.name}.summary" for stage in STAGES),
)  # fmt: skip


def test_values_are_found_by_path() -> None:
    content = {
        "milestones": [{"milestone": "25%", "accuracy": {"syntax": 0.0}}],
        "all items": [1, None],
        "no": False,
    }
    assert find(content, "milestones[milestone=25%].accuracy.syntax") == 0
    assert find(content, "all items.0") == 1 and find(content, "no") is False
    for path in (
        "milestones[milestone=50%].accuracy",
        "all items.1",
        "all items.7",
        "no.further",
        "milestones.x",
    ):
        with pytest.raises(Missing, match="has no"):
            find(content, path)


def full_run(folder: Path, accuracy: float) -> Artifacts:
    """A run of full scale whose accuracies are all the same, and sure to five points."""
    ends, n = (
        [accuracy - 0.05, accuracy + 0.05],
        {"syntax": 5000, "logic": 5000, "security": 2000, "overall": 13_000},
    )
    named = dict.fromkeys((*n, "complex"), accuracy)
    stages = {
        f"training.{stage.name}.summary": {
            "samples_seen": 2 * stage.samples, "unique_samples": stage.samples, "seconds": 3600.0,
            "samples_per_second": 9.0, "parameters": {"body": 15_041_000}, "machine": {"vram_peak_gb": 80.0},
            "events": [],
            "settings": {"stage": {"ticks": stage.ticks, "samples": stage.samples}},
            "milestones": [
                {"milestone": place, "loss": loss, "accuracy": named, "gain_per_tick": 0.001}
                for place, loss in (("25%", 3.0), ("50%", 2.0), ("75%", 1.9), ("100%", 1.8))
            ],
        }
        for stage in STAGES
    }  # fmt: skip
    apart = {name: {"value": 0.02, "interval": [-0.01, 0.05]} for name in named}
    return run_of(
        folder,
        **stages,
        **{
            "reports.benchmark": {
                "accuracy": named, "intervals": {"accuracy": dict.fromkeys(named, ends)}, "n": n, "ece": 0.04,
                "parameters": {"body": 15_041_000}, "accuracy_by_tick": [[1, 0.5], [64, 0.75]], "auroc": 0.8,
            },
            "trm.summary": {
                "unique_samples": 1_000_000, "parameters": {"body": 7_700_000}, "seconds": 9.0,
                "samples_per_second": 4.0, "settings": {"stage": {"ticks": 8}},
            },
            "reports.comparison": {
                "items": 5000, "models": {"TRM": {"accuracy": {"overall": 0.7}}},
                "pairs": [{"first": "CTM", "comparable": True, "equality": "", "difference": {"accuracy": apart}}],
            },
        },
    )  # fmt: skip


def test_a_run_of_full_scale_is_judged(tmp_path: Path) -> None:
    status = {one["id"]: one["status"] for one in verdict(full_run(tmp_path, 0.81))["criteria"]}
    assert status["minimum-memory"] == status["minimum-iterations"] == status["minimum-accuracy"] == "met"
    assert status["minimum-trm"] == "met", "surely less than two points behind"
    assert status["target-trm-logic"] == "not decided" and status["target-logic"] == "met"
    assert status["4.1-syntax"] == "not met" and status["4.1-security"] == "not decided"
    assert status["stage1-checkpoint-25-loss"] == "met" and status["stage1-expected-100-syntax"] == "not met"
    assert status["target-ece"] == "met", "the coarser figure, where the finer one is not there"
    assert status["ctm-parameters"] == "met" and status["trm-parameters"] == "met", "about 7 M"
    assert status["trm-accuracy"] == "not met" and status["target-sync"] == "not tested"
    assert status["stage1-descent"] == "met"


def test_ahead_of_each_control_is_judged_by_all_of_them(tmp_path: Path) -> None:
    """The least difference is surely above 0, a larger one is not: then 'ahead of each' is not shown."""
    controls = {
        "length": {"value": 0.05, "interval": [0.01, 0.09], "n": 40},
        "encoder pool": {"value": 0.06, "interval": [-0.02, 0.14], "n": 40},
    }

    def target(ahead: dict[str, Any]) -> Any:
        run = run_of(
            tmp_path, **{"reports.synchronization": {"category": {"code that compiles": {"ahead of": ahead}}}}
        )
        asked = next(one for one in CRITERIA if one.id == "target-sync")
        figure = asked.source(run)
        return figure, asked.bound.judge(figure)

    figure, status = target(controls)
    assert (figure.value, figure.interval, status) == (0.05, (-0.02, 0.09), "not decided")
    assert target({"length": controls["length"]})[1] == "met"
    behind = {"value": -0.05, "interval": [-0.09, -0.01], "n": 40}
    assert target({**controls, "diagnosis class": behind})[1] == "not met"


def test_an_analysis_that_could_say_nothing_is_not_made(tmp_path: Path) -> None:
    said = {"value": 0.5}
    figures = {
        "category": {"all items": {"synchronization": said}, "by tick": [{"tick": 1}]},
        "success": {"synchronization": said}, "ablation": {"n": 3, "why": "too few"},
        "place": {"n": 9, "by group": {"all": {"synchronization": {"1": said}}}},
    }  # fmt: skip
    asked = next(one for one in CRITERIA if one.id == "4.2-analyses")
    judged = judge(asked, run_of(tmp_path, **{"reports.synchronization": figures}))
    assert judged.status == "not met" and judged.figure is not None and judged.figure.value == 4
    assert judged.figure.note == "lacking: ablation.by share.0"
    whole = {**figures, "ablation": {"by share": [{"share": 0.01}]}}
    assert judge(asked, run_of(tmp_path, **{"reports.synchronization": whole})).status == "met"


def test_the_gain_of_the_last_quarter_is_judged_by_its_interval(tmp_path: Path) -> None:
    asked = next(one for one in CRITERIA if one.id == "4.3-complex")
    by_tick = {"accuracy_by_tick": {"complex": [0.1, 0.2, 0.3, 0.301]}, "n": {"complex": 900}}
    found = {"gain": 0.001, "interval": [-0.01, 0.012]}
    paired = {**by_tick, "expectations": [{"category": "complex", "found": found}]}
    figure = asked.source(run_of(tmp_path, **{"reports.iterations": paired}))
    assert asked.bound.judge(figure) == "not decided" and figure.n == 900
    alone = asked.source(run_of(tmp_path, **{"reports.iterations": by_tick}))
    assert alone.value == pytest.approx(0.001) and alone.interval is None


def test_scaling_is_asked_for_at_the_ticks_of_the_specification(tmp_path: Path) -> None:
    """Five other numbers of ticks are not those five."""
    asked = next(one for one in CRITERIA if one.id == "4.1-scaling")

    def found(ticks: tuple[int, ...]) -> Figure:
        rows = [{"ticks": one, "flops": 9 * one} for one in ticks]
        return asked.source(
            run_of(tmp_path, **{"reports.iterations": {"followed": {"scaling": rows, "items": 1000}}})
        )

    other = found((1, 2, 3, 4, 8, 64))
    assert (other.value, other.note) == (2, "lacking: 16, 32, 48") and asked.bound.judge(other) == "not met"
    assert asked.bound.judge(found((8, 16, 32, 48, 64, 128))) == "met"


def test_certainty_is_judged_by_certainty_and_posts_by_a_run_of_full_scale(tmp_path: Path) -> None:
    by_id = {one.id: one for one in CRITERIA}
    certainty = {"auroc": 0.52, "auroc_interval": [0.49, 0.55], "n": 300}
    figures = {"suites": {"test": {"questions": {"first edit": {"certainty": certainty}}}}}
    asked = by_id["stage2-certainty"]
    benchmark = {"reports.benchmark": {"auroc": 0.81}}
    both = asked.source(run_of(tmp_path, **benchmark, **{"reports.certainty": figures}))
    assert both.value == 0.52 and asked.bound.judge(both) == "not decided"
    assert "no certainty" in asked.source(run_of(tmp_path, **benchmark)).note
    small = {"settings": {"stage": {"samples": 32_000}}}
    counts = tmp_path / "raw/stackoverflow/1-of-1.counts.json"
    counts.parent.mkdir(parents=True)
    counts.write_text('{"items": 50}')
    run = Artifacts(
        tmp_path, [counts, *run_of(tmp_path, **{"training.stage4.summary": small}).paths.values()]
    )
    assert judge(by_id["1.3-pairs"], run).status == "not tested at this scale"


def test_no_verdict_is_read_from_unequal_trainings(tmp_path: Path) -> None:
    run = full_run(tmp_path, 0.81)
    comparison = dict(run.read("reports/comparison.json"))
    pair = {
        **comparison["pairs"][0],
        "comparable": False,
        "equality": "Not comparable: 32 times the samples.",
    }
    unequal = run_of(tmp_path, **{"reports.comparison": {**comparison, "pairs": [pair]}})
    both = Artifacts(tmp_path, [*run.paths.values(), *unequal.paths.values()])
    found = {one["id"]: one for one in verdict(both)["criteria"]}["minimum-trm"]
    assert found["status"] == "not tested" and found["found"] == 0.02, "the figure stands there all the same"
    assert found["reason"].startswith("Not comparable: 32 times the samples.")


def test_every_criterion_is_on_the_page_and_in_the_report(tmp_path: Path) -> None:
    run = full_run(tmp_path / "results", 0.81)
    out, page = tmp_path / "success_criteria.json", tmp_path / "success_criteria.md"
    judge_criteria(list(run.paths.values()), tmp_path / "results", out, page)
    found = json.loads(out.read_text())
    assert len({one["id"] for one in found["criteria"]}) == len(CRITERIA) == len(found["criteria"])
    text, section = page.read_text(), verdict_section(found)
    cells = [
        [cell.text for cell in line] for block in section.blocks if block.table for line in block.table.rows
    ]
    for one in found["criteria"]:
        assert "| " + " | ".join(row(one)) + " |" in text, one["id"]
        assert row(one) in cells, one["id"]
    assert all(status in text for status in STATUSES) and all(title in text for title in LEVELS.values())
    success = sum(one["level"] in ("minimum", "target", "stretch") for one in found["criteria"])
    assert f"Of {success} success criteria" in text and f"Of {success} success criteria" in section.note
    assert sum(found["counts"]["all"].values()) == len(CRITERIA)


def test_figures_read_well() -> None:
    assert [shown(*one) for one in ((0.75, "share"), (0.00001, "share"), (-0.021, "points"), (15e6, "count"))] == [
        "75.0%", "0.001%", "-2.1 points", "15,000,000",
    ]  # fmt: skip
    judged = Figure(0.8123, (0.79, 0.83), 1234)
    one = {
        "criterion": "c", "expected": {"sign": ">", "value": 0.75, "unit": "share"}, "found": judged.value,
        "interval": judged.interval, "n": judged.n, "status": "met", "reason": "", "note": "of whole repairs",
    }  # fmt: skip
    assert row(one) == ["c", "over 75.0%", "81.2%", "79.0 to 83.0%", "1,234", "met", "of whole repairs"]
