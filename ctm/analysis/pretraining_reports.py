"""Pages and plots of the reports made before training: the model checks and the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ctm.files import replacing

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
GRAY = "#999999"
DPI = 110
ANOTHER = "another sample's"


def validation_page(report: Mapping[str, Any], plot: str) -> str:
    """Markdown of a report of `ctm.evaluation.model_checks`; `plot`: name of the picture beside it."""
    failed = [part for part in report["checks"] if not part["holds"]]
    evidence = report["evidence"]
    memory, sync = evidence["memory"], evidence["synchronization"]
    lines = [
        "# Validation of the model before training",
        "",
        f"**{len(failed)} of {len(report['checks'])} parts do not hold.**"
        if failed
        else "All five checks hold.",
        "",
        *_table(
            ("check", "part", "holds", "seen", "s"),
            [
                (p["check"], p["part"], "yes" if p["holds"] else "**NO**", p["seen"], f"{p['seconds']:.1f}")
                for p in report["checks"]
            ],
        ),
        "",
        f"![gradients, memory, ticks and synchronization]({plot})",
        "",
        "## Gradients: norm by module and tick, of the loss at the last tick",
        "",
        *_by_tick(evidence["gradients"], "{:.2e}"),
        "",
        "## Memory, MB",
        "",
        f"{memory['samples']} samples padded to {memory['cells']} cells, float32. The formula is on `docs/memory.md`.",
        "",
        *_table(
            ("kept for backward", "counted", "formula"),
            [
                (part, f"{memory['counted'][part]:.3f}", f"{memory['formula'][part]:.3f}")
                for part in ("fixed", "tick")
            ],
        ),
        "",
        *_table(
            ("", "MB"),
            [
                (name, f"{value:,.1f}")
                for name, value in memory.items()
                if isinstance(value, float) or name.startswith("rule")
            ],
        ),
        "",
        "## Iteration: accuracy by tick of a briefly trained small model",
        "",
        *_by_tick(evidence["iteration"], "{:.3f}"),
        "",
        "## Synchronization",
        "",
        *_table(
            ("deviation", "least", "quarter", "half", "three quarters", "most"),
            [
                (name, *(f"{q:.2e}" for q in sync[f"deviation {name}"]))
                for name in ("over samples", "over pairs")
            ],
        ),
        "",
        f"Root mean square {sync['size']:.2e}; {sync['pairs that differ between samples']:.0%} of the pairs differ"
        f" between samples. Accuracy {sync['accuracy']['own synchronization']:.3f} with a sample's own synchronization,"
        f" {sync['accuracy'][ANOTHER]:.3f} with another's.",
    ]
    return "\n".join(lines) + "\n"


def baseline_page(report: Mapping[str, Any], plot: str) -> str:
    """Markdown of a report of `ctm.evaluation.baseline`."""
    lines = [
        "# The untrained model",
        "",
        f"{report['parameters']['body']:,} parameters and {report['parameters']['embedding']:,} of embeddings;"
        f" {report['ticks']} ticks, {report['cells']} cells, {report['threads']} thread(s), batch 1.",
        "",
        *_table(
            ("", "value", "target", "met"),
            [
                (t["what"], f"{t['value']:.4g}", t["target"], "yes" if t["met"] else "**no**")
                for t in report["targets"]
            ],
        ),
        "",
        f"![time by ticks, memory, accuracy]({plot})",
        "",
        *_table(("ticks", "ms"), [(str(ticks), f"{ms:.2f}") for ticks, ms in report["forward_ms_by_ticks"]]),
        "",
        *_table(
            ("accuracy of random weights", "share right", "items"),
            [
                (name, f"{value:.3f}", str(report["n"].get(name, "")))
                for name, value in report["accuracy"].items()
                if value is not None
            ],
        ),
    ]
    return "\n".join(lines) + "\n"


def plot_validation(report: Mapping[str, Any], out: Path) -> None:
    """Four panels (PNG): gradient norms, memory, accuracy by tick, spread of the synchronization."""
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    axes = figure.subplots(2, 2)
    evidence = report["evidence"]
    _gradients(axes[0, 0], evidence["gradients"])
    _memory(axes[0, 1], evidence["memory"])
    _iteration(axes[1, 0], evidence["iteration"])
    _synchronization(axes[1, 1], evidence["synchronization"])
    with replacing(out) as temporary:
        figure.savefig(temporary, dpi=DPI, format="png")


def plot_baseline(report: Mapping[str, Any], out: Path) -> None:
    """Three panels (PNG): time by ticks and memory, each with its target, and the accuracy of random weights."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    time, memory, right = figure.subplots(1, 3)
    targets = {target["what"]: target for target in report["targets"]}
    ticks, ms = zip(*report["forward_ms_by_ticks"], strict=True)
    time.plot(ticks, ms, marker="o", color=PALETTE[0])
    _limit(time, _number(targets["forward pass of one sample, ms"]["target"]), "ms")
    time.set_xlabel("ticks")
    _plain(time, "Forward pass of one sample, ms")
    held = report["memory_mb_per_sample"]
    bars = memory.bar(list(held), list(held.values()), color=PALETTE[0], width=0.5)
    memory.bar_label(bars, fmt="%.3g", fontsize=8)
    _limit(memory, _number(targets["memory of one sample in training, MB"]["target"]), "MB")
    _plain(memory, "Memory of one sample, MB")
    shares = {name: value for name, value in report["accuracy"].items() if value is not None}
    bars = right.bar(list(shares), list(shares.values()), color=PALETTE[0], width=0.6)
    right.bar_label(bars, fmt=lambda share: f"{share:.1%}", fontsize=8)
    right.tick_params(axis="x", rotation=30)
    right.yaxis.set_major_formatter(PercentFormatter(1))
    right.set_ylim(0, max(0.05, 1.2 * max(shares.values())))
    _plain(right, "First edits right by random weights")
    with replacing(out) as temporary:
        figure.savefig(temporary, dpi=DPI, format="png")


