"""Sentences made from the figures of the synchronization; none says more than its figure, its control and its null.

Two figures are told apart only where the interval of their difference leaves zero out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.analysis.synchronization.category import SYNCHRONIZATION, UNTRAINED
from ctm.analysis.synchronization.patching import (
    ANOTHERS_BROKEN,
    ANOTHERS_TWIN,
    BACK,
    ITS_TWIN,
    MORE,
    MORE_THAN_BROKEN,
)
from ctm.analysis.synchronization.place import FREQUENT
from ctm.shares import percent, percents

Figures = Mapping[str, Any]
SUMMARY = ("of the synchronization", "figure", "control", "null")


def share_text(figure: Figures) -> str:
    """ "53.6% (47.9 to 59.5)", or why there is none."""
    if figure["value"] is None:
        return f"not known: {figure['why']}"
    ends = figure["interval"]
    return percent(figure["value"]) + ("" if ends is None else f" ({percents(ends)})")


def number_text(figure: Figures, digits: int = 2) -> str:
    """The same of a figure that is no share."""
    if figure["value"] is None:
        return f"not known: {figure['why']}"
    ends, shape = figure.get("interval"), f".{digits}f"
    return format(figure["value"], shape) + (
        "" if ends is None else f" ({format(ends[0], shape)} to {format(ends[1], shape)})"
    )


def side(difference: Figures) -> int:
    """1 where a difference is above zero, -1 where it is below, 0 where its interval holds zero or there is none."""
    ends = difference["interval"]
    return 0 if ends is None or ends[0] <= 0 <= ends[1] else (1 if ends[0] > 0 else -1)


def compared(difference: Figures, other: str, points: bool = True) -> str:
    """How a figure stands to another: "ahead of", "behind" or "not told apart from" it, with the difference."""
    words = {1: "ahead of", -1: "behind", 0: "not told apart from"}[side(difference)]
    scale = 100 if points else 1
    shape = ".1f" if points else ".2f"
    if difference["value"] is None:
        return f"{words} {other}"
    ends = difference["interval"]
    text = format(scale * difference["value"], "+" + shape)
    if ends is not None:
        text += f", {format(scale * ends[0], shape)} to {format(scale * ends[1], shape)}"
    return f"{words} {other} ({text}{' points' if points else ''})"


def chance_text(found: Figures) -> str:
    """What shuffled labels give, and how rare as good a result is among them."""
    if found.get("random labels") is None:
        return "no labels were shuffled, so chance is not known"
    return f"shuffled labels give {percent(found['random labels'])}, {p_text(found)}"


def p_text(found: Figures) -> str:
    """ "p = 0.05", and whether that is all that so few shuffles can show."""
    least = 1 / (1 + found["shuffles"])
    return f"p = {found['p']:.2g}" + (
        f", the least that {found['shuffles']} shuffles can show" if found["p"] <= least else ""
    )


def summary(figures: Figures) -> list[tuple[str, str, str, str]]:
    """A row for each question: the question, its figure, its control, its null (columns SUMMARY)."""
    unknown = ("not known", "-", "-")
    rows: list[tuple[str, str, str, str]] = []
    for name, words in (
        ("all items", "category named"),
        ("code that compiles", "the same where code compiles"),
    ):
        mine = figures["category"][name]
        cells = unknown
        if mine[SYNCHRONIZATION]["value"] is not None:
            best = max(mine["controls"], key=lambda other: mine["controls"][other]["value"])
            control = f"best of the controls, {best}: {share_text(mine['controls'][best])}"
            cells = (
                share_text(mine[SYNCHRONIZATION]),
                control,
                f"shuffled labels: {percent(mine['random labels'])}",
            )
        rows.append((words, *cells))
    for name, words in (("all", "line of the bug named"), ("logic", "the same of logic bugs")):
        mine = figures["place"].get("by group", {}).get(name)
        cells = unknown
        if mine and "why" not in mine:
            own, pointer, frequent = (
                share_text(mine[by]["1"]) for by in (SYNCHRONIZATION, "pointer", FREQUENT)
            )
            cells = (own, f"pointer: {pointer}", f"most frequent line: {frequent}")
        rows.append((words, *cells))
    cells = unknown
    if "why" not in figures["ablation"]:
        most = figures["ablation"]["by share"][-1]
        best, random = most["mean"]["best"]["nats lost"], most["mean"]["random"]["nats lost"]
        stable = figures["ablation"]["stability"]
        ranks = "not known" if stable["value"] is None else f"{stable['value']:.2f}"
        cells = (
            number_text(best),
            f"random pairs of nearest variance: {number_text(random)}",
            f"rank correlation of two halves: {ranks}",
        )
        rows.append(
            (f"nats that a right edit loses without the best {most['share']:.0%} of the pairs", *cells)
        )
    else:
        rows.append(("nats that a right edit loses without the best pairs", *cells))
    found, cells = figures["success"], unknown
    if found[SYNCHRONIZATION]["value"] is not None:
        own, certainty = (number_text(found[name]) for name in (SYNCHRONIZATION, "certainty"))
        null = "not known" if found["random labels"] is None else f"{found['random labels']:.2f}"
        cells = (own, f"certainty: {certainty}", f"shuffled labels: {null}")
    rows.append(("right first edit predicted, area under the curve", *cells))
    cells = unknown
    if "by tick" in figures["patching"]:
        last = figures["patching"]["by tick"][-1]
        cells = (
            share_text(last[ITS_TWIN]), f"another's twin: {share_text(last[ANOTHERS_TWIN])}",
            f"another's broken text: {share_text(last[ANOTHERS_BROKEN])}",
        )  # fmt: skip
    rows.append(("'no edit' with the repaired twin's state", *cells))
    rank = "effective rank over samples, last tick"
    effective = [
        figures["collapse"][model][rank] for model in ("trained", "untrained", "independent numbers")
    ]
    texts = ["not known" if value is None else f"{value:.1f}" for value in effective]
    rows.append(("effective rank", texts[0], f"untrained: {texts[1]}", f"independent numbers: {texts[2]}"))
    return rows


def category_reading(found: Figures) -> str:
    """Does it differ by type of bug?"""
    parts = []
    for name, words in (("all items", "all items"), ("code that compiles", "the code that compiles")):
        mine = found[name]
        if mine[SYNCHRONIZATION]["value"] is None:
            parts.append(f"Of {words} nothing can be said: {mine[SYNCHRONIZATION]['why']}.")
            continue
        against = mine["ahead of"]
        parts.append(
            f"Of {words}, a linear probe of the synchronization names the right one of {len(mine['categories'])}"
            f" categories for {share_text(mine[SYNCHRONIZATION])}; {chance_text(mine)}. It is "
            + "; ".join(
                compared(against[other], words_of)
                for other, words_of in (
                    ("encoder pool", "the same probe of the encoder's mean output"),
                    ("diagnosis class", "that of the parser's diagnosis"),
                    ("length", "that of the length"),
                    (UNTRAINED, "that of the untrained model's synchronization"),
                )
            )
            + "."
        )
    parts.append("What a probe reads is there; whether the model uses it is another question.")
    return " ".join(parts)


def place_reading(found: Figures) -> str:
    """Does it tell where the bug is?"""
    if "why" in found:
        return f"Nothing can be said: {found['why']}."
    parts = []
    for name, words in (("all", "items with a bug"), ("logic", "logic bugs, which have no diagnosis")):
        mine = found["by group"].get(name)
        if mine is None or "why" in mine:
            parts.append(f"Of {words} nothing can be said: {mine['why'] if mine else 'there are none'}.")
            continue
        against = mine["ahead of"]
        parts.append(
            f"Of {words}, a linear probe names the line for {share_text(mine[SYNCHRONIZATION]['1'])},"
            f" three lines hold it for {share_text(mine[SYNCHRONIZATION]['3'])}. It is"
            f" {compared(against[FREQUENT], 'naming the most frequent line')} and"
            f" {compared(against['pointer'], 'the pointer')}, which names the line for"
            f" {share_text(mine['pointer']['1'])}."
        )
    every = found["by group"]["all"]
    if (
        "why" not in every
        and side(every["ahead of"][FREQUENT]) < 1
        and side(every["ahead of"]["pointer"]) < 0
    ):
        parts.append(
            "So no number of a line was found in the synchronization by itself; the pointer, which compares it with the"
            " encoding of each cell, does find the place."
        )  # fmt: skip
    return " ".join(parts)


def ablation_reading(found: Figures) -> str:
    """Which pairs matter?"""
    if "why" in found:
        return f"Nothing can be said: {found['why']}."
    most = found["by share"][-1]
    mean = most["mean"]
    gap = mean["best more than random, nats"]
    more = {1: "more than the random ones", -1: "less than the random ones", 0: "no more that could be told"}[
        side(gap)
    ]
    beside = f"{most['variance of random']:.2f} times theirs" if most["variance of random"] else "not known"
    stable = found["stability"]
    ranks = (
        f"The effects of single pairs in the two halves of the projects agree with a rank correlation of"
        f" {stable['value']:.2f} (p = {stable['p']:.1g} if pairs were independent; those that share a neuron are not)."
        if stable["value"] is not None
        else f"How stable the ranks are is not known: {stable['why']}."
    )
    return (
        f"{ranks} The {most['pairs']} pairs ({most['share']:.0%}) that matter most in one half, set to their means in"
        f" the other, cost a right edit {number_text(mean['best']['nats lost'])} nats; as many random pairs of nearest"
        f" variance ({beside}) cost {number_text(mean['random']['nats lost'])}. The best pairs cost"
        f" {more} (difference {number_text(gap)}). Without them"
        f" {share_text(mean['best']['edits lost'])} of {found['n']} right first edits are lost, without the random ones"
        f" {share_text(mean['random']['edits lost'])}."
    )


def success_reading(found: Figures) -> str:
    """Does it predict success?"""
    if found[SYNCHRONIZATION]["value"] is None:
        return f"Nothing can be said: {found[SYNCHRONIZATION]['why']}."
    against = found["ahead of"]
    null = found["random labels"]
    return (
        f"A linear probe of the synchronization tells right from wrong first edits with an area under the curve of"
        f" {number_text(found[SYNCHRONIZATION])}"
        + (f" (shuffled labels: {null:.2f}, {p_text(found)})" if null is not None else "")
        + f". It is {compared(against['certainty'], 'the certainty', points=False)};"
        f" {compared(against['length'], 'the length of the code', points=False)};"
        f" {compared(against['category'], 'the category, which no user knows', points=False)}."
    )


def patching_reading(found: Figures) -> str:
    """Is it causal?"""
    if "why" in found:
        return f"Nothing can be said: {found['why']}."
    first, last = found["by tick"][0], found["by tick"][-1]
    carries, own = side(last[MORE_THAN_BROKEN]) > 0, side(last[MORE]) > 0
    ended = (
        "So the state carries that this code needs no edit, beyond what the state of other repaired code does."
        if carries and own
        else "So the state of repaired code carries 'no edit'; whether it must be that of this code was not told apart."
        if carries
        else "So it was not shown that the state decides between an edit and none: that of repaired code was not told"
        " apart from that of other broken code."
    )
    return (
        f"With its repaired twin's state after the last tick, {share_text(last[ITS_TWIN])} of {found['n']} broken texts"
        f" get 'no edit'; with the state of another's twin {share_text(last[ANOTHERS_TWIN])}, of another broken text"
        f" {share_text(last[ANOTHERS_BROKEN])}, with their own none. {ended} Patched after tick {first['tick']},"
        f" {share_text(first[ITS_TWIN])} do. The other way round, {share_text(last[BACK])} of the repaired texts get an"
        " edit with the state of their broken twin after the last tick."
    )


def collapse_reading(found: Figures) -> str:
    """Has it collapsed?"""
    name = "effective rank over samples, last tick"
    own, other = found["trained"][name], found["untrained"][name]
    if own is None:
        return "At the last tick the synchronization does not differ between samples: it has collapsed."
    beside = "not known" if other is None else f"{other:.1f}"
    within = found["trained"]["share of variance between ticks"]
    return (
        f"At the last tick the synchronization has an effective rank of {own:.1f} over samples, of"
        f" {found['trained']['largest possible']} possible; that of the untrained model is {beside}, and that of"
        f" independent numbers {found['independent numbers'][name]:.1f}."
        + (
            ""
            if within is None
            else f" {percent(within)} of its variance is between ticks, the same for all samples."
        )
        + " A rank near 1 would be collapse."
    )
