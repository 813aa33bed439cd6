"""Files of each status that `ctm-repair` gives one, and the smallest texts they are made of."""

from __future__ import annotations

import os
from pathlib import Path

BROKEN, FIXED = b"def add(a, b)\n    return a + b\n", b"def add(a, b):\n    return a + b\n"
HOPELESS = b"x = = = 1\n"
ODD = os.fsdecode(b"odd \x1b[31m\xff,:%\n.py")
"""A name with a color code, a byte that is no UTF-8, a line end and what is special to GitHub."""


def write_files(folder: Path) -> None:
    """Write one file of each status into `folder`/src."""
    (folder / "src").mkdir()
    for name, raw in {
        "a b.py": b"# one\n" + BROKEN + b"class C\n    pass\n",
        "binary.py": b"\x7fELF\0",
        "clean.py": FIXED,
        "crlf.py": b"\xef\xbb\xbf" + BROKEN.replace(b"\n", b"\r\n"),
        "half.py": BROKEN + HOPELESS,
        "hopeless.py": HOPELESS,
        ODD: BROKEN,
    }.items():
        (folder / "src" / name).write_bytes(raw)
