"""`ctm-pipeline trace`: where an artifact or a pair came from, and whether files are still what the ledger says."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from ctm.pipeline.run_records import RunRecords
    from ctm.pipeline.trace import Fault, Node

SHOWN = 4
"""Sources of one dump, and commits of one source, that are shown without --all."""
MANY = 8
"""Files of jobs above that are named in one line without --all."""
WIDE = 4000
"""Columns where the output is no terminal: nothing is wrapped, so that it can be searched by lines."""
console = Console(highlight=False)


def trace(
    artifact: Annotated[
        Path | None, typer.Argument(help="A file of the run, such as results/final/ctm.onnx.")
    ] = None,
    directory: Annotated[Path, typer.Option(help="Folder of a run, such as runs/demo.")] = Path("."),
    pair: Annotated[
        str | None, typer.Option(metavar="ID", help="A pair's identity, or its beginning.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Hash every file of the tree again; without ARTIFACT, of the whole run."
        ),
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Show every shard, release and commit.")] = False,
) -> None:
    """Print what an artifact was made of, down to releases and commits, or where a pair came from.

    Exit status 1: --verify found files that differ, are missing, or are not in the ledger.
    """
    from ctm.pipeline.run_records import read_records
    from ctm.pipeline.trace import check, check_all, nearest, run_of
    from ctm.pipeline.trace import trace as tree_of

    if (artifact is not None) + (pair is not None) + (verify and artifact is None) != 1:
        _refuse(
            "give a file of a run, --pair ID, or --verify alone for every file: ctm-pipeline trace --help"
        )
    try:
        records = read_records(run_of(artifact, directory) if artifact else directory)
        if pair is not None:
            _refuse_elsewhere(records)
            _show_pair(records, pair)
            return
    except (OSError, ValueError) as error:
        _refuse(str(error))
    if verify:
        _refuse_elsewhere(records)
    if artifact is None:
        _tell(*check_all(records), records)
        return
    try:
        node = tree_of(records, nearest(records, artifact))
    except KeyError as error:
        _refuse(_unknown(records, str(error.args[0])))
    number, faults = check(records, node) if verify else (0, [])
    _draw(_tree(node, {fault.path for fault in faults}, every))
    if told := _elsewhere(records):
        console.print(f"By the ledger alone: {told}", soft_wrap=True)
    if verify:
        _tell(number, faults, records)


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def _elsewhere(records: RunRecords) -> str:
    """Where the files of a run are that lie in a bucket; "": all are in the run's folder, or have been."""
    from ctm.pipeline.storage import elsewhere

    if not records.bucket or not records.gone:
        return ""
    missing = f"{len(records.gone):,} of {len(records.files):,} files are not in {records.run}"
    return f"{missing}: {elsewhere(records.bucket, records.run)}"


def _refuse_elsewhere(records: RunRecords) -> None:
    """End where files have to be read that lie in a bucket."""
    if told := _elsewhere(records):
        _refuse(told)


def _unknown(records: RunRecords, path: str) -> str:
    near = difflib.get_close_matches(path, records.latest, 3)
    meant = f"; is it {' or '.join(near)}?" if near else ""
    return f"{path}: no job of the ledger in {records.run} made it ({len(records.latest):,} files){meant}"


def _tell(number: int, faults: Sequence[Fault], records: RunRecords) -> None:
    """What was verified; ends with exit status 1 if anything is wrong."""
    for fault in faults:
        entry = records.latest.get(fault.path)
        maker = f" (made by {entry.rule}, {_time(entry.ended)})" if entry else ""
        console.print(Text(f"✗ {fault.path} {fault.what}{maker}", style="red"), soft_wrap=True)
    if faults:
        many = "fault" if len(faults) == 1 else "faults"
        remedy = "Delete what differs and start the run again: it is made anew."
        console.print(f"{number:,} files hashed, {len(faults):,} {many}. {remedy}", soft_wrap=True)
        raise typer.Exit(1)
    console.print(f"{number:,} files hashed, all as in the ledger")


def _draw(tree: Tree) -> None:
    if not console.is_terminal:
        console.width = WIDE
    console.print(tree)


def _tree(node: Node, faulty: set[str], every: bool) -> Tree:
    tree = Tree(_label(node, faulty))
    for note in node.notes:
        tree.add(Text(note, style="yellow"))
    for source in node.sources if every else node.sources[:SHOWN]:
        branch = tree.add(Text(source.text))
        for commit in source.commits if every else source.commits[:SHOWN]:
            branch.add(Text(f"commit {commit}"))
        _rest(branch, len(source.commits), every, "commits")
    _rest(tree, len(node.sources), every, "sources")
    above = [] if every else [one for one in node.inputs if one.is_repeated and one.path not in faulty]
    for one in node.inputs:
        if one not in above:
            tree.children.append(_tree(one, faulty, every))
    if above:
        shown = ", ".join(one.path for one in above[:MANY])
        more = f" and {len(above) - MANY:,} more (--all)" if len(above) > MANY else ""
        tree.add(Text(f"and of jobs above: {shown}{more}", style="dim"))
    return tree


def _rest(tree: Tree, number: int, every: bool, what: str) -> None:
    if number > SHOWN and not every:
        tree.add(Text(f"{number - SHOWN:,} more {what} (--all)", style="dim"))


def _label(node: Node, faulty: set[str]) -> Text:
    from ctm.pipeline.run_records import job_name, seconds

    text = Text(
        f"✗ {node.path}" if node.path in faulty else node.path,
        style="bold red" if node.path in faulty else "bold",
    )
    file = node.made or node.read
    if file and file.sha256:
        text.append(f"  {file.sha256[:16]}  {_size(file.size)}", style="not bold dim")
    if node.entry is None:
        outside = Path(node.path).is_absolute()
        text.append(
            "  from outside of the run" if outside else "  in no line of the ledger", style="not bold"
        )
    elif node.is_repeated:
        text.append(f"  {job_name(node.entry)}, above", style="not bold")
    else:
        took = seconds(node.entry)
        text.append(
            f"\n{job_name(node.entry)}, {_time(node.entry.ended)}"
            f"{f', {took:,.1f} s' if took is not None else ''}",
            style="not bold",
        )
    return text


def _show_pair(records: RunRecords, name: str) -> None:
    from ctm.pipeline.pair_origin import way_back

    place: Tree | None = None
    for step in way_back(records, name):
        label = Text(step.title, style="bold")
        file, entry = records.files.get(step.path), records.latest.get(step.path)
        if step.path:
            label.append(f"\n{step.path}", style="not bold")
        if file and entry:
            label.append(f"  {file.sha256[:16]}  {entry.rule}, {_time(entry.ended)}", style="not bold dim")
        elif step.path:
            label.append("  in no line of the ledger", style="not bold")
        for key, value in step.facts:
            label.append(f"\n{key:14s} {value}", style="not bold")
        if place is None:
            root = place = Tree(label)
        else:
            place = place.add(label)
    _draw(root)


def _time(text: str) -> str:
    """ISO 8601 without its fraction: "2026-11-29 10:00:00Z"."""
    return text[:19].replace("T", " ") + text[-1:]


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size:,} B"
