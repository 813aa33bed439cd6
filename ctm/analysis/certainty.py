"""Certainty: reliability, risk against coverage, and the shift from synthetic to real, from the benchmark's items.

What is counted is in ctm.evaluation.certainty; this reads the files, writes the figures and draws the two pictures.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from ctm.analysis.certainty_plots import plot_reliability, plot_risk_coverage
from ctm.analysis.settings import AnalysisSettings
from ctm.evaluation.certainty import COLUMNS, certainty_figures, curve_of
from ctm.evaluation.items import read_items
from ctm.files import write_json

log = logging.getLogger(__name__)
FORMAT_VERSION = 1


def analyze_certainty(
    report: Path, items: Path, settings: AnalysisSettings, out: Path, reliability: Path, risk_coverage: Path
) -> None:
    """Figures (JSON) and two pictures (PNG) of certainty, on all suites of the benchmark.

    report, items: what the benchmark wrote. Raises ValueError if the items are of an earlier benchmark.
    """
    measured = json.loads(report.read_text(encoding="utf-8"))
    table = read_items(items, COLUMNS).to_pandas()
    figures = certainty_figures(table, curve_of(measured["confidence"]), measured["precision_thresholds"])
    write_json(out, {"format_version": FORMAT_VERSION, **figures})
    plot_reliability(figures, reliability, settings.dpi)
    plot_risk_coverage(figures, risk_coverage, settings.dpi)
    log.info("%s: %d items of %s", out, len(table), " and ".join(figures["suites"]))