def _gradients(axes: Axes, norms: Mapping[str, list[float]]) -> None:
    for color, (module, row) in zip(PALETTE, norms.items(), strict=False):
        ticks = [
            tick for tick, norm in enumerate(row, 1) if norm > 0
        ]  # a logarithmic axis has no place for 0
        axes.plot(
            ticks, [row[tick - 1] for tick in ticks], marker="o", markersize=4, color=color, label=module
        )
    axes.set_yscale("log")
    _ticks(axes)
    axes.legend(fontsize=8, frameon=False, ncols=2)
    _plain(axes, "Gradient norm in each module, by the tick that used it\nloss of the last tick, untrained")


def _memory(axes: Axes, memory: Mapping[str, Any]) -> None:
    parts = {"encoding": "fixed", "one tick": "tick"}
    for shift, (kind, color) in enumerate((("counted", PALETTE[0]), ("formula", PALETTE[1]))):
        places = [place + 0.38 * shift for place in range(len(parts))]
        bars = axes.bar(
            places, [memory[kind][p] for p in parts.values()], width=0.36, color=color, label=kind
        )
        axes.bar_label(bars, fmt="%.3g", fontsize=8)
    axes.set_xticks([place + 0.19 for place in range(len(parts))], list(parts))
    axes.margins(y=0.15)
    axes.legend(fontsize=8, frameon=False)
    _plain(axes, f"Kept for backward, MB\n{memory['samples']} samples of {memory['cells']} cells")


def _iteration(axes: Axes, found: Mapping[str, list[float]]) -> None:
    for color, (name, row) in zip(("#000000", *PALETTE), found.items(), strict=False):
        width = 2.4 if color == "#000000" else 1.6
        axes.plot(range(1, len(row) + 1), row, marker="o", color=color, label=name, linewidth=width)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    _ticks(axes)
    axes.legend(fontsize=8, frameon=False)
    _plain(axes, "Ends of chains found, by tick\na small model of the same kind, briefly trained")


def _synchronization(axes: Axes, sync: Mapping[str, Any]) -> None:
    for place, name in enumerate(("over samples", "over pairs")):
        least, quarter, half, three, most = sync[f"deviation {name}"]
        axes.plot([place, place], [least, most], color=GRAY, linewidth=1.4, zorder=1)
        axes.plot(
            [place, place], [quarter, three], color=PALETTE[0], linewidth=9, solid_capstyle="butt", zorder=2
        )
        axes.plot([place], [half], marker="_", markersize=16, color="#000000", zorder=3)
    axes.set_xticks([0, 1], ["over samples\n(each pair)", "over pairs\n(each sample)"])
    axes.set_xlim(-0.6, 1.6)
    axes.set_ylim(bottom=0)
    own, other = sync["accuracy"]["own synchronization"], sync["accuracy"][ANOTHER]
    _plain(
        axes,
        "Deviation of the synchronization (range, quartiles, median)\n"
        f"accuracy {own:.0%}, with another sample's {other:.0%}",
    )


def _limit(axes: Axes, value: float, text: str) -> None:
    axes.axhline(value, color=PALETTE[1], linestyle="--", linewidth=1.4)
    axes.annotate(
        f"target: under {value:g} {text}",
        (0.02, value),
        xycoords=("axes fraction", "data"),
        va="bottom",
        fontsize=8,
    )
    axes.set_ylim(0, 1.15 * max(value, axes.get_ylim()[1]))


def _number(target: str) -> float:
    return float(target.split()[-1])


def _ticks(axes: Axes) -> None:
    axes.set_xlabel("tick")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _by_tick(rows: Mapping[str, list[float]], shape: str) -> list[str]:
    ticks = max(len(row) for row in rows.values())
    head = ("tick", *(str(tick) for tick in range(1, ticks + 1)))
    return _table(head, [(name, *(shape.format(value) for value in row)) for name, row in rows.items()])


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
