"""Files that a command writes its results to: never one it reads, never two results in one, never a half one.

Only a regular file, or none, is replaced. What stands for a descriptor (`/dev/stdout`), a pipe or a device
such as `/dev/null` is written to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from ctm.repair.write import is_read_only, replace_file


class OutputError(ValueError):
    """An output cannot be written, or must not be; the message names it."""


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raises OutputError, before anything is computed, for an output that is an input, another output or no place to
    write to, under whatever name.
    """
    taken = [(path, "an input") for path in inputs]
    for path in outputs:
        try:
            _check_place(path)
            for other, what in taken:
                if _same(path, other):
                    raise OutputError(f"{path}: it is also {what} ({other}); name another file")
        except OSError as error:
            raise _refused(path, error) from error
        taken.append((path, "another output"))


def write_output(path: Path, result: str | bytes) -> None:
    """Write a result whole, or leave what was there; text as UTF-8. Raises OutputError."""
    content = result.encode() if isinstance(result, str) else result
    try:
        status = _check_place(path)
        if (descriptor := descriptor_of(path)) is not None:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
        elif status is not None and not stat.S_ISREG(status.st_mode):
            with os.fdopen(os.open(path, os.O_WRONLY), "wb") as file:
                file.write(content)
        elif status is not None:
            mode = stat.S_IMODE(status.st_mode)
            replace_file(path.resolve(), content, prepare=lambda new: os.fchmod(new, mode))
        else:
            replace_file(path.resolve(), content, mode=0o666)
    except OSError as error:
        raise _refused(path, error) from error


def descriptor_of(path: Path) -> int | None:
    """The descriptor of this process that a path stands for: 1 for /dev/stdout, 3 for /dev/fd/3; None for a file."""
    places = {os.path.realpath(place) for place in ("/proc/self/fd", "/dev/fd")}
    for _ in range(40):  # as many links as Linux follows
        if os.path.realpath(path.parent) in places and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _check_place(path: Path) -> os.stat_result | None:
    """What is there, None for nothing. Raises OutputError for a place that cannot be written to."""
    try:
        status = path.stat()
    except FileNotFoundError:
        status = None
    if status is not None and (stat.S_ISDIR(status.st_mode) or stat.S_ISBLK(status.st_mode)):
        raise OutputError(f"{path}: a folder or device, not a file; name a file")
    if descriptor_of(path) is not None or (status is not None and not stat.S_ISREG(status.st_mode)):
        return status
    folder = path.resolve().parent
    if not folder.is_dir():
        raise OutputError(f"{path}: its folder does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: its folder cannot be written to")
    if status is not None and is_read_only(path, status):
        raise OutputError(f"{path}: it is read-only; name another file")
    return status


def _same(path: Path, other: Path) -> bool:
    """Whether writing to one would change the other. Devices (a terminal, /dev/null) may be both."""
    if not (path.exists() and other.exists()):
        return os.path.realpath(path) == os.path.realpath(other)
    return path.samefile(other) and not stat.S_ISCHR(path.stat().st_mode)


def _refused(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}")
