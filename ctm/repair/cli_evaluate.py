"""`ctm-repair evaluate`: its options. What it does is imported when it is called: `ctm-repair fix` needs none of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ctm.repair.terminal import BundleOption, ThreadsOption


def evaluate(
    pairs: Annotated[
        Path, typer.Argument(help="JSON lines: id, buggy, fixed, category?, kind?, test?, project?.")
    ],
    out: Annotated[Path, typer.Option("--json", help="Where the measures go.", metavar="OUT")],
    bundle: BundleOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N items.")] = None,
    items: Annotated[Path | None, typer.Option(help="Also write each item's answers, as JSON lines.")] = None,
    threads: ThreadsOption = 1,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run tests even where no sandbox can be had.")
    ] = False,
) -> None:
    """Measure a model on pairs: exact match, BIFI measure, harm, tests, false alarms, calibration, coverage.

    The column "95%" has intervals, by bootstrap over projects or, where items name no "project", over items;
    "deletion" what deleting the shortest run of tokens reaches that makes the code compile.
    """
    from ctm.repair.measuring import measure_pairs

    measure_pairs(pairs, out, bundle, limit, items, threads, unsafe)
