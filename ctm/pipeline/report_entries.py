"""What Snakemake's own report (`snakemake --report`) shows of a run: each picture, page and table, with its caption.

Snakemake takes it from `report(…)` around an output; here it is a table, so that no result is forgotten and all have
the same labels. Captions are reStructuredText in workflow/report/. Flags of outputs are semi-private: Snakemake's
version is pinned, and tests/workflow/test_snakemake_report.py holds what is used here.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from snakemake.io import ReportObject, flag
from snakemake.sourcecache import infer_source_file

from ctm.pipeline.module import own_rules

CAPTIONS = "workflow/report"
KINDS = {".png": "picture", ".gif": "picture", ".html": "page", ".md": "page", ".csv": "table"}
"""Kinds of results that a reader can open, by the end of their names; others are data."""
SHOWN = {
    "results/report.html": ("Overview", "everything on one page"),
    "results/final/MODEL_CARD.md": ("Overview", "model card"),
    "results/reports/success_criteria.md": ("Overview", "verdict on each criterion"),
    "results/reports/data_card.html": ("Data", "what the pairs are"),
    "results/raw/repositories/repositories.csv": ("Data", "repositories that were looked for"),
    "results/bug_mix/bug_mix.md": ("Data", "weights of kinds, fitted on real fixes"),
    "results/reports/validation.md": ("Model", "checks before training"),
    "results/reports/validation.png": ("Model", "checks before training, drawn"),
    "results/reports/baseline.md": ("Model", "untrained model"),
    "results/reports/baseline.png": ("Model", "untrained model, drawn"),
    "results/reports/accuracy_by_tick.png": ("Iterations", "accuracy by tick"),
    "results/reports/flips_by_tick.png": ("Iterations", "answers that change by tick"),
    "results/reports/early_exit.png": ("Iterations", "accuracy against ticks spent"),
    "results/reports/iteration_progression.gif": ("Iterations", "one thought, moving"),
    "results/reports/iteration_progression.png": ("Iterations", "one thought, still"),
    "results/reports/reliability.png": ("Certainty", "how often sure answers are right"),
    "results/reports/risk_coverage.png": ("Certainty", "errors by share of answers given"),
    "results/reports/sync_heatmaps.png": ("Synchronization", "pairs by category and tick"),
    "results/reports/neuron_importance.csv": ("Synchronization", "importance of each pair"),
    "results/reports/sync_interpretation_report.md": ("Synchronization", "what it says"),
    "results/provenance/provenance.html": ("Provenance", "where everything comes from"),
    "results/provenance/provenance.md": ("Provenance", "where everything comes from, as text"),
}
"""Results that the report shows: category, and label "what". A caption has the name of its file, so a picture and a
page about the same share one."""


def mark(workflow: Any, root: Path) -> None:
    """Flag the outputs for the report. To be called after the last rule; `root`: the checkout."""
    for rule in own_rules(workflow).values():
        for output in rule.output:
            if entry := SHOWN.get(str(output)):
                category, what = entry
                path = PurePosixPath(str(output))
                caption = infer_source_file(str(root / CAPTIONS / f"{path.stem}.rst"))
                labels = {"what": what, "kind": KINDS[path.suffix]}
                shown = ReportObject(caption, category, None, labels, [], None)
                output._file = flag(output._file, "report", shown)  # where `flags` looks for them
