"""One thought on real code, tick by tick: an animation, a still picture of the tick that answers, and the figures."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ctm.analysis.settings import AnalysisSettings
from ctm.analysis.thought_choice import choose
from ctm.analysis.thought_picture import frames, replaced_characters
from ctm.evaluation.recorded_thought import RecordedThought, think_about
from ctm.files import replacing, write_json
from ctm.pairs.record import Pair

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
FRAME, LAST_FRAME = 900, 3000  # milliseconds


def draw_thought(
    weights: Path, tokenizer: Path, items: Path, test: Path, real: Path, settings: AnalysisSettings, animation: Path,
    still: Path, out: Path,
) -> None:  # fmt: skip
    """Choose an item (`choose`), think about it, and write `animation` (GIF), `still` (PNG) and `out` (JSON).

    items: what the benchmark wrote. test, real: Parquet files of pairs. Raises ValueError where there is no such item.
    """
    suite, pair = choose(items, {"test": test, "real": real})
    thought = think_about(weights, tokenizer, pair)
    ticks = shown_ticks(thought, settings.thought_frames)
    source = where_from(suite, pair)
    pictures = frames(thought, source, ticks)
    write_gif(pictures, animation)
    with replacing(still) as temporary:
        pictures[ticks.index(thought.answering)].save(temporary, format="PNG", optimize=True)
    write_json(out, thought_figures(suite, pair, thought), indent=1)
    log.info("%s and %s: %d ticks about %s", animation, still, len(thought.certainty), source)


def shown_ticks(thought: RecordedThought, most: int) -> list[int]:
    """Ticks that get a frame: the last, the first, evenly spaced ones between, and the one that answers.

    With one frame the last is shown, where the thought has come to its end.
    """
    count = len(thought.certainty)
    spaced = np.linspace(count, 1, min(most, count)).round().astype(int)
    return sorted({*spaced.tolist(), thought.answering})


def where_from(suite: str, pair: Pair) -> str:
    """A line that says what the text is."""
    origin = pair.origin
    bug = "a real fix" if suite == "real" else f"made bug: {pair.kind.replace('_', ' ')}"
    named = " ".join(filter(None, (origin.project, origin.version_to)))
    path = origin.path if len(origin.path) <= 48 else "…" + origin.path[-47:]
    return ", ".join(filter(None, (named, path, origin.license, bug)))


def write_gif(pictures: list[Image.Image], path: Path) -> None:
    """One picture after the other, for ever; the last one stays longer."""
    durations = [FRAME] * (len(pictures) - 1) + [LAST_FRAME]
    with replacing(path) as temporary:
        pictures[0].save(
            temporary, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0,
            optimize=False, disposal=1,
        )  # fmt: skip


def thought_figures(suite: str, pair: Pair, thought: RecordedThought) -> dict[str, Any]:
    """What the pictures show, in figures, and where the text comes from."""
    attention = thought.attention.mean(axis=1)
    origin = pair.origin
    return {
        "format_version": FORMAT_VERSION,
        "suite": suite,
        "id": pair.pair_id,
        "category": pair.category,
        "kind": pair.kind,
        "project": origin.project,
        "path": origin.path,
        "license": origin.license,
        "from": where_from(suite, pair),
        "text": thought.text,
        "fixed": pair.fixed,
        "right": thought.edits[thought.answering - 1].right,
        "answering_tick": thought.answering,
        "ticks": [
            {
                "tick": tick,
                "certainty": float(thought.certainty[tick - 1]),
                "right": edit.right,
                "no_edit": edit.is_none,
                "start": edit.start,
                "end": edit.end,
                "replaced": thought.text[slice(*replaced_characters(thought, edit))],
                "written": edit.written,
                "probability": edit.probability,
                "most_attended": _cell(thought, int(attention[tick - 1].argmax())),
                "attention_there": float(attention[tick - 1].max()),
            }
            for tick, edit in enumerate(thought.edits, 1)
        ],
    }


def _cell(thought: RecordedThought, cell: int) -> str:
    """The text of a cell, or what a cell without characters stands for."""
    begin, end = thought.cells[cell]
    if cell == len(thought.cells) - 1:
        return "the end"
    return thought.text[begin:end] or f"the start of line {thought.text.count(chr(10), 0, begin) + 1}"
