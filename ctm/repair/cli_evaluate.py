"""`ctm-repair evaluate`: its options. What it does is imported when it is called: `ctm-repair fix` needs none of it."""

from __future__ import annotations

from pathlib import Path

import click

from ctm.repair.terminal import PATH, bundle_option, threads_option


@click.command(short_help="Measure a model on pairs.")
@click.argument("pairs", type=PATH)
@click.option("--json", "out", type=PATH, required=True, metavar="OUT", help="Where the measures go.")
@bundle_option
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N items.")
@click.option("--items", type=PATH, help="Also write each item's answers, as JSON lines.")
@threads_option
@click.option("--unsafe", is_flag=True, help="Run tests even where no sandbox can be had.")
def evaluate(
    pairs: Path,
    out: Path,
    bundle: Path | None,
    limit: int | None,
    items: Path | None,
    threads: int,
    unsafe: bool,
) -> None:
    """Measure a model on pairs: exact match, BIFI measure, harm, tests, false alarms, calibration, coverage.

    PAIRS: JSON lines with id, buggy, fixed, category?, kind?, test?, project?.

    The column "95%" has intervals, by bootstrap over projects or, where items name no "project", over items;
    "deletion" what deleting the shortest run of tokens reaches that makes the code compile.
    """
    from ctm.repair.measuring import measure_pairs

    measure_pairs(pairs, out, bundle, limit, items, threads, unsafe)
