"""Shared by the rules' programs: option types, parsing of settings, logging and start."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from ctm.pipeline.shards import shard_number

File = Annotated[Path, typer.Option()]
OptionalFile = Annotated[Path | None, typer.Option()]
Files = Annotated[list[Path], typer.Argument()]
ManyFiles = Annotated[list[Path] | None, typer.Option()]
ManyTexts = Annotated[list[str] | None, typer.Option()]
Text = Annotated[str, typer.Option()]
ManyNames = Annotated[list[str] | None, typer.Argument()]
Number = Annotated[int, typer.Option()]
Size = Annotated[float, typer.Option(help="GB; 0: no cap")]

Kind = TypeVar("Kind")


def given(kind: type[Kind], settings: str) -> Kind:
    """Settings that a rule hands over as JSON. What is out of bounds is said in a line each, and ends the program."""
    try:
        return TypeAdapter(kind).validate_json(settings)
    except ValidationError as error:
        for found in error.errors():
            name = ".".join(map(str, found["loc"])) or "as a whole"
            typer.echo(f"--settings: {name}: {found['msg']} (given: {found['input']!r:.80})", err=True)
        raise typer.Exit(2) from None


def part(shard: str) -> tuple[int, int]:
    """(number from 0, count) of "03-of-64"."""
    return shard_number(shard)


def start(main: Callable[..., Any]) -> None:
    """Run a program; what the package logs goes to standard error with the time of day."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
