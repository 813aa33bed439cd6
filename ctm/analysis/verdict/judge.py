"""Judges a run by all criteria, and writes the verdict as JSON and as a page."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctm.analysis.verdict.artifacts import Artifacts
from ctm.analysis.verdict.criterion import LEVELS, STATUSES, Criterion, judge
from ctm.analysis.verdict.data_and_model import DATA, MODEL
from ctm.analysis.verdict.evaluation import EVALUATION
from ctm.analysis.verdict.page import verdict_page
from ctm.analysis.verdict.success import SUCCESS
from ctm.analysis.verdict.training import BASELINES, TRAINING
from ctm.files import write_json, write_text

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
CRITERIA: tuple[Criterion, ...] = (*SUCCESS, *DATA, *MODEL, *TRAINING, *EVALUATION, *BASELINES)
"""All of them, in the order in which they are shown."""


def judge_criteria(artifacts: Sequence[Path], root: Path, out: Path, page: Path) -> dict[str, Any]:
    """Write the verdict on a run (JSON, Markdown) and return it.

    artifacts: files below `root`, the run's results; criteria whose artifact is not among them are not tested. Raises
    ValueError for a file that is no JSON, or lies elsewhere.
    """
    found = verdict(Artifacts(root, artifacts))
    write_json(out, found)
    write_text(page, verdict_page(found))
    log.info("%s: %s", out, counted(found["counts"]["all"]))
    return found


def verdict(run: Artifacts, criteria: Sequence[Criterion] = CRITERIA) -> dict[str, Any]:
    """Every criterion as `Judged.as_dict` has it, and how many of each group came out how."""
    judged = [judge(criterion, run).as_dict() for criterion in criteria]
    by_level = {
        level: dict(Counter(one["status"] for one in judged if one["level"] == level))
        for level in LEVELS
        if any(one["level"] == level for one in judged)
    }
    return {
        "format_version": FORMAT_VERSION,
        "statuses": STATUSES,
        "levels": LEVELS,
        "counts": {"all": dict(Counter(one["status"] for one in judged)), **by_level},
        "criteria": judged,
    }


def counted(counts: Mapping[str, int]) -> str:
    """ "3 met, 1 not met", in the order of the statuses."""
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if status in counts)
