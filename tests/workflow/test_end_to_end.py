"""The whole workflow for real, on a little real code and a git history of one fix: config/test.yaml."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.fake_checkout import ROOT

pytestmark = pytest.mark.end_to_end

BEFORE = """\
def mean(values):
    total = 0
    for value in values:
        total = value
    return total / len(values)
"""
AFTER = BEFORE.replace("total = value", "total += value")
BUNDLE = (
    "ctm.onnx",
    "ctm_code_repair_final.pt",
    "tokenizer.json",
    "final_config.yaml",
    "final_metrics.json",
    "MODEL_CARD.md",
)


def git(repository: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=repository, check=True, capture_output=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; one of its two repositories does not exist."""
    folder = tmp_path_factory.mktemp("end_to_end")
    repository = folder / "statistics-kit"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    (repository / "LICENSE").write_text((ROOT / "LICENSE").read_text())
    for text, message in ((BEFORE, "Add mean"), (AFTER, "Fix mean: sum the values")):
        (repository / "mean.py").write_text(text)
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", message)
    overlay = folder / "overlay.yaml"
    repositories = [str(repository), str(folder / "nowhere")]
    overlay.write_text(yaml.safe_dump({"sources": {"commits": {"repositories": repositories}}}))
    snakemake(folder, overlay)
    return folder


def snakemake(folder: Path, overlay: Path) -> str:
    files = [ROOT / "config/config.yaml", ROOT / "config/test.yaml", overlay]
    command = [sys.executable, "-m", "snakemake", "all", "--configfile", *map(str, files)]
    command += ["--cores", "2", "--retries", "0", "--directory", str(folder / "run")]
    (folder / "run").mkdir(exist_ok=True)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout + done.stderr


def test_bundle_report_and_plot_are_there(run: Path) -> None:
    results = run / "run" / "results"
    for name in BUNDLE:
        assert (results / "final" / name).stat().st_size > 0, name
    assert (results / "reports" / "accuracy_by_tick.png").read_bytes().startswith(b"\x89PNG")
    for name in ("reliability.png", "risk_coverage.png"):
        assert (results / "reports" / name).read_bytes().startswith(b"\x89PNG")
    assert (results / "reports" / "iteration_progression.gif").read_bytes().startswith(b"GIF89a")
    metrics = json.loads((results / "final" / "final_metrics.json").read_text())
    assert [one["precision"] for one in metrics["precision_thresholds"]] == [0.9, 0.95]
    for name in ("accuracy", "coverage", "n"):
        assert metrics[name].keys() == {"syntax", "logic", "security", "complex", "clean", "overall"}
    for name in (
        "ece",
        "accuracy_by_tick",
        "ticks_used",
        "parameters",
        "samples_seen",
        "train_samples_per_second",
    ):
        assert name in metrics


def test_synchronization_is_analyzed(run: Path) -> None:
    reports = run / "run" / "results" / "reports"
    figures = json.loads((reports / "synchronization.json").read_text())
    assert {"category", "place", "ablation", "success", "patching", "collapse"} <= figures.keys()
    assert (reports / "sync_heatmaps.png").read_bytes().startswith(b"\x89PNG")
    assert len((reports / "neuron_importance.csv").read_text().splitlines()) == 1 + figures["pairs"]
    assert (reports / "sync_interpretation_report.md").read_text().count("\n## ") == 6
    assert "Has it collapsed?" in (run / "run" / "results" / "report.html").read_text()


def test_the_trm_answers_the_same_test_items(run: Path) -> None:
    results = run / "run" / "results"
    assert (results / "trm" / "trm.safetensors").stat().st_size > 0
    report = json.loads((results / "reports" / "comparison.json").read_text())
    models = report["models"]
    assert {"CTM", "TRM"} <= models.keys() <= {"CTM", "TRM", *(f"CTM after stage{n}" for n in (1, 2, 3))}
    assert models["TRM"]["architecture"] == "trm"
    assert len({model["n"]["overall"] for model in models.values()}) == 1
    assert "CTM and TRM" in (results / "report.html").read_text()


def test_source_that_fails_is_reported_and_the_others_go_on(run: Path) -> None:
    page = (run / "run" / "results" / "report.html").read_text()
    assert "Sources that failed" in page
    assert "nowhere" in page
    counts = json.loads((run / "run" / "results" / "pairs" / "counts.json").read_text())
    assert "commit" in json.dumps(counts), "the fix in the git history is among the pairs"


def test_bundle_is_all_that_the_command_needs(run: Path) -> None:
    command = [str(Path(sys.executable).with_name("ctm-repair")), "fix", "-", "--diff"]
    command += ["--bundle", str(run / "run" / "results" / "final")]
    done = subprocess.run(command, input="def f(:\n    pass\n", capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 3), done.stderr  # a model this small may find nothing


def test_second_run_has_nothing_to_do(run: Path) -> None:
    assert "Nothing to be done" in snakemake(run, run / "overlay.yaml")
