"""`ctm-repair fix` as a process beside ruff, black and py_compile on the same files, and one function's time inside.

Each round starts every command once, so that all see the same machine; medians are compared. Rivals only find the
error (ruff, py_compile) or refuse the file (black): none of them repairs it. `CTM_BUNDLE` picks the bundle, else the
packaged one is measured.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

from ctm.bundle_names import CONFIG, MODEL, TOKENIZER
from ctm.repair.bundle import find_bundle, load_bundle
from ctm.repair.files import fix_source
from ctm.repair.source import parse_source
from mutate import functions

ROUNDS = 9
FILES = 200
"""Of a folder: functions that compile, but for one in ten."""
BROKEN = 60
"""Functions whose repair is timed one by one."""
LAUNCHER = """
import os, subprocess, sys, time
null = subprocess.DEVNULL
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=null, stderr=null)
_, _, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss)
"""
"""Starts a command from a small process: the peak that the system tells of a child counts what it was forked from."""
BIN = Path(sysconfig.get_path("scripts"))


def commands(path: Path) -> dict[str, list[str]]:
    """Every command on a file or folder, by name; none writes anything."""
    files = [path] if path.is_file() else sorted(path.glob("*.py"))
    return {
        "ctm-repair": [str(BIN / "ctm-repair"), "fix", str(path)],
        "ruff check": [str(BIN / "ruff"), "check", "--no-cache", "--isolated", str(path)],
        "black --check": [str(BIN / "black"), "--check", "-q", "--config", os.devnull, str(path)],
        "py_compile": [sys.executable, "-m", "py_compile", *map(str, files)],
    }


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """(seconds, peak MB) of one process."""
    environment = {**os.environ, "BLACK_CACHE_DIR": str(folder / "cache")}
    ran = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *command],
        capture_output=True,
        env=environment,
        cwd=folder,
        check=True,
    )
    seconds, kilobytes = ran.stdout.split()[-2:]
    return float(seconds), float(kilobytes) / 1024


def compare(path: Path, folder: Path) -> dict[str, tuple[float, float]]:
    """Medians of seconds and of peak MB by command."""
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands(path)}
    for _ in range(ROUNDS):
        for name, command in commands(path).items():
            runs[name].append(measure(command, folder))
    return {
        name: (statistics.median(s for s, _ in found), statistics.median(m for _, m in found))
        for name, found in runs.items()
    }


def broken(text: str) -> str:
    """The function without the colon that ends its header."""
    head, colon, rest = text.partition("):\n")
    return f"{head})\n{rest}" if colon else text


def run() -> list[dict[str, Any]]:
    """Cold start on a broken file and on one that compiles, a folder, memory, bytes, and one function inside."""
    records = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "broken.py").write_text("def add(a, b)\n    return a + b\n", encoding="utf-8")
        (folder / "works.py").write_text("def add(a, b):\n    return a + b\n", encoding="utf-8")
        many = folder / "many"
        many.mkdir()
        for number, text in enumerate(functions(FILES)):
            (many / f"f{number:03d}.py").write_text(
                (broken(text) if number % 10 == 0 else text) + "\n", encoding="utf-8"
            )
        for what, path in (
            ("broken", folder / "broken.py"),
            ("works", folder / "works.py"),
            ("folder", many),
        ):
            found = compare(path, folder)
            ours = found["ctm-repair"]
            for rival in (name for name in found if name != "ctm-repair"):
                for unit, place in (("s", 0), ("MB peak", 1)):
                    records.append(
                        _record(f"command_{what}", unit, ours[place], found[rival][place], rival, ROUNDS)
                    )
    repairing, compiling = _milliseconds()
    records.append(_record("function", "ms", repairing, compiling, "compile(), which only refuses", BROKEN))
    files = [find_bundle() / name for name in (MODEL, TOKENIZER, CONFIG)]
    size = sum(path.stat().st_size for path in files) / 1e6
    records.append(
        _record("model_bytes", "MB", size, (BIN / "ruff").stat().st_size / 1e6, "ruff's program", 1)
    )
    return records


def _milliseconds() -> tuple[float, float]:
    """Median times of the repair of one broken function, a loaded model, one thread, and of its refusal by Python."""
    model = load_bundle(find_bundle())
    repairs, refusals = [], []
    for text in functions(BROKEN):
        source = parse_source((broken(text) + "\n").encode())
        repairer = model.repairer()
        started = time.perf_counter()
        fix_source(source, repairer)
        repairs.append(time.perf_counter() - started)
        started = time.perf_counter()
        with contextlib.suppress(SyntaxError):
            compile(source.text, "", "exec")
        refusals.append(time.perf_counter() - started)
    return 1e3 * statistics.median(repairs), 1e3 * statistics.median(refusals)


def _record(name: str, unit: str, ours: float, rival: float, rival_name: str, n: int) -> dict[str, Any]:
    return {
        "name": name, "unit": unit, "ours": ours, "rival": rival, "rival_name": rival_name, "ratio": rival / ours,
        "n": n, "threads": 1,
    }  # fmt: skip
