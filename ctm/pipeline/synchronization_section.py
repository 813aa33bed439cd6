"""The report's section on the synchronization: each question's figure, control and null, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.analysis.synchronization import reading
from ctm.pipeline.tables import Block, Section, rows

HEATMAPS = "sync_heatmaps.png"
"""Name of the picture among the report's artifacts."""
PAGE = "reports/sync_interpretation_report.md"
PICTURE = (
    "Mean synchronization by category and tick (above), and how it differs from clean code (below), each pair in its"
    " own standard deviations. Panels that look alike above mean that the tick matters more than the category; white"
    " below means that a pair does not tell the category from clean code."
)


def synchronization_section(figures: Mapping[str, Any], heatmaps: str = "") -> Section:
    """figures: what rule analyze_synchronization wrote. heatmaps: its picture in base64, empty for none."""
    answers = {
        "Does it differ by type of bug?": reading.category_reading(figures["category"]),
        "Does it tell where the bug is?": reading.place_reading(figures["place"]),
        "Which pairs matter?": reading.ablation_reading(figures["ablation"]),
        "Does it predict success?": reading.success_reading(figures["success"]),
        "Is it causal?": reading.patching_reading(figures["patching"]),
        "Has it collapsed?": reading.collapse_reading(figures["collapse"]),
    }
    note = (
        "What a probe, an ablation or a patch finds; beside it what else finds, and what there is by chance."
    )
    blocks = [Block("Figures, controls and nulls", note, rows(reading.SUMMARY, reading.summary(figures)))]
    blocks += [Block(question, answer, file=PAGE) for question, answer in answers.items()]
    if heatmaps:
        blocks.append(Block("Heatmaps", PICTURE, png=heatmaps, file=f"reports/{HEATMAPS}"))
    return Section(
        "Synchronization",
        blocks,
        f"What can be read from the {figures['pairs']} pairs that the heads read, of {sum(figures['items'].values()):,}"
        f" test items of {figures['projects']} projects that were not trained on. Intervals are 95 %, by bootstrap over"
        " projects.",
    )
