"""What is easily written wrong behind `ctm-pipeline run`, said in a line before Snakemake reads it.

Options of Snakemake that take several values take every word up to the next option, the target too, and a file that is
not there ends in a traceback of forty lines. Which options these are, Snakemake's own parser says.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

_FILES, _FOLDER, _WORKFLOW = "--configfile", "--directory", "--snakefile"


class ArgumentMistake(ValueError):
    """Arguments that Snakemake could not use; the message says what to write."""


def checked(
    arguments: Sequence[str], parser: argparse.ArgumentParser, here: Path, checkout: Path
) -> list[str]:
    """The arguments for Snakemake: with the checkout's Snakefile, where there is none in the folder `here`.

    parser: Snakemake's. Raises ArgumentMistake.
    """
    given = set()
    for action, values in _options(arguments, parser):
        given |= set(action.option_strings)
        if _FILES in action.option_strings:
            for value in values:
                _check_file(value, here, checkout)
        elif _FOLDER in action.option_strings and values:
            _check_folder(values[0], here)
        elif action.nargs in ("+", "*") and "=" in str(action.metavar):
            _check_assignments(action, values)
    if _WORKFLOW in given or any((here / name).is_file() for name in ("Snakefile", "workflow/Snakefile")):
        return list(arguments)
    return [_WORKFLOW, str(checkout / "Snakefile"), *arguments]


def _options(
    arguments: Sequence[str], parser: argparse.ArgumentParser
) -> Iterator[tuple[argparse.Action, list[str]]]:
    """Each option with the words that it takes, up to the next one or to `--`."""
    known = {name: action for action in parser._actions for name in action.option_strings}
    named: argparse.Action | None = None
    words: list[str] = []
    for argument in [*arguments, "--"]:
        if argument.startswith("-") and len(argument) > 1:
            if named:
                yield named, words
            name, equals, value = argument.partition("=")
            named, words = known.get(name), [value] if equals else []
            if equals and named:  # a value that is tied to its option: argparse takes no further ones
                yield named, words
                named = None
            if argument == "--":
                return
        else:
            words.append(argument)


def _check_file(name: str, here: Path, checkout: Path) -> None:
    path = here / name
    if path.is_file():
        return
    if path.is_dir():
        raise ArgumentMistake(f"{name}: a folder; {_FILES} takes YAML files")
    if (checkout / name).is_file():
        raise ArgumentMistake(
            f"{name}: no such file in {here}, where you are; the checkout's is {checkout / name}"
        )
    if not Path(name).suffix:
        raise ArgumentMistake(
            f"{name}: no such file. {_FILES} takes every word behind it: write the target first, as in "
            f"`ctm-pipeline run {name} {_FILES} …`"
        )
    raise ArgumentMistake(f"{name}: no such file; relative paths are taken from {here}")


def _check_folder(name: str, here: Path) -> None:
    """A folder that is not there is made by Snakemake."""
    existing = next(folder for folder in (here / name, *(here / name).parents) if folder.exists())
    if not existing.is_dir():
        raise ArgumentMistake(f"{existing}: a file; {_FOLDER} takes the folder of a run")


def _check_assignments(action: argparse.Action, values: Sequence[str]) -> None:
    for value in values:
        if "=" not in value:
            option = next(name for name in action.option_strings if name.startswith("--"))
            raise ArgumentMistake(
                f"{value}: not {action.metavar}. {option} takes every word behind it: write the target first, as in "
                f"`ctm-pipeline run {value} {option} …`, or tie the value to it: `{option}={values[0]}`"
            )
