"""What each part of the demo's data is worth on real broken code: the demo once more without it, seed and time equal.

    make ablate SUITE=pairs.jsonl           all of benchmarks/ablations/, one after the other (a few minutes each)
    .venv/bin/python benchmarks/ablations/run.py pairs.jsonl no_releases

Each ablation is an overlay of one change; "base" is the demo itself, run in the same way. Runs lie in runs/ablations/
and go on where they were stopped; the table is Markdown, on standard output and in runs/ablations/table.md. One run
each: differences of a point or two are noise.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from ctm.bugs.registry import registry

OVERLAYS = Path(__file__).parent
CHECKOUT = OVERLAYS.parents[1]
RUNS = CHECKOUT / "runs" / "ablations"
EQUAL_MIX = RUNS / "equal_mix.yaml"
"""Named by no_realistic_mix.yaml; written anew from the registry."""
BASE = "base"
BIN = Path(sys.executable).parent


def names() -> list[str]:
    """Of all ablations, the whole demo first."""
    return [BASE, *sorted(path.stem for path in OVERLAYS.glob("*.yaml") if path.stem != BASE)]


def train(name: str, cores: int) -> Path:
    """Run the workflow of one ablation; returns its bundle."""
    run = RUNS / name
    run.mkdir(parents=True, exist_ok=True)
    overlays = [OVERLAYS / f"{BASE}.yaml", *([] if name == BASE else [OVERLAYS / f"{name}.yaml"])]
    config = [CHECKOUT / "config" / "config.yaml", CHECKOUT / "config" / "demo.yaml", *overlays]
    command = [str(BIN / "ctm-pipeline"), "run", "results/final/ctm.onnx", "--cores", str(cores)]
    command += ["--directory", str(run), "--configfile", *map(str, config)]
    subprocess.run(command, check=True, cwd=CHECKOUT)
    return run / "results" / "final"


def evaluate(bundle: Path, suite: Path) -> dict[str, Any]:
    """Measures of all items (M of `ctm-repair evaluate`), and what the run trained on."""
    out = bundle.parents[1] / f"{suite.stem}.json"
    command = [str(BIN / "ctm-repair"), "evaluate", "--bundle", str(bundle), str(suite), "--json", str(out)]
    subprocess.run(command, check=True, cwd=CHECKOUT)
    metrics = json.loads((bundle / "final_metrics.json").read_text(encoding="utf-8"))
    measured = json.loads(out.read_text(encoding="utf-8"))
    return {
        **measured["all"],
        "samples": metrics["samples_seen"],
        "deletion": measured["baselines"]["deletion"],
    }


def table(measured: dict[str, dict[str, Any]], suite: Path) -> str:
    """Markdown, a row an ablation."""
    shown = ("exact_at_1", "exact_at_5", "bifi", "guarded_bifi")
    lines = [
        f"| {suite.name} | items | samples seen | exact at 1 | exact at 5 | BIFI measure | guarded BIFI |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, m in measured.items():
        shares = " | ".join(f"{100 * m[key]:.1f} %" for key in shown)
        label = "the demo's data" if name == BASE else name.replace("_", " ")
        lines.append(f"| {label} | {m['n']:,} | {m['samples']:,} | {shares} |")
    deletion = next(iter(measured.values()))["deletion"]
    shares = " | ".join(f"{100 * deletion[key]:.1f} %" for key in shown)
    lines.append(f"| no model: the shortest deletion that compiles | {deletion['n']:,} | | {shares} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", type=Path, help="JSON lines, as `ctm-repair evaluate` reads them")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(names())}; all, if none is given")
    parser.add_argument(
        "--cores", type=int, default=2, help="for Snakemake; the same for all rows of a table"
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(names()):
        parser.error(f"no ablation {min(unknown)!r}; there are {', '.join(names())}")
    if not given.suite.is_file():
        parser.error(f"{given.suite}: no such file")
    RUNS.mkdir(parents=True, exist_ok=True)
    EQUAL_MIX.write_text(yaml.safe_dump(dict.fromkeys(registry(), 1)), encoding="utf-8")
    measured = {name: evaluate(train(name, given.cores), given.suite) for name in given.names or names()}
    text = table(measured, given.suite)
    (RUNS / "table.md").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
