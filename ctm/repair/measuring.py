"""What `ctm-repair evaluate` does: reads pairs, measures a model on them, writes the measures and prints a table."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.exceptions import Exit
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ctm.repair.evaluate import DELETION, Evaluator, ItemsError, delete_shortest, read_items
from ctm.repair.metrics import report
from ctm.repair.outputs import OutputError, check_outputs, descriptor_of, write_output
from ctm.repair.sandbox import unavailable
from ctm.repair.terminal import (
    ERROR,
    error_exit,
    find_model,
    load_model,
    print_error,
    print_raw,
    visible,
)

WIDEST = 1000
"""Columns of characters that no table needs."""


def measure_pairs(
    pairs: Path,
    out: Path,
    bundle: Path | None,
    limit: int | None,
    items: Path | None,
    threads: int,
    unsafe: bool,
) -> None:
    """See `ctm.repair.cli_evaluate.evaluate`. Raises Exit, also where a result could not be written."""
    outputs = [out] if items is None else [out, items]
    _check(outputs, [pairs])
    try:
        todo = read_items(pairs, limit)
    except ItemsError as error:
        raise error_exit(str(error)) from error
    except OSError as error:
        raise error_exit(f"{pairs}: {(error.strerror or str(error)).lower()}") from error
    model = load_model(find_model(bundle), threads)
    _check(outputs, model.path.iterdir())
    run_tests = any(item.test for item in todo)
    if run_tests and not unsafe and (why := unavailable()):
        print_error(f"tests are not run: {why}; --unsafe runs them without isolation")
        run_tests = False
    evaluator = Evaluator(
        model.proposer,
        model.tokenizer,
        model.threshold,
        model.further,
        model.confidence,
        run_tests=run_tests,
        unsafe=unsafe,
        threads=threads,
    )
    begin = time.perf_counter()
    columns = (TextColumn("evaluate"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=len(todo))
        results = evaluator.evaluate(todo, lambda done: progress.advance(task, done))
    seconds = time.perf_counter() - begin
    baselines = {DELETION: delete_shortest(todo)}
    measures = report([result.outcome for result in results], baselines)
    written = _write(out, json.dumps(measures, indent=1) + "\n")
    if items is not None:
        rows = "".join(json.dumps(result.as_row()) + "\n" for result in results)
        written = _write(items, rows) and written
    summary = (
        f"{len(todo)} items in {seconds:.1f} s, {len(todo) / seconds:.1f} a second; {visible(str(out))}\n"
        f"{_unreachable(measures['unreachable'], len(todo))}"
    )
    # where a result went to stdout, nothing else goes there
    _print(measures, Text(summary), to_stderr=any(descriptor_of(path) == 1 for path in outputs))
    if not written:
        raise Exit(ERROR)


def _print(measures: dict[str, Any], summary: Text, to_stderr: bool) -> None:
    """As rich does, but not by rich itself: it ends the command with 1 where a pipe breaks.

    The table has a column of intervals where it is narrow enough for one.
    """
    stream = sys.stderr if to_stderr else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    file = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace")
    console = Console(file=file, force_terminal=(stream is not None and stream.isatty()) or None)
    table = _table(measures, intervals=True)
    unbounded = console.options.update(width=WIDEST)
    if console.measure(table, options=unbounded).maximum > console.width:
        table = _table(measures, intervals=False)
    console.print(table)
    console.print(summary, soft_wrap=True)
    file.seek(0)
    if to_stderr:
        print(file.read(), end="", file=sys.stderr)
    else:
        print_raw(file.read(), encoding)


def _unreachable(counted: dict[str, Any], n: int) -> str:
    scope, broken = counted["out_of_scope"], counted["fixed_does_not_compile"]
    return (
        f"{scope + broken} of {n} items ({counted['share']:.1%}) cannot be solved: {scope} out of scope, "
        f"{broken} whose fixed side does not compile"
    )


def _table(measures: dict[str, Any], intervals: bool) -> Table:
    columns = {"all": measures["all"]}
    if intervals:
        columns[f"{measures['intervals']['level']:.0%}"] = measures["intervals"]["all"]
    columns |= {"in scope": measures["in_scope"], **measures["by_category"], **measures.get("baselines", {})}
    table = Table("", *(escape(visible(name)) for name in columns))  # a category is no markup
    for column in table.columns[1:]:
        column.justify = "right"
    for name in measures["all"]:
        label = name.replace("_", " ")
        table.add_row(label, *(_figure(name, values.get(name, "")) for values in columns.values()))
    return table


def _figure(name: str, value: float | tuple[float, float] | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return f"{100 * value[0]:.1f}-{100 * value[1]:.1f}"
    if name == "n":
        return str(value)
    return (
        f"{value:.3f}"
        if name in ("ece", "auroc")
        else f"{value:.1f}"
        if name == "ticks_mean"
        else f"{100 * value:.1f} %"
    )


def _check(outputs: list[Path], inputs: Iterable[Path]) -> None:
    try:
        check_outputs(outputs, inputs)
    except OutputError as error:
        raise error_exit(str(error)) from error


def _write(path: Path, text: str) -> bool:
    """Whether it was written; if not, stderr says why, and what else was measured is still shown."""
    try:
        write_output(path, text)
    except OutputError as error:
        print_error(str(error))
        return False
    return True
