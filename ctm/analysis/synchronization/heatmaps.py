"""The heatmaps: mean synchronization of the pairs that matter most, by category and tick, and what differs from clean.

Every pair is standardized over all items and ticks, so that pairs of all sizes can be seen together. The colors (purple
and orange) are told apart by color-blind readers, and white is "no more than usual", or "as in clean code".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ctm.evaluation.thoughts import AskedItems, Thoughts
from ctm.files import replacing
from ctm.pairs.overall import CLEAN
from ctm.pairs.record import CATEGORIES

COLORS = "PuOr"
LABELED = 40
"""Pairs up to which each has its label."""


def plot_heatmaps(
    trained: Thoughts,
    items: AskedItems,
    pairs: NDArray[np.int64],
    names: list[str],
    order: str,
    fewest: int,
    out: Path,
    dpi: int,
) -> None:
    """Draw two rows of panels (PNG): means by category, and their differences to clean code.

    pairs: which to show, the upper ones first, with their `names`; order: in words, how they are ordered. A category
    with fewer than `fewest` items has empty panels that say so.
    """
    means = category_means(trained.readout[:, :, pairs], items.category)
    n = {name: int((items.category == name).sum()) for name in CATEGORIES}
    shown = {name: mean for name, mean in means.items() if n[name] >= fewest}
    clean = shown.get(CLEAN)
    differences = {} if clean is None else {k: v - clean for k, v in shown.items() if k != CLEAN}
    height = 1.6 + 2 * max(2.2, 0.155 * len(pairs))
    figure = Figure(figsize=(13, height), layout="constrained")
    axes = figure.subplots(2, len(CATEGORIES), sharex=True, sharey=True)
    for row, (values, title) in enumerate(((shown, "mean"), (differences, "difference to clean"))):
        most = max((float(np.abs(mean).max()) for mean in values.values()), default=0.0) or 1.0
        image = None
        for place, name in enumerate(CATEGORIES):
            panel = axes[row, place]
            panel.set_title(f"{name}: {title}\nn = {n[name]:,}", fontsize=10, loc="left")
            if name in values:
                image = _panel(panel, values[name], most, names)
            else:
                panel.set_axis_off()
                panel.text(0.5, 0.5, _why_not(name, row, n, fewest), ha="center", va="center", fontsize=9,
                           transform=panel.transAxes)  # fmt: skip
        if image is not None:
            bar = figure.colorbar(image, ax=axes[row, :], shrink=0.9, pad=0.01)
            bar.set_label("standard deviations of the pair", fontsize=9)
    for panel in axes[1, :]:
        panel.set_xlabel("tick")
    figure.suptitle(
        f"Synchronization of {len(pairs)} pairs, {order}; each standardized over items and ticks",
        fontsize=12, x=0.01, ha="left",
    )  # fmt: skip
    with replacing(out) as temporary:
        figure.savefig(temporary, dpi=dpi, format="png")


def category_means(
    readout: NDArray[np.float32], category: NDArray[np.str_]
) -> dict[str, NDArray[np.float64]]:
    """Mean of each pair at each tick [pairs, T] by category, of S_out [n, T, pairs] in the pair's deviations."""
    values = readout.astype(np.float64)
    spread = values.std(axis=(0, 1))
    values = (values - values.mean(axis=(0, 1))) / np.where(spread > 0, spread, 1)
    return {name: values[category == name].mean(axis=0).T for name in CATEGORIES if (category == name).any()}


def _panel(axes: Axes, values: NDArray[np.float64], most: float, names: list[str]) -> AxesImage:
    ticks = values.shape[1]
    image = axes.imshow(
        values, aspect="auto", cmap=COLORS, vmin=-most, vmax=most, interpolation="nearest",
        extent=(0.5, ticks + 0.5, len(values) - 0.5, -0.5),
    )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(names) <= LABELED:
        axes.set_yticks(range(len(names)), names, fontsize=6.5)
    axes.set_ylabel("neurons of the pair" if axes.get_subplotspec().is_first_col() else "", fontsize=9)  # type: ignore[union-attr]
    return image


def _why_not(name: str, row: int, n: dict[str, int], fewest: int) -> str:
    if row and name == CLEAN:
        return "what the others\nare compared with"
    if row and n[CLEAN] < fewest:
        return f"fewer than {fewest}\nclean items"
    return f"fewer than {fewest} items"
