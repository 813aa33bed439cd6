"""Draws a thought: the source with attention behind its tokens and the pointed span framed, certainty, synchronization.

Few large parts, as the picture is also looked at on a telephone. Orange is attention, blue what the pointers say: both
are told apart by color-blind readers, and what counts is written as well.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image

from ctm.evaluation.recorded_thought import RecordedThought, TickEdit

WIDTH, DPI = 10.0, 100  # inches, dots per inch: 1,000 pixels
MARGIN = 0.25  # inches
LARGEST_FONT, ADVANCE, LINE = 19.0, 0.602, 1.45  # points; a character and a line of DejaVu Sans Mono in em
HEAD, WORDS, FOOT = 1.1, 1.1, 2.95  # inches above the code and below it
BLUE, GRAY = "#0072B2", "#555555"
HEAT = LinearSegmentedColormap.from_list("attention", ["#ffffff", "#fde3b4", "#f5a623"], N=12)
SYNC = colormaps["PuOr"].resampled(15)
COLORS, NEARLY_WHITE = 200, 249
MOST_SHOWN = 28
"""Characters of a deleted or written text that are shown."""


def frames(thought: RecordedThought, source: str, ticks: list[int]) -> list[Image.Image]:
    """A picture of each of the ticks (from 1), of one size and one palette; source: the line below it."""
    drawn = [_drawn(thought, source, tick) for tick in ticks]
    # one palette for all: no frame flickers, and what stays is stored once
    column = Image.fromarray(np.concatenate([np.asarray(picture)[::2, ::2] for picture in drawn]))
    palette = column.quantize(COLORS, dither=Image.Dither.NONE)
    colors = np.reshape(palette.getpalette() or [], (-1, 3))
    colors[colors.min(axis=1) > NEARLY_WHITE] = 255  # an average of the page and of light grays
    palette.putpalette(colors.ravel().tolist())
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in drawn]


def _drawn(thought: RecordedThought, source: str, tick: int) -> Image.Image:
    lines = thought.text.split("\n")
    inside = 72 * (WIDTH - 2 * MARGIN)
    font = min(LARGEST_FONT, inside / ADVANCE / (max(map(len, lines)) + 2))
    code = len(lines) * font * LINE / 72
    height = round(HEAD + code + WORDS + FOOT, 2)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)

    def place(left: float, top: float, width: float, tall: float) -> Axes:
        """Axes by inches from the left and from the top."""
        return figure.add_axes((left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height))

    def write(top: float, text: str, **look: Any) -> None:
        figure.text(MARGIN / WIDTH, 1 - top / height, text, va="top", parse_math=False, **look)

    edit = thought.edits[tick - 1]
    write(0.18, title(thought, tick), fontsize=22, fontweight="bold")
    write(0.62, "Orange: where it looks. Blue: where it points.", fontsize=16, color=GRAY)
    _code(place(MARGIN, HEAD, WIDTH - 2 * MARGIN, code), thought, tick, font)
    write(HEAD + code + 0.18, edit_in_words(thought, edit), fontsize=19, color=BLUE)
    top = HEAD + code + WORDS
    _certainty(place(1.0, top, 4.3, FOOT - 1.15), thought, tick)
    _synchronization(place(5.95, top, 3.75, FOOT - 1.15), thought, tick)
    write(height - 0.32, source, fontsize=13, color=GRAY)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def title(thought: RecordedThought, tick: int) -> str:
    """Which tick it is, whether it answers, and whether its edit is the one that is asked for."""
    answers = " answers" if tick == thought.answering else ""
    right = "the right edit" if thought.edits[tick - 1].right else "a wrong edit"
    return f"Tick {tick} of {len(thought.edits)}{answers}: {right}"


def edit_in_words(thought: RecordedThought, edit: TickEdit) -> str:
    """The likeliest edit in words, with its probability."""
    chance = f"({100 * edit.probability:.0f} % likely)"
    if edit.is_none:
        return f"It would change nothing {chance}"
    if edit.written is None:
        return f"It would copy a word from where there is none {chance}"
    new = _quoted(edit.written)
    if edit.start == edit.end:
        return f"It would insert {new} at the mark {chance}"
    old = _quoted(thought.text[slice(*replaced_characters(thought, edit))])
    if not edit.written:
        return f"It would delete {old} {chance}"
    return f"It would replace {old} by {new} {chance}"


def _quoted(text: str) -> str:
    text = (text.strip(" ") or text).replace("\n", "↵")
    return f"“{text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + '…'}”"


def replaced_characters(thought: RecordedThought, edit: TickEdit) -> tuple[int, int]:
    """Characters [begin, end) of the cells that an edit replaces; of an insertion, none."""
    if edit.start == edit.end:
        return thought.cells[edit.start][0], thought.cells[edit.start][0]
    return thought.cells[edit.start][0], thought.cells[edit.end - 1][1]


def _code(axes: Axes, thought: RecordedThought, tick: int, font: float) -> None:
    """One unit is a character wide and a line tall; a column is left free for cells without characters."""
    lines = thought.text.split("\n")
    axes.set_xlim(-1, 72 * (WIDTH - 2 * MARGIN) / (ADVANCE * font) - 1)
    axes.set_ylim(len(lines), 0)
    axes.axis("off")
    weights = thought.attention.mean(axis=1)
    strength = np.sqrt(weights[tick - 1] / weights.max())  # one scale for all ticks
    for (begin, end), value in zip(thought.cells, strength, strict=True):
        for row, left, right in _on_lines(thought.text, begin, end):
            # not add_patch, which works out new limits each time
            axes.add_artist(Rectangle((left, row + 0.06), right - left, 0.88, color=HEAT(float(value)), lw=0))
    for row, line in enumerate(lines):
        axes.text(0, row + 0.72, line, family="DejaVu Sans Mono", fontsize=font, parse_math=False)
    edit = thought.edits[tick - 1]
    if edit.is_none:
        return
    if edit.start == edit.end:
        row, left, _ = _on_lines(thought.text, *replaced_characters(thought, edit))[0]
        axes.plot([left, left], [row, row + 1], color=BLUE, linewidth=4, solid_capstyle="butt", clip_on=False)
        axes.plot([left], [row], marker="v", markersize=12, color=BLUE, clip_on=False)
        return
    for row, left, right in _on_lines(thought.text, *replaced_characters(thought, edit)):
        frame = Rectangle((left, row + 0.04), right - left, 0.92, fill=False, edgecolor=BLUE, linewidth=3.5)
        axes.add_artist(frame)
        frame.set_clip_on(False)


def _on_lines(text: str, begin: int, end: int) -> list[tuple[int, float, float]]:
    """(line, left, right) of the characters [begin, end), a line end as one character; of none, a strip there."""
    row, column = text.count("\n", 0, begin), begin - (text.rfind("\n", 0, begin) + 1)
    if begin == end:
        return [(row, column - 0.5, float(column)) if column == 0 else (row, float(column), column + 0.5)]
    found = []
    for piece in text[begin:end].splitlines(keepends=True):
        implied = (
            len(piece) - len(piece.lstrip(" ")) if column and piece.strip() else 0
        )  # the space of two words
        found.append((row, float(column + implied), float(column + len(piece))))
        row, column = row + 1, 0
    return found


def _certainty(axes: Axes, thought: RecordedThought, tick: int) -> None:
    ticks = range(1, len(thought.certainty) + 1)
    axes.plot(ticks, thought.certainty, color="#bbbbbb", linewidth=2, marker="o", markersize=5)
    axes.plot(ticks[:tick], thought.certainty[:tick], color="black", linewidth=3, marker="o", markersize=7)
    axes.plot([tick], [thought.certainty[tick - 1]], marker="o", markersize=15, color=BLUE)
    axes.set_title(f"Certainty {100 * thought.certainty[tick - 1]:.0f} %", fontsize=18, loc="left")
    axes.set_ylim(-0.08, 1.08)
    axes.set_yticks([0, 0.5, 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("tick", fontsize=15)
    axes.tick_params(labelsize=15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)


def _synchronization(axes: Axes, thought: RecordedThought, tick: int) -> None:
    """The pairs as a grid in their order. Nobody can read one square, but what changes is seen."""
    values = thought.synchronization[tick - 1]
    bound = float(np.quantile(np.abs(thought.synchronization), 0.99)) or 1.0
    columns = _columns(len(values))
    grid = np.full(columns * -(-len(values) // columns), np.nan)
    grid[: len(values)] = values
    image = axes.imshow(
        grid.reshape(-1, columns),
        cmap=SYNC,
        vmin=-bound,
        vmax=bound,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_title(f"Synchronization, {len(values)} pairs", fontsize=18, loc="left")
    axes.set_xticks([])
    axes.set_yticks([])
    figure = axes.figure
    assert isinstance(figure, Figure)
    bar = figure.colorbar(image, ax=axes, orientation="horizontal", pad=0.06, fraction=0.09, aspect=30)
    bar.set_ticks([-bound, 0, bound], labels=["opposed", "0", "in step"], fontsize=15)
    labels = bar.ax.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    bar.ax.tick_params(length=0)


def _columns(pairs: int) -> int:
    """Columns of a grid about three times as wide as high, without a gap at its end where that can be."""
    wished = math.sqrt(3 * pairs)
    divisors = [n for n in range(1, pairs + 1) if pairs % n == 0]
    best = min(divisors, key=lambda n: abs(math.log(n / wished)))
    return best if 0.5 < best / wished < 2 else math.ceil(wished)
