"""What both commands of `ctm-repair` share: the bundle, one line for each error, and writing to stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ctm.repair.bundle import Bundle, BundleError, find_bundle, load_bundle

ERROR = 2
"""Exit status of an error."""

BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle", help="Folder of the model; default: results/final, or else $CTM_BUNDLE.", metavar="DIR"
    ),
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, help="Threads for the model.")]


def load_model(bundle: Path | None, threads: int) -> Bundle:
    try:
        return load_bundle(find_bundle(bundle), threads)
    except BundleError as error:
        raise stop(str(error)) from error


def print_raw(text: str, encoding: str = "utf-8") -> None:
    """To stdout in the file's own encoding: a diff must hold the bytes that the file has."""
    sys.stdout.flush()
    try:
        raw = text.encode(encoding, errors="surrogateescape")
    except UnicodeEncodeError:  # the file's name, in the header
        raw = text.encode(encoding, errors="backslashreplace")
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()


def complain(message: str) -> None:
    line = f"ctm-repair: {message}".replace("\n", " ")
    typer.echo(line.encode("utf-8", "backslashreplace").decode(), err=True)


def stop(message: str) -> typer.Exit:
    complain(message)
    return typer.Exit(ERROR)
