"""The dashboard as one page: where the run stands, curves, energy, and links to the pages of its days."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ctm.files import write_text
from ctm.pipeline.curves import training_curves
from ctm.pipeline.dashboard.days import MARKS, day_name, day_page
from ctm.pipeline.dashboard.records import Records, read
from ctm.pipeline.dashboard.rows import Figure, Row
from ctm.pipeline.dashboard.state import BASELINE, State, state_now, state_on
from ctm.pipeline.energy_section import energy_block
from ctm.pipeline.page import render
from ctm.pipeline.rule_graph import rules_block, rules_of
from ctm.pipeline.run_records import RunRecords
from ctm.pipeline.sections import MachineBudget
from ctm.pipeline.tables import Block, Cell, Section, Table, rows

log = logging.getLogger(__name__)
FOLDER = Path("results/dashboard")
INDEX = "index.html"


@dataclass
class Curves:
    """Drawings of the training, made again only where a stage has written: they take a second of a processor."""

    known: tuple[object, ...] = ()
    svg: str = field(default="", repr=False)

    def of(self, records: Records) -> str:
        """SVGs of all stages of the curriculum in the order they were trained; empty where none has written."""
        lines = {stage.name: stage.lines for stage in records.stages if stage.name != BASELINE}
        state = tuple((name, len(of_stage)) for name, of_stage in lines.items())
        if state != self.known:
            self.known, self.svg = state, training_curves(lines)
        return self.svg


@dataclass(frozen=True)
class Price:
    """Of a kilowatt-hour."""

    amount: float
    currency: str


def write_dashboard(records: Records, price: Price) -> list[Path]:
    """Write index.html and the pages of all days into results/dashboard of the run; the paths, index first.

    Each file is whole or not at all. Raises OSError.
    """
    folder = records.run / FOLDER
    index = folder / INDEX
    write_text(index, index_page(records, state_now(records), price, Curves(), live=False))
    written = [index]
    for day in records.days():
        path = folder / day_name(records.number(day))
        write_text(path, day_page(state_on(records, day)))
        written.append(path)
    return written


def after_a_run(run: Path, machine: MachineBudget) -> None:
    """Write the pages as Snakemake is about to end. Raises nothing: a run must not fail because of them."""
    try:
        found = read(run)
        if found.sessions:
            found.sessions[-1].over = True  # which its log says later
        found = dataclasses.replace(found, alive=False)
        write_dashboard(found, Price(machine.price_per_kwh, machine.currency))
    except Exception as error:
        log.warning("results/dashboard/ was not written: %s: %s", type(error).__name__, error)


def index_page(records: Records, state: State, price: Price, curves: Curves, live: bool) -> str:
    """Text of the page. live: whether a server sends what changes; without one the page needs no script."""
    return render("dashboard/index.html.j2", **_content(records, state, price, curves, live), live=live)


def fragment(records: Records, state: State, price: Price, curves: Curves) -> str:
    """The part of the page that changes."""
    return render("dashboard/now.html.j2", **_content(records, state, price, curves, True))


def _content(records: Records, state: State, price: Price, curves: Curves, live: bool) -> dict[str, object]:
    return {
        "state": state,
        "sections": sections(records, state, price, curves.of(records), live),
        "days": [(day_name(records.number(day)), records.number(day), day) for day in records.days()],
        "marks": MARKS,
    }


def sections(records: Records, state: State, price: Price, svg: str, live: bool) -> list[Section]:
    """The tables of the template, then progress, curves and energy."""
    address = (lambda path: "") if live else (lambda path: _address(records.run / path, records.run / FOLDER))
    stage = f", {state.stage}" if state.stage else ""
    metrics = next((s.path for s in records.stages if s.name == state.stage), None)
    file = address(metrics.relative_to(records.run)) if metrics else ""
    training = (
        [
            Block(
                "Against its next milestone, or its last",
                "",
                _against("checkpoint target", state.training),
                file=file,
            ),
            Block("What only a CTM has", table=_figures(state.model), file=file),
        ]
        if state.training
        else [Block(note=_untrained(records))]
    )
    made = [
        Section(
            "Resource utilization",
            [
                Block(state.task, f"Source: {state.use_source}.", _against("target", state.resources)),
                *_machine(state),
            ],
        ),
        Section(f"Training metrics{stage}", training),
        Section(
            "Jobs",
            [
                Block(
                    "Done in this start of Snakemake",
                    "What was up to date when it began is not counted.",
                    rows(["phase", "done", "planned"], state.progress),
                )
            ],
        ),
    ]
    if graph := rules_block(rules_of(records.run, records.entries), state.running, state.planned):
        made.append(Section("Rules", [graph]))
    if svg:
        note = "Over the samples of all stages, one behind the other."
        made.append(Section("Curves", [Block("Training so far", note, svg=svg)]))
    if energy := energy_block(records.entries, price.amount, price.currency):
        made.append(Section("Energy", [energy]))
    return made


def _untrained(records: Records) -> str:
    """Why there are no figures of training."""
    if bucket := RunRecords(records.run, records.entries).bucket:
        return f"No stage of training runs; the figures of those that ended lie in {bucket}/results/training."
    return "No stage of training has written any figure yet."


def _machine(state: State) -> list[Block]:
    machine = state.machine
    if machine is None:
        return []
    items = [
        ("processes at work", f"{machine.load:.1f} of {machine.cores} cores"),
        ("memory in use", f"{machine.ram_used_gb:.1f} of {machine.ram_gb:.1f} GB"),
        ("disk free", f"{machine.disk_free_gb:,.0f} of {machine.disk_gb:,.0f} GB"),
    ]
    return [Block("This machine now", "All of it, whoever uses it.", rows(["what", "figure"], items))]


def _against(target: str, items: Sequence[Row]) -> Table:
    marks = {True: "yes", False: "no", None: ""}
    return Table(
        ["metric", "current", target, "status"],
        [
            [Cell(row.metric), Cell(row.current), Cell(row.target), Cell(row.mark, mark=marks[row.met])]
            for row in items
        ],
    )


def _figures(items: Sequence[Figure]) -> Table:
    return Table(
        ["metric", "value", "notes"],
        [[Cell(item.metric), Cell(item.value), Cell(item.note)] for item in items],
    )


def _address(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
