"""Turns every error of the command into one line on stderr and an exit status.

Python ends with 1 after a traceback, and so do click and rich where a pipe breaks; here 1 means 'repairs
proposed'. So the group of commands runs itself instead of leaving that to click. `CTM_DEBUG=1` shows the traceback.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import click
from click.exceptions import Exit

from ctm.repair.terminal import ERROR, StdoutError, print_error, reason

NAME = "ctm-repair"
DEBUG = "CTM_DEBUG"
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells say it."""


class Guarded(click.Group):
    """A group of commands that ends with a status of ours, whatever happens."""

    def main(self, *_: Any, args: Any = None, **__: Any) -> NoReturn:
        """Run the arguments (of the process, where none are given) and leave."""
        _keep_standard_streams()
        given = sys.argv[1:] if args is None else list(args)
        sys.exit(guarded(lambda: self._run(given)))

    def _run(self, arguments: list[str]) -> int:
        self._main_shell_completion({}, NAME)  # leaves, where a shell asks what could come next
        if not arguments:  # of which releases of click make different things
            click.echo(self.get_help(click.Context(self, info_name=NAME)))
            return ERROR
        try:
            with self.make_context(NAME, arguments) as context:
                self.invoke(context)
        except Exit as error:
            return error.exit_code
        return 0


def guarded(command: Callable[[], int]) -> int:
    """The command's status once stdout has taken everything; else one line on stderr, and ERROR or INTERRUPTED."""
    try:
        status = command()
        _flush()
        return status
    except KeyboardInterrupt:
        print_error("interrupted")
        return INTERRUPTED
    except SystemExit as error:  # rich leaves like this
        if not error.code:
            return 0
        print_error("stdout: broken pipe")
    except StdoutError as error:
        print_error(str(error))
    except Exception as error:
        if isinstance(error, click.ClickException):
            _say_usage(error.format_message(), getattr(error, "ctx", None))
        else:
            print_error(describe(error))
    _give_up_stdout()
    return ERROR


def describe(error: Exception) -> str:
    """One line about an error that nobody foresaw; its traceback on stderr before it, if the user wants it."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{reason(error)}"
    return f"unexpected {type(error).__name__}: {error}; {DEBUG}=1 shows where, please report it"


def _say_usage(message: str, context: Any) -> None:
    """Arguments that cannot be: click's reason, and where help is."""
    command = context.command_path if context is not None else NAME
    print_error(f"{message.strip().removesuffix('.')}; see {command} --help")


def _keep_standard_streams() -> None:
    """Descriptors 0 to 2 are never left free: the next file opened would be taken for stdout. Names always print."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (for as long as the command runs)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flush() -> None:
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as error:
            raise StdoutError(f"stdout: {reason(error)}") from error


def _give_up_stdout() -> None:
    """What is left in the buffer goes nowhere: Python would try again as it ends, and fail with its own status."""
    try:
        _flush()
    except StdoutError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
