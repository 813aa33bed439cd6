"""The first question about the ticks, answered in words that are made of a run's figures, and no stronger than they."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.pairs.overall import CLEAN, OVERALL
from ctm.shares import percent

Figures = Mapping[str, Any]


def answer(figures: Figures) -> str:
    """Whether ticks bring something; figures: of rule analyze_iterations."""
    said = figures["does_it_think"]
    if said["best_tick"] is None:
        return f"Not known: {said['why']}."
    if said["first_to_best"][OVERALL]["gain"] is None:
        return "Not known: no test item has a bug."
    parts = [_added(said, figures["ticks"]), _clean(said), *_controls(figures["followed"]["controls"])]
    return " ".join(part for part in parts if part)


def _added(said: Figures, ticks: int) -> str:
    """What ticks up to the best one add, and what those behind it do."""
    accuracy, best = said["accuracy"], said["best_tick"]
    gain, rest = (said[name][OVERALL] for name in ("first_to_best", "best_to_last"))
    first = f"at tick 1 {percent(accuracy['first'][OVERALL])} of first edits are right"
    later = f"From there to the last of {ticks} ticks: {_points(rest)}." if best < ticks else ""
    if best == 1:
        return f"Not that it shows: {first}, and on validation items no later tick is better. {later}".strip()
    found = f"{first}, at tick {best} {percent(accuracy['best'][OVERALL])}: {_points(gain)}"
    if _is_above(gain):
        verdict = f"Up to tick {best}" if best < ticks and not _is_above(rest) else "Yes"
    else:
        verdict = "No, it gets worse" if _is_below(gain) else "Not shown"
    chosen = f"Tick {best} is the best one of other projects, the validation items."
    return " ".join(part for part in (f"{verdict}: {found}.", chosen, later) if part)


def _clean(said: Figures) -> str:
    """Clean code, which is not in the overall figure: a tick that wins there may have lost repairs for it."""
    if said["accuracy"]["first"][CLEAN] is None:
        return ""
    first, best, last = (percent(said["accuracy"][at][CLEAN]) for at in ("first", "best", "last"))
    return f"Clean code, which is not among these, is left alone in {first}, {best} and {last} at those three ticks."


def _controls(figures: Figures) -> list[str]:
    """What the model loses with frozen and with shuffled ticks, which cost as much, and what that says."""
    controls, told = figures["by_control"], []
    for name in ("frozen", "shuffled"):
        ahead = controls[name]["ahead"][OVERALL]
        if ahead["gain"] is not None:
            told.append(
                f"With {name} ticks, at equal compute, {percent(controls[name]['accuracy'][OVERALL])} of "
                f"{figures['items']:,} drawn items are right; as it is the model is ahead by {_points(ahead)}."
            )
    frozen = controls["frozen"]["ahead"][OVERALL]
    if frozen["gain"] is not None:
        told.append(
            "So its neurons' changes from tick to tick are used, by a model that was trained with them."
            if _is_above(frozen)
            else "So it is not shown that it needs its neurons' changes from tick to tick."
        )
    return told


def _is_above(gain: Figures) -> bool:
    return gain["interval"] is not None and gain["interval"][0] > 0


def _is_below(gain: Figures) -> bool:
    return gain["interval"] is not None and gain["interval"][1] < 0


def _points(gain: Figures) -> str:
    ends = gain["interval"]
    within = "no interval" if ends is None else f"95 %: {100 * ends[0]:+.1f} to {100 * ends[1]:+.1f}"
    return f"{100 * gain['gain']:+.1f} points ({within})"
