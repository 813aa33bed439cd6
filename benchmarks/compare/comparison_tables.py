"""The tables of the comparison, in Markdown."""

from __future__ import annotations

from typing import Any

import numpy as np

from ctm.shares import COLUMNS

SAME_SAMPLES, SAME_COMPUTE = "same samples", "same compute"


def tables(rows: list[dict[str, Any]], items: int) -> str:
    """Markdown: a table for each comparison, a line a model, and accuracy by tick of the models that have several."""
    lines: list[str] = []
    head = [
        "model",
        "seeds",
        "body + embeddings",
        "samples",
        "GFLOP a sample",
        "samples/s",
        "seconds",
        *COLUMNS,
    ]
    for comparison in (SAME_SAMPLES, SAME_COMPUTE):
        lines += [f"**The {comparison}**; first edit exactly right, {items:,} items of the test set, %", ""]
        lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        models: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            if row["comparison"] == comparison:
                models.setdefault(row["model"], []).append(row)
        for name, runs in models.items():
            row = runs[0]
            parameters = " + ".join(f"{row['parameters'][k] / 1e6:.2f} M" for k in ("body", "embedding"))
            cells = [
                name,
                str(len(runs)),
                parameters,
                f"{row['samples']:,}",
                f"{row['training_flops'] / 1e9:.2f}",
            ]
            cells += [f"{_mean(runs, 'samples_per_second'):.0f}", f"{_mean(runs, 'seconds'):.0f}"]
            cells += [_percents([run["accuracy"].get(category) for run in runs]) for category in COLUMNS]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
        for name, runs in models.items():
            by_tick = [run["accuracy_by_tick"].get("overall", []) for run in runs]
            if len(by_tick[0]) > 1:
                shown = " / ".join(_percents(list(ticks)) for ticks in zip(*by_tick, strict=True))
                lines += [f"{name}, overall by tick: {shown}", ""]
    return "\n".join(lines)


def _mean(runs: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([run[key] for run in runs]))


def _percents(shares: list[float | None]) -> str:
    """Mean of the seeds; behind it the lowest and the highest of several."""
    known = [100 * share for share in shares if share is not None]
    if not known:
        return "-"
    spread = f" ({min(known):.1f} to {max(known):.1f})" if len(known) > 1 else ""
    return f"{np.mean(known):.1f}{spread}"
