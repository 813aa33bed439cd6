"""Runs what docs/tutorial.md says, in a checkout with a finished demo: its Python, its file and its pair.

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
BROKEN = "basket"


def main() -> None:
    page = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    file, *blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert BROKEN in file and len(blocks) == 3, "docs/tutorial.md has a file to repair and three blocks to paste"
    names: dict[str, object] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"docs/tutorial.md, block {number}", "exec"), names)
    bundle = ROOT / "runs/demo/results/final"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "basket.py")
        path.write_text(file)
        command = [sys.executable, "-m", "ctm.repair.cli", "fix", str(path), "--write", "--bundle", str(bundle)]
        subprocess.run(command, check=False)
        compile(path.read_text(), "basket.py", "exec")
    print("docs/tutorial.md runs")


if __name__ == "__main__":
    main()
