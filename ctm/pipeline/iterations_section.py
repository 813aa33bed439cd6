"""The report's section on the ticks: does the model think, at what, and what ending thoughts early saves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ctm.analysis.plots import exits_plot, flips_plot, tick_plots
from ctm.pipeline.does_it_think import answer
from ctm.pipeline.svg import svg_of
from ctm.pipeline.tables import Block, Section, Table, rows
from ctm.shares import COLUMNS, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Figures = Mapping[str, Any]
NOTE = (
    "All of it is about the likeliest first edit of a thought, read at one tick and checked by no compiler, on test "
    "projects that never trained. Categories are means of their kinds, overall is the mean of the categories but "
    "clean. Intervals are 95 %, by projects."
)
CAPTIONS = {
    "accuracy_by_tick": "Above: how many answers are right if a thought is read at that tick; look where the lines "
    "stop rising. Middle: what the model says of itself at that tick. Below: whether longer code gets more ticks.",
    "flips_by_tick": "Upward what a tick wins, downward what it loses against the tick before. Where both are as "
    "large, ticks only trade answers.",
    "early_exit": "To the left is cheaper, higher is better. The oracles know which answer is right: no rule of "
    "ending a thought can do better with these ticks.",
}
"""By the name of the picture, what there is to see."""


def thinking_section(figures: dict[str, Any]) -> Section:
    """The answer that most readers come for; all else about ticks is a section of its own."""
    table = _added(figures["does_it_think"])
    return Section("Does it think?", [Block("", _ADDED, table)], answer(figures))


def iterations_section(figures: dict[str, Any]) -> Section:
    """The section, from what rule analyze_iterations wrote."""
    early, followed = figures["early_exit"], figures["followed"]
    blocks = [
        _picture("accuracy_by_tick", "First edit by tick", tick_plots(figures)),
        Block("By tick and category", _BY_TICK, _by_tick(figures["stopped_at"]), fold=True),
        _picture("flips_by_tick", "What a tick wins and loses", [flips_plot(figures)]),
        Block("Controls at equal compute", _CONTROLS, _controls(followed["controls"])),
        Block("The tick from which an answer stays right", _CRITICAL, _critical(figures["critical"])),
        _picture("early_exit", "Ending thoughts early", [exits_plot(early)]),
        Block("Ends of thoughts", _exits_note(early), _exits(early["exits"])),
        Block("Accuracy against compute", _SCALING, _scaling(followed["scaling"])),
        Block("Settling", _SETTLING, _settling(followed["settling"]), fold=True),
        Block("Difficulty and ticks", _DIFFICULTY, _difficulty(figures["difficulty"]["measures"])),
        Block("Ticks by difficulty", _GROUPS, _groups(figures["by_difficulty"]), fold=True),
        Block("Expected by the specification", _EXPECTED, _expected(figures["expectations"])),
    ]
    return Section("Ticks", blocks, NOTE)


def _picture(name: str, title: str, drawings: Sequence[Figure]) -> Block:
    return Block(title, CAPTIONS[name], svg=svg_of(drawings), file=f"reports/{name}.png")


_ADDED = (
    "Of first edits at single ticks. The tick in the middle is the best one of the validation items, so that it is not "
    "better by chance; most certain is the tick that is read in use."
)
_BY_TICK = "First edits that are exactly right if a thought is read at that tick, with 95 % intervals."
_GROUPS = "Ticks until a thought ends by its threshold: does harder code get more? Critical: of those that have one."
_CONTROLS = (
    "The same trained model on the same items. Frozen: neurons and traces stay as before the first tick, only the "
    "sums of the synchronization go on. Shuffled: before each tick the steps of every trace change places. Ahead: by "
    "how much the model as it is has more right answers at its most certain tick. The controls never trained this "
    "way, so part of what they lose is surprise; controls that are trained are in `make compare`."
)
_CRITICAL = (
    "Of all items, each alike. Between: right at some tick, wrong at the last. Quantiles are of the items that stay "
    "right."
)
_SCALING = (
    "Answers are the most certain of so many ticks; ticks beyond the trained number are marked. Compute is of matrix "
    "products, seconds of one thread in batches."
)
_SETTLING = (
    "Moved: the length of what a tick changes in the neurons' activations, as a share of their own length (1: as far "
    "as they are long); readout: the same of the synchronization that answers are read from. Same span: share of "
    "items whose likeliest span is that of the last tick."
)
_DIFFICULTY = (
    "Spearman's rank correlation over items with a bug; 0 is none. The certainty of the first tick stands for how "
    "hard an item is to a smaller model; it is the model's own, so no independent witness."
)
_EXPECTED = (
    "The specification's ticks are of 64 and scaled to the model's. No mark: not tested at this scale."
)


def _gain(gain: Figures) -> str:
    if gain["gain"] is None:
        return "-"
    ends = gain["interval"]
    within = "" if ends is None else f" ({100 * ends[0]:+.1f} to {100 * ends[1]:+.1f})"
    return f"{100 * gain['gain']:+.1f}{within}"


def _added(said: Figures) -> Table | None:
    if said["best_tick"] is None:
        return None
    accuracy, at = said["accuracy"], ("first", "best", "last", "read")
    head = [
        "",
        "tick 1",
        f"tick {said['best_tick']}",
        "last",
        "most certain",
        "1 to best, points",
        "best to last",
    ]
    items = [
        (
            name,
            *(percent(accuracy[place][name]) for place in at),
            _gain(said["first_to_best"][name]),
            _gain(said["best_to_last"][name]),
        )
        for name in COLUMNS
    ]
    items += [
        (
            f"overall, {name} (n = {group['n']:,})",
            *(percent(group["accuracy"][place]) for place in at),
            _gain(group["first_to_best"]),
            _gain(group["best_to_last"]),
        )
        for name, group in said["by_edits"].items()
    ]
    return rows(head, items)


def _controls(controls: Figures) -> Table:
    return rows(
        ["", *COLUMNS, "ahead overall, points"],
        [
            (
                name,
                *(percent(control["accuracy"][column]) for column in COLUMNS),
                "" if control["ahead"] is None else _gain(control["ahead"]["overall"]),
            )
            for name, control in controls["by_control"].items()
        ],
    )


def _critical(critical: Figures) -> Table:
    head = ["", "items", "stays right", "between", "never right", "tick: 25 %", "median", "75 %", "90 %"]
    return rows(
        head,
        [
            (
                name,
                found["n"],
                _share(found["settled"], found["interval"]),
                percent(found["between"]),
                percent(found["never"]),
                *(found["quantiles"] or [None] * 4),
            )
            for name in COLUMNS
            if (found := critical.get(name))
        ],
    )


def _by_tick(stopped: Sequence[Figures]) -> Table:
    return rows(
        ["tick", *COLUMNS],
        [
            (row["tick"], *(_share(row["accuracy"][name], row["intervals"][name]) for name in COLUMNS))
            for row in stopped
        ],
    )


def _share(value: float | None, ends: Sequence[float] | None) -> str:
    return percent(value) + (
        "" if ends is None or value is None else f" ({100 * ends[0]:.0f} to {100 * ends[1]:.0f})"
    )


def _exits_note(figures: Figures) -> str:
    """What the promises are, and which cannot be made."""
    sure = f"{figures['confidence']:.0%}"
    text = (
        "'In use' is the bundle's threshold. 'At most x lost': the lowest certainty at which, by the validation items, "
        f"no more than that share of answers becomes wrong, with {sure} confidence. Lost and won are shares of these "
        "test items, against all ticks."
    )
    for promise in figures["promises"]:
        if promise["threshold"] is None:
            text += (
                f" At most {promise['allowed']:.1%} cannot be promised: {promise['items']:,} validation items bound "
                f"the loss at {promise['bound']:.2%} at best; {promise['items_needed']:,} are needed, or more."
            )
    return text


def _exits(exits: Sequence[Figures]) -> Table:
    head = [
        "",
        "certainty",
        "ticks",
        "overall",
        "change, points",
        "clean",
        "lost",
        "won",
        "ticks saved",
        "FLOP saved",
    ]
    return rows(
        head,
        [
            (
                row["exit"],
                row["threshold"],
                round(row["ticks_mean"], 2),
                percent(row["overall"]),
                "" if row["change"] is None else _gain(row["change"]),
                percent(row["clean"]),
                percent(row["lost"]),
                percent(row["won"]),
                percent(row["ticks_saved"]),
                percent(row["flops_saved"]),
            )
            for row in exits
        ],
    )


def _scaling(scaling: Sequence[Figures]) -> Table:
    head = ["ticks", *COLUMNS, "that tick, overall", "GFLOP", "ms"]
    return rows(
        head,
        [
            (
                f"{row['ticks']}" if row["trained"] else f"{row['ticks']} (untrained)",
                *(
                    _share(row["accuracy"][name], row["interval"] if name == "overall" else None)
                    for name in COLUMNS
                ),
                percent(row["accuracy_of_the_tick"]["overall"]),
                None if row["flops"] is None else row["flops"] / 1e9,
                None if row["seconds"] is None else 1000 * row["seconds"],
            )
            for row in scaling
        ],
    )


def _settling(settling: Figures) -> Table:
    titles = {"moved": "moved", "readout_moved": "readout", "same_span": "same span"}
    ticks = len(settling["moved"].get("all", []))
    return rows(
        ["", "items", *(str(tick) for tick in range(1, ticks + 1))],
        [
            (f"{title}: {group}", settling["n"][group], *values)
            for name, title in titles.items()
            for group, values in settling[name].items()
            if group not in COLUMNS
        ],
    )


def _difficulty(measures: Figures) -> Table:
    thinking = list(next(iter(measures.values()), {}))
    return rows(
        ["", *thinking],
        [
            (name.replace("_", " "), *(_correlation(found[title]) for title in thinking))
            for name, found in measures.items()
        ],
    )


def _correlation(found: Figures) -> str:
    if found["correlation"] is None:
        return "-"
    ends = found["interval"]
    within = "" if ends is None else f" ({ends[0]:+.2f} to {ends[1]:+.2f})"
    return f"{found['correlation']:+.2f}{within}, n = {found['n']:,}"


def _groups(by_difficulty: Mapping[str, Sequence[Figures]]) -> Table:
    return rows(
        ["", "group", "items", "ticks taken", "right", "critical tick"],
        [
            (title, g["group"], g["n"], g["ticks"], percent(g["right"]), g["critical"])
            for title, groups in by_difficulty.items()
            for g in groups
        ],
    )


def _expected(expectations: Sequence[Figures]) -> Table:
    return rows(
        ["", "expected", "found", "met"],
        [(row["category"], row["expected"], _found(row), row["met"]) for row in expectations],
    )


def _found(row: Figures) -> str:
    if row["found"] is None:
        return str(row["why"])
    return f"tick {row['found']}" if isinstance(row["found"], int) else f"{_gain(row['found'])} points"
