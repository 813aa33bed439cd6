"""Replaces a file safely: atomic, with its metadata, and only if nobody changed it meanwhile.

A new file is made beside the old one and takes its name in one rename; right before that the old one is read
again. What a rename would lose (hard links, an owner that cannot be set) is a reason to leave the file alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from ctm.repair.source import FileError, PythonFile

_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def write_source(path: Path, before: PythonFile, after: PythonFile) -> None:
    """Replace the file that `before` was read from; a link stays a link, owner, mode and extended attributes stay.

    Raises FileError, and leaves the file as it is, where that cannot be done or the file is no longer `before`.
    """
    content = after.encode()
    write_content(path, before.file, before.encode(), content)


def write_content(path: Path, file: tuple[int, int] | None, known: bytes, content: bytes) -> None:
    """The same for a file (device and inode) of any kind that holds the bytes `known`."""
    target = path.resolve()
    try:
        _refuse_other_content(target, file, known)
        with _opened(target) as old:
            status = os.fstat(old)
            if status.st_nlink > 1:
                raise FileError(
                    f"not written: the file has {status.st_nlink} hard links, which replacing it would break"
                )
            if is_read_only(target, status):
                raise FileError("not written: the file is read-only (chmod u+w FILE)")
            replace_file(
                target,
                content,
                prepare=lambda new: keep_metadata(old, new),
                check=lambda: _refuse_other_content(target, file, known),
            )
    except OSError as error:
        raise FileError(f"cannot be written: {(error.strerror or str(error)).lower()}") from error


def replace_file(
    target: Path,
    content: bytes,
    *,
    mode: int = 0o600,
    prepare: Callable[[int], None] = lambda new: None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Give `target` new content in one rename, after which it is on the disk.

    `mode` is that of the new file, less the umask; `prepare` gets its descriptor, `check` is called right before the
    rename. Raises OSError, and what those two raise; then nothing has changed.
    """
    import secrets  # 5 ms, with random and hashlib, and only where something is written

    # not in the target's words, which may already be as long as a name can be; nobody can guess it and lay a link there
    temporary = target.parent / f".ctm-repair-{secrets.token_hex(8)}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            prepare(file.fileno())
            os.fsync(file.fileno())
        check()
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    with contextlib.suppress(OSError), _opened(target.parent) as folder:  # some file systems cannot
        os.fsync(folder)


def keep_metadata(old: int, new: int) -> None:
    """Give a new file the owner, extended attributes (access lists among them) and mode of an old one.

    Both are descriptors. Raises FileError where something cannot be kept. Attributes are seen on Linux only.
    """
    status = os.fstat(old)
    try:
        if (status.st_uid, status.st_gid) != (os.fstat(new).st_uid, os.fstat(new).st_gid):
            os.fchown(new, status.st_uid, status.st_gid)
    except OSError as error:
        raise FileError(f"not written: its owner ({status.st_uid}:{status.st_gid}) cannot be kept") from error
    wanted, has = _attributes(old), _attributes(new)
    for name in wanted.keys() | has.keys():
        if wanted.get(name) == has.get(name):
            continue
        try:
            if name in wanted:
                os.setxattr(new, name, wanted[name])
            else:  # such as an access list that the folder gives to new files
                os.removexattr(new, name)
        except OSError as error:
            raise FileError(f"not written: its attribute {name} cannot be kept") from error
    os.fchmod(new, stat.S_IMODE(status.st_mode))  # last: a change of owner takes bits away


def is_read_only(path: Path, status: os.stat_result) -> bool:
    """Whether its owner may not write it, or we may not. Root may write anything, so the mode is looked at too."""
    return not status.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK)


def _attributes(file: int) -> dict[str, bytes]:
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file)}
    except OSError as error:
        if error.errno == errno.ENOTSUP:  # a file system without them
            return {}
        raise FileError("not written: its extended attributes cannot be read") from error


def _refuse_other_content(target: Path, file: tuple[int, int] | None, known: bytes) -> None:
    """Raises FileError unless the file is still the one that was read, byte for byte."""
    try:
        with _opened(target) as handle, open(handle, "rb", closefd=False) as now:
            status = os.fstat(handle)
            if (status.st_dev, status.st_ino) == file and now.read(len(known) + 1) == known:
                return
    except OSError:  # gone, or a link by now
        pass
    raise FileError("not written: the file changed while ctm-repair was running; run it again")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, _OPEN)
    try:
        yield handle
    finally:
        os.close(handle)
