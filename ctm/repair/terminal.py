"""What both commands of `ctm-repair` share: options, the bundle, one line for each error, and writing to stdout."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from pathlib import Path
from typing import Any

import click
from click.exceptions import Exit

from ctm.repair.bundle import Bundle, BundleError, check_bundle, find_bundle, load_bundle

ERROR = 2
"""Exit status of an error."""
MAX_THREADS = max(64, os.cpu_count() or 1)
"""More than the processors are of no use, and each takes memory: 100,000 took 17 GB."""


class _Named(click.Path):
    """A path; "", which a variable that is not set leaves, is none (pathlib takes it for the working folder)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name is empty", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Named(path_type=Path)
"""Type of an option that names a file or a folder, which need not exist."""
bundle_option = click.option(
    "--bundle",
    type=PATH,
    metavar="DIR",
    help="Folder of the model; default: $CTM_BUNDLE, or the one of the package.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, MAX_THREADS),
    default=1,
    show_default=True,
    help="Threads for the model.",
)


class StdoutError(Exception):
    """What belongs on stdout cannot be written there; the message says why."""


def finite(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Callback of options that take a float: NaN is within every range. Raises click.BadParameter."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a number")
    return value


def find_model(given: Path | None) -> Path:
    """Folder of the model, looked at and not read. Raises CommandRefused."""
    try:
        found = find_bundle(given)
        check_bundle(found)
    except BundleError as error:
        raise error_exit(str(error)) from error
    return found


def load_model(folder: Path, threads: int) -> Bundle:
    """Raises CommandRefused."""
    try:
        return load_bundle(folder, threads)
    except BundleError as error:
        raise error_exit(str(error)) from error


def print_raw(text: str, encoding: str = "utf-8") -> None:
    """To stdout in the file's own encoding: a diff must hold the bytes that the file has. Raises StdoutError."""
    if not text:
        return
    raw = encoded(text, encoding)
    if sys.stdout is None:
        raise StdoutError("stdout: closed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise StdoutError(f"stdout: {reason(error)}") from error


def encoded(text: str, encoding: str = "utf-8") -> bytes:
    """The bytes of what is printed; what an encoding cannot hold is escaped."""
    try:
        return text.encode(encoding, errors="surrogateescape")
    except UnicodeEncodeError:  # the file's name, in the header
        return text.encode(encoding, errors="backslashreplace")


def read_stdin(limit: int) -> bytes:
    """Up to `limit` bytes. Raises OSError, also where stdin is closed."""
    if sys.stdin is None:
        raise OSError("stdin is closed")
    return sys.stdin.buffer.read(limit)


def print_error(message: str) -> None:
    """One line on stderr; where not even that can be written there is nobody to tell."""
    if sys.stderr is None:
        return
    try:
        print(f"ctm-repair: {visible(message)}", file=sys.stderr, flush=True)
    except OSError:
        with contextlib.suppress(
            OSError, ValueError
        ):  # what is left in its buffer would spoil the status at the end
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stderr.fileno())
            os.close(null)


def visible(text: str) -> str:
    """The text as one line that moves no cursor and changes no color: control characters and the like escaped."""
    line = " ".join(text.splitlines())
    return escaped(line)


def escaped(text: str) -> str:
    """The text with all that is not printable escaped as Python writes it; line ends, too."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def reason(error: OSError) -> str:
    """What the system said, without number and path."""
    return (error.strerror or str(error) or type(error).__name__).lower()


class CommandRefused(Exit):
    """The command cannot run at all, whatever its files are."""


def error_exit(message: str) -> CommandRefused:
    print_error(message)
    return CommandRefused(ERROR)
