"""Runs what docs/tutorial.md and docs/walkthrough.md show, in a checkout with a finished demo.

    python tests/ci/check_tutorial.py

Readers paste these blocks; a name that has moved since would end their first half hour. What is printed may differ
from the page with another model; that it runs may not.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def blocks_of(page: Path) -> list[str]:
    """The Python of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def main() -> None:
    [file] = blocks_of(ROOT / "docs/tutorial.md")
    blocks = blocks_of(ROOT / "docs/walkthrough.md")
    assert blocks, "docs/walkthrough.md has nothing to paste"
    names: dict[str, object] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"docs/walkthrough.md, block {number}", "exec"), names)
    bundle = ROOT / "runs/demo/results/final"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "basket.py")
        path.write_text(file)
        command = [
            sys.executable,
            "-m",
            "ctm.repair.cli",
            "fix",
            str(path),
            "--write",
            "--bundle",
            str(bundle),
        ]
        subprocess.run(command, check=False)
        compile(path.read_text(), "basket.py", "exec")
    print("docs/tutorial.md and docs/walkthrough.md run")


if __name__ == "__main__":
    main()
