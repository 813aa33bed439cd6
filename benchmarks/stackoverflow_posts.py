"""Corrections out of a Posts.xml, against ElementTree's iterparse and BeautifulSoup with the posts held in memory.

Both give the same pairs, compare blocks by the same function and look only into posts that matter; ours also writes the
pairs and the rejects, and holds nothing. CTM_BENCH_POSTS_MB is the size of the file that is made, 30 MB without it.
Rounds alternate; medians of processor time of one core. The peak is of a process that does nothing else.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from _posts_xml import write_posts
from bs4 import BeautifulSoup

from ctm.pairs.record import pair_id, read_pairs
from ctm.sources.stackoverflow.code_blocks import cleaned
from ctm.sources.stackoverflow.collector import collect
from ctm.sources.stackoverflow.pairing import match
from ctm.sources.stackoverflow.settings import StackOverflowSettings

ROUNDS = 3
SETTINGS = StackOverflowSettings(accept_dump_terms=True)
# VmHWM, not ru_maxrss: that begins at the peak of the process which started this one
PEAK = """
import re, sys
from pathlib import Path
import stackoverflow_posts
stackoverflow_posts.ours(Path(sys.argv[1]))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def ours(posts: Path) -> set[str]:
    """Identities of the pairs that the source writes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        collect(posts, 0, 1, SETTINGS, folder / "work", folder / "pairs.parquet", folder / "rejects.parquet")
        return {pair.pair_id for pair in read_pairs(folder / "pairs.parquet", ["pair_id"])}


def rival(posts: Path) -> set[str]:
    """The same pairs the usual way."""

    def blocks(row: ElementTree.Element) -> list[str]:
        soup = BeautifulSoup(row.get("Body", ""), "lxml")
        return [cleaned(code.get_text()) for code in soup.select("pre code")]

    waiting: dict[str, list[str]] = {}
    found: set[str] = set()
    for _, row in ElementTree.iterparse(posts):
        if row.get("PostTypeId") == "1" and "<python>" in row.get("Tags", "") and row.get("AcceptedAnswerId"):
            waiting[row.get("AcceptedAnswerId", "")] = blocks(row)
        elif row.get("PostTypeId") == "2" and row.get("Id") in waiting:
            matches = match(waiting.pop(row.get("Id", "")), blocks(row), SETTINGS)
            found |= {pair_id(before, after) for before, after, _, _ in matches.kept}
        row.clear()
    return found


def _timed(work: Callable[[Path], set[str]], posts: Path) -> tuple[float, set[str]]:
    start = time.process_time()
    found = work(posts)
    return time.process_time() - start, found


def run() -> list[dict[str, Any]]:
    """MB a second of both, and the peak of memory against the 2 GB that any dump may take."""
    with tempfile.TemporaryDirectory() as name:
        posts = Path(name) / "Posts.xml"
        number = write_posts(posts, int(os.environ.get("CTM_BENCH_POSTS_MB", "30")))
        size = posts.stat().st_size / 1e6
        times: dict[str, list[float]] = {"ours": [], "rival": []}
        for _ in range(ROUNDS):
            seconds, found = _timed(ours, posts)
            times["ours"].append(seconds)
            seconds, expected = _timed(rival, posts)
            times["rival"].append(seconds)
            if found != expected:
                raise RuntimeError(f"different pairs: {len(found)} here, {len(expected)} by BeautifulSoup")
        peak = subprocess.run(
            [sys.executable, "-c", PEAK, str(posts)], cwd=Path(__file__).parent, capture_output=True, text=True,
            check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    rates = {side: size / statistics.median(values) for side, values in times.items()}
    megabytes = float(peak.stdout)
    return [
        {
            "name": "stackoverflow_posts", "unit": "MB/s", "ours": rates["ours"], "rival": rates["rival"],
            "rival_name": "ElementTree iterparse and BeautifulSoup", "ratio": rates["ours"] / rates["rival"],
            "n": number, "threads": 1,
        },
        {
            "name": "stackoverflow_peak", "unit": "MB of memory", "ours": megabytes, "rival": 2000.0,
            "rival_name": "the limit", "ratio": 2000.0 / megabytes, "n": number, "threads": 1,
        },
    ]  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
