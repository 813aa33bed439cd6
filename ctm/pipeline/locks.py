"""Locks that end with whoever holds them: `flock` on a file, let go by the kernel when its last holder is gone.

A lock's file is never removed: a second process could otherwise lock a file that nobody finds any more.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

POLL = 0.1
"""Seconds between two tries."""


class HeldError(RuntimeError):
    """Somebody else holds a lock; `holder` is the number of the process, None where the system does not say."""

    def __init__(self, path: Path, holder: int | None) -> None:
        super().__init__(f"{path} is locked by {f'process {holder}' if holder else 'another process'}")
        self.path, self.holder = path, holder


def hold(path: Path, wait: float = 0.0) -> int:
    """The descriptor of a lock that is now ours; closed, or with the end of the process, it is free again.

    A process that inherits the descriptor (`pass_fds`) holds the lock too. wait: seconds. Raises HeldError, OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < end:
                time.sleep(POLL)
                continue
            number = os.fstat(descriptor).st_ino
            os.close(descriptor)
            raise HeldError(path, holder(number)) from None
        return descriptor


def holder(inode: int) -> int | None:
    """The process that locked the file of this inode, as Linux tells it (proc(5), /proc/locks)."""
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if "FLOCK" in fields and f":{inode}" in line:
            place = next(i for i, field in enumerate(fields) if field.endswith(f":{inode}"))
            return int(fields[place - 1]) if int(fields[place - 1]) > 0 else None
    return None
