"""`ctm-pipeline plan`: hours, energy, cost and disk of a config by phase, beside the specification's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ctm.pipeline.estimate import SPECIFICATION, SPECIFIED_TOTAL, RuleEstimate, estimates, longest_chain
from ctm.pipeline.phases import PHASES
from ctm.pipeline.steps import WorkflowStep

console = Console(highlight=False)


def plan(
    configfile: Annotated[
        list[Path] | None,
        typer.Option("--configfile", help="Laid over config/config.yaml; may be given several times."),
    ] = None,
    measured: Annotated[
        Path | None,
        typer.Option("--measured", help="Folder of a finished run of this machine, with its ledger."),
    ] = None,
) -> None:
    """Say what a config would take, by what a finished run measured. Exit status 0, whatever it takes."""
    from ctm.pipeline.cli import checkout
    from ctm.pipeline.config import read_config
    from ctm.pipeline.ledger import read
    from ctm.pipeline.steps import steps

    root = checkout()
    try:
        config = read_config([root / "config/config.yaml", *(configfile or [])])
        entries = read(measured) if measured else []
        if measured and not entries:
            raise ValueError(f"{measured}: no ledger (results/provenance/ledger.jsonl), so no rates")
        table = {name: step for name, step in steps(config).items() if name != "fit_bug_mix"}
        estimated = estimates(config, table.values(), measured, entries, root)
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    console.print(_phases(estimated, config.machine.price_per_kwh, config.machine.currency))
    console.print(
        "Hours: of jobs, one after another. Energy: measured where the run measured it, else assumed: the hours at "
        f"the specification's {', '.join(f'{one.watts:g}' for one in SPECIFICATION.values())} W by phase.\n"
        "Disk: what results/ keeps; work/ with downloads and checkpoints is apart. +: at least, as some rules are not "
        "known.\n"
    )
    console.print(_rules(estimated))
    for line in _larger_machine(estimated, table):
        console.print(line)


def _phases(estimated: Sequence[RuleEstimate], price: float, currency: str) -> Table:
    shown = Table(
        "phase", "hours", "kWh", currency, "disk, GB", "specification: h", "kWh", "USD", "GB", box=None
    )
    total: list[RuleEstimate] = []
    for number, title in PHASES.items():
        mine, said = [one for one in estimated if one.phase == number], SPECIFICATION[number]
        cells = _cells(mine, price)
        disk = "-" if said.disk_gb is None else f"{said.disk_gb:g}"
        shown.add_row(title, *cells, f"{said.hours:g}", f"{said.kwh:g}", f"{said.kwh * 0.15:.2f}", disk)
        total += mine
    hours, kwh, cost, disk_gb = SPECIFIED_TOTAL
    shown.add_row("in all", *_cells(total, price), f"{hours:g}", f"{kwh:g}", f"{cost:g}", f"{disk_gb:g}")
    return shown


def _cells(rules: Sequence[RuleEstimate], price: float) -> list[str]:
    """Hours, kWh, cost and GB of some rules; a plus where one of them is not known, words where none is."""
    hours, kwh = _sum(rules, lambda one: one.hours), _sum(rules, energy)
    cost = None if kwh is None else kwh * price
    open_ = any(one.hours is None for one in rules)
    values = [hours, kwh, cost, _sum(rules, lambda one: one.disk_gb)]
    return ["not known" if value is None else f"{value:,.3g}{'+' if open_ else ''}" for value in values]


def energy(one: RuleEstimate) -> float | None:
    """Kilowatt-hours of a rule: as measured, or its hours at what the specification says of its phase."""
    if one.kwh is not None or one.hours is None:
        return one.kwh
    return one.hours * SPECIFICATION[one.phase].watts / 1000


def _sum(rules: Iterable[RuleEstimate], figure: Callable[[RuleEstimate], float | None]) -> float | None:
    known = [value for one in rules if (value := figure(one)) is not None]
    return sum(known) if known else None


def _rules(estimated: Sequence[RuleEstimate]) -> Table:
    shown = Table("rule", "hours", "disk, GB", "by what", box=None)
    for one in estimated:
        figures = ["-" if value is None else f"{value:,.3g}" for value in (one.hours, one.disk_gb)]
        shown.add_row(one.rule, *figures, one.basis)
    return shown


def _larger_machine(estimated: Sequence[RuleEstimate], table: Mapping[str, WorkflowStep]) -> list[str]:
    """What more of the same would change, and what it would not."""
    total = _sum(estimated, lambda one: one.hours)
    if total is None:
        return ["What a larger machine changes is not known without a measured run (--measured)."]
    chain, names = longest_chain(estimated, table)
    training = sum(one.longest or 0 for one in estimated if one.rule in names and one.phase == 3)
    costly = sorted(names, key=lambda name: -next(one.longest or 0 for one in estimated if one.rule == name))
    return [
        "",
        f"A machine with more of the same cores and memory: from {total:,.3g} h, all jobs one after another, to no "
        f"less than {chain:,.3g} h, the longest chain of rules that wait for each other (mostly "
        f"{', '.join(costly[:4])}).",
        f"Of that chain {training:,.3g} h are stages of training, one after another: a faster accelerator shortens "
        "those, more cores do not.",
    ]
