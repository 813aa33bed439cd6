"""What must be true of three folders: a run into a bucket, the same on the disk, and the bucket copied to a folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
IDLE = "Nothing to be done"
BESIDE = ("results/provenance/ledger.jsonl", "results/provenance/sessions/", "results/provenance/lineage/",
          "results/dashboard/")  # fmt: skip
"""What Snakemake's start and end write into the run's folder, whether the results lie in a bucket or not. Logs that
were sent, and TensorBoard's events, which no rule declares, stay in Snakemake's folder of storage.
"""
PAGES = ("results/report.html", "results/provenance/provenance.html", "results/reports/data_card.html")


def faults(place: Path) -> Iterator[str]:
    """What is not as it must be. place: with stored/, disk/, copied/, and a log of each start."""
    stored, disk, copied = (place / name for name in ("stored", "disk", "copied"))
    for log in ("again.log", "copied.log"):
        if IDLE not in (place / log).read_text():
            yield f"{log}: something ran again"
    for path in files(stored / "results") + files(stored / ".snakemake" / "storage"):
        name = path.relative_to(stored).as_posix()
        if not name.startswith(BESIDE) and "/logs/" not in name and ".events/" not in name:
            yield f"{name}: left beside the bucket"
    ours, theirs = (made(folder) for folder in (stored, disk))
    yield from (f"{name}: in one ledger only" for name in sorted(ours.keys() ^ theirs.keys()))
    yield from (f"{name}: not in the bucket" for name in ours if not (copied / name).is_file())
    for page in PAGES:
        if sorted(headings(copied / page)) != sorted(
            headings(disk / page)
        ):  # rules stand in the order of their ends
            yield f"{page}: other sections than on a disk"
        yield from (f"{page}: {link} leads nowhere" for link in dead_links(copied / page))
    yield from crate_faults(copied)
    yield from trace_faults(stored, copied)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def made(run: Path) -> dict[str, str]:
    """Artifacts of a run's ledger with their sums."""
    lines = (run / "results/provenance/ledger.jsonl").read_text().splitlines()
    return {file["path"]: file["sha256"] for line in lines for file in json.loads(line)["outputs"]}


def headings(page: Path) -> list[str]:
    return re.findall(r"<h[123][^>]*>(.*?)</h[123]>", page.read_text(encoding="utf-8"), re.DOTALL)[1:]


def dead_links(page: Path) -> list[str]:
    links = re.findall(r'href="([^"#]+)"', page.read_text(encoding="utf-8"))
    inside = sorted({link for link in links if ":" not in link})
    return [link for link in inside if not (page.parent / unquote(link)).exists()]


def crate_faults(copied: Path) -> Iterator[str]:
    """The crate describes what lies in the bucket, each file with its sum."""
    sums, found = made(copied), 0
    for one in json.loads((copied / "results/ro-crate-metadata.json").read_text())["@graph"]:
        kinds = one["@type"] if isinstance(one["@type"], list) else [one["@type"]]
        if "File" not in kinds:
            continue
        name = f"results/{unquote(one['@id'])}"
        if not (copied / name).is_file():
            yield f"{name}: a file of the crate, and not in the bucket"
        if "sha256" in one:
            found += 1
            if one["sha256"] != sums.get(name):
                yield f"{name}: another sum in the crate"
    if found < 50:
        yield f"the crate has sums of {found} files alone"


def trace_faults(stored: Path, copied: Path) -> Iterator[str]:
    """Beside the bucket it says where the files are, in a copy all of them are as in the ledger."""
    code, said = trace("--verify", "--directory", str(stored))
    if code != 2 or "aws s3 sync" not in said:
        yield f"trace --verify beside the bucket: {code}, {said}"
    code, said = trace("results/final/ctm.onnx", "--directory", str(stored))
    if code != 0 or "export_onnx" not in said or "aws s3 sync" not in said:
        yield f"trace beside the bucket: {code}, {said}"
    code, said = trace("--verify", "--directory", str(copied))
    if code != 0:
        yield f"trace --verify of the copy: {code}, {said}"


def trace(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "ctm.pipeline.cli", "trace", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    return done.returncode, done.stdout + done.stderr
