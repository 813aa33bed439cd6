"""`ctm-pipeline plan`: hours, energy, cost and disk of a config by phase, beside the specification's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ctm.pipeline.estimate import (
    SPECIFICATION,
    SPECIFIED_PRICE,
    SPECIFIED_TOTAL,
    RuleEstimate,
    estimates,
    longest_chain,
)
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
    from ctm.pipeline.checkout import find_checkout
    from ctm.pipeline.ledger import read
    from ctm.pipeline.planning import config_of
    from ctm.pipeline.steps import steps

    root = find_checkout()
    try:
        config = config_of(configfile or [], root)
        entries = read(measured) if measured else []
        if measured and not entries:
            raise ValueError(f"{measured}: no ledger (results/provenance/ledger.jsonl), so no rates")
        table = {name: step for name, step in steps(config).items() if name != "fit_bug_mix"}
        estimated = estimates(config, table.values(), measured, entries, root)
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    lines = [
        *_phases(estimated, config.machine.price_per_kwh, config.machine.currency),
        *_rules(estimated),
        *_larger_machine(estimated, table),
    ]
    for line in lines:
        console.print(line, soft_wrap=True)


def _phases(estimated: Sequence[RuleEstimate], price: float, currency: str) -> list[str]:
    """The table by phase, each figure before the specification's, and what the figures are."""
    lines = [_row("phase", ["hours", "kWh", currency, "disk, GB"])]
    for number, title in PHASES.items():
        said = SPECIFICATION[number]
        mine = [one for one in estimated if one.phase == number]
        theirs = [said.hours, said.kwh, said.kwh * SPECIFIED_PRICE, said.disk_gb]
        lines.append(
            _row(f"{number} {title.partition(': ')[2].partition(',')[0]}", _beside(mine, theirs, price))
        )
    watts = ", ".join(f"{one.watts:g}" for one in SPECIFICATION.values())
    return [
        *lines,
        _row("in all", _beside(estimated, SPECIFIED_TOTAL, price)),
        "",
        "Behind each figure: the specification's, which has hours of writing the code in phase 2 and no train_trm in "
        "phase 3. Hours are of all jobs, one after another. Energy is the run's where it could be measured, else "
        f"assumed: the hours at the specification's {watts} W by phase. Disk is what results/ keeps, work/ with its "
        "downloads and checkpoints apart. +: at least, as some rules are not known.",
        "",
    ]


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:24s}" + "".join(f"{cell:>18s}" for cell in cells)


def _beside(rules: Sequence[RuleEstimate], said: Sequence[float | None], price: float) -> list[str]:
    """Hours, kWh, cost and GB of some rules before the specification's; a plus where one rule is not known."""
    hours, kwh = _sum(rules, lambda one: one.hours), _sum(rules, energy)
    cost = None if kwh is None else kwh * price
    more = "+" if any(one.hours is None for one in rules) else ""
    values = [hours, kwh, cost, _sum(rules, lambda one: one.disk_gb)]
    ours = ["not known" if value is None else f"{_short(value)}{more}" for value in values]
    return [
        f"{mine} / {'-' if their is None else _short(their)}" for mine, their in zip(ours, said, strict=True)
    ]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def energy(one: RuleEstimate) -> float | None:
    """Kilowatt-hours of a rule: as measured, or its hours at what the specification says of its phase."""
    if one.kwh is not None or one.hours is None:
        return one.kwh
    return one.hours * SPECIFICATION[one.phase].watts / 1000


def _sum(rules: Iterable[RuleEstimate], figure: Callable[[RuleEstimate], float | None]) -> float | None:
    known = [value for one in rules if (value := figure(one)) is not None]
    return sum(known) if known else None


def _rules(estimated: Sequence[RuleEstimate]) -> list[str]:
    lines = [f"{'rule':24s}{'hours':>9s}{'disk, GB':>10s}  by what"]
    for one in estimated:
        hours, disk = ("-" if value is None else _short(value) for value in (one.hours, one.disk_gb))
        lines.append(f"{one.rule:24s}{hours:>9s}{disk:>10s}  {one.basis}")
    return [*lines, ""]


def _larger_machine(estimated: Sequence[RuleEstimate], table: Mapping[str, WorkflowStep]) -> list[str]:
    """What more of the same would change, and what it would not."""
    total = _sum(estimated, lambda one: one.hours)
    if total is None:
        return ["What a larger machine changes is not known without a measured run (--measured)."]
    chain, names = longest_chain(estimated, table)
    training = sum(one.longest or 0 for one in estimated if one.rule in names and one.phase == 3)
    costly = sorted(names, key=lambda name: -next(one.longest or 0 for one in estimated if one.rule == name))
    return [
        f"A machine with more of the same cores and memory: from {_short(total)} h, all jobs one after another, to no "
        f"less than {_short(chain)} h, the longest chain of rules that wait for each other (mostly "
        f"{', '.join(costly[:4])}).",
        f"Of that chain {_short(training)} h are stages of training, one after another: a faster accelerator shortens "
        "those, more cores do not.",
    ]
