"""A finished demo on real code: syntax errors that people made, and working projects that never trained.

    make evaluate-real SUITE=pairs.jsonl              the demo's bundle, or BUNDLE=DIR
    .venv/bin/python benchmarks/real/run.py --suite pairs.jsonl --bundle runs/demo/results/final

The suite is JSON lines as `ctm-repair evaluate` reads them; all of it is measured, the model beside the baseline that
deletes the shortest run of tokens. The projects are the wheels of config/working.csv, brought once: what the model
would change in them (proposals per 1,000 functions), what `ctm-repair fix --write` does to all their files, and whether
they still work after it. One table, runs/real/table.md; all figures in real.json, the proposals in proposals.jsonl.
Status 1 if a project could not be had, trained the model, or no longer works, or a run crashed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from working import (
    SMOKE,
    SUGGEST,
    Project,
    Proposals,
    bring,
    fix_and_write,
    proposals,
    read_projects,
    smoke,
    trained_on,
    unpack,
)

from ctm.repair.bundle import BundleError, load_bundle

CHECKOUT = Path(__file__).parents[2]
RUNS = CHECKOUT / "runs" / "real"
BUNDLE = CHECKOUT / "runs" / "demo" / "results" / "final"
PROJECTS = CHECKOUT / "config" / "working.csv"
SUITE_ROWS = {
    "n": "items", "coverage": "in scope", "exact_at_1": "exact at 1", "exact_at_5": "exact at 5",
    "exact_at_10": "exact at 10", "bifi": "BIFI measure", "guarded_bifi": "guarded BIFI",
    "edit_precision": "edit precision", "edit_recall": "edit recall", "statement_recall": "statement recall",
    "same_tree": "same tree", "edited": "edited", "collateral_1": "of these: lose a name or literal",
    "collateral_3": "of these: lose three or more", "collateral_half": "of these: lose over half of them",
    "over_deleted_5": "of these: delete over 5 tokens that the author keeps",
    "over_deleted_half": "of these: delete over half of the text", "ece": "calibration error", "auroc": "AUROC",
}  # fmt: skip
NUMBERS = ("ece", "auroc")


def measure_suite(bundle: Path, suite: Path, out: Path, threads: int) -> dict[str, Any]:
    """`ctm-repair evaluate` over the whole suite: M of all items and of the baseline, and the seconds it took."""
    result = out / "suite.json"
    command = [sys.executable, "-m", "ctm.repair.cli", "evaluate", str(suite), "--bundle", str(bundle)]
    command += ["--json", str(result), "--items", str(out / "items.jsonl"), "--threads", str(threads)]
    began = time.monotonic()
    subprocess.run(command, check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    measures = json.loads(result.read_text(encoding="utf-8"))
    return {
        "name": suite.name,
        "model": measures["all"],
        "deletion": measures["baselines"]["deletion"],
        "seconds": time.monotonic() - began,
    }


def measure_projects(bundle: Path, projects: list[Project], wheels: Path, threads: int) -> dict[str, Any]:
    """Everything about each project, by name; "missing": why of those that could not be had."""
    model = load_bundle(bundle, threads)
    trained = trained_on(bundle)
    found, missing = bring(projects, wheels)
    measured: dict[str, Any] = {}
    for project, wheel in found.items():
        print(f"{project.name} {project.pin.version}", flush=True)
        with tempfile.TemporaryDirectory(prefix="ctm-real-") as work:
            folder = unpack(wheel, Path(work) / project.name)
            row: dict[str, Any] = {
                "version": project.pin.version,
                "trained": None if trained is None else project.name in trained,
            }
            if SUGGEST in project.uses:
                offered: Proposals = proposals(folder, model)
                row["proposals"] = {**asdict(offered), "per_thousand": offered.per_thousand}
            before = smoke(folder, project.name) if SMOKE in project.uses else None
            row["written"] = asdict(fix_and_write(folder, bundle, threads))
            if before is not None:
                after = smoke(folder, project.name)
                row["smoke"] = {
                    "modules": len(before.imported),
                    "before": before.error,
                    "after": after.is_worse_than(before),
                }
            measured[project.name] = row
    return {"projects": measured, "missing": missing}


# --- the table ------------------------------------------------------------------------------------------------------


def table(results: dict[str, Any]) -> str:
    """Markdown: suite and projects in one table, then project by project."""
    lines = ["| | model | deletion |", "|---|---|---|"]
    if suite := results.get("suite"):
        lines[0] = f"| {suite['name']} | model | deletion |"
        for key, label in SUITE_ROWS.items():
            cells = " | ".join(_figure(key, suite[column].get(key)) for column in ("model", "deletion"))
            lines.append(f"| {label} | {cells} |")
        lines.append(f"| items a second | {suite['model']['n'] / suite['seconds']:.1f} | |")
    projects = results["projects"]
    lines += [f"| {label} | {value} | |" for label, value in _together(projects).items()]
    lines += [
        "",
        "| project | trained | functions | proposals | per 1,000 | files | changed | errors | still works |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_project_row(name, row) for name, row in projects.items()),
        *(f"| {name} | not to be had: {why} | | | | | | | |" for name, why in results["missing"].items()),
    ]
    return "\n".join(lines) + "\n"


def _together(projects: dict[str, Any]) -> dict[str, str]:
    offered = [row["proposals"] for row in projects.values() if "proposals" in row]
    written = [row["written"] for row in projects.values()]
    smoked = [row["smoke"] for row in projects.values() if "smoke" in row]
    rows: dict[str, str] = {}
    if functions := sum(item["functions"] for item in offered):
        changes = sum(len(item["changes"]) for item in offered)
        label = f"working projects ({len(offered)}, {functions:,} functions): proposals per 1,000 functions"
        rows[label] = f"{1000 * changes / functions:.1f}"
    if written:
        label = f"working projects ({len(written)}): files that `fix --write` changed"
        rows[label] = f"{sum(len(w['changed']) for w in written):,} of {sum(w['files'] for w in written):,}"
        rows["files it could not handle, or said nothing of"] = (
            f"{sum(len(w['errors']) for w in written):,}, {sum(w['unseen'] for w in written):,}"
        )
        rows["crashes"] = str(sum(bool(w["crashed"]) for w in written))
    if smoked:
        rows["projects that still work after it"] = f"{sum(map(_works, smoked))} of {len(smoked)}"
    return rows


def _works(row: dict[str, Any]) -> bool:
    return not row["before"] and not row["after"]


def _project_row(name: str, row: dict[str, Any]) -> str:
    offered, written = row.get("proposals"), row["written"]
    trained = {None: "not known", True: "**yes**", False: "no"}[row["trained"]]
    cells = [f"{name} {row['version']}", trained]
    if offered:
        cells += [
            f"{offered['functions']:,}",
            str(len(offered["changes"])),
            f"{offered['per_thousand'] or 0:.1f}",
        ]
    else:
        cells += ["", "", ""]
    cells += [str(written["files"]), str(len(written["changed"])), str(len(written["errors"]))]
    smoked = row.get("smoke")
    if written["crashed"]:
        cells.append(f"**crashed**: {written['crashed']}")
    elif smoked is None:
        cells.append("")
    elif smoked["before"]:
        cells.append(f"its check fails here before it: {smoked['before']}")
    else:
        cells.append(f"**no**: {smoked['after']}" if smoked["after"] else f"yes, {smoked['modules']} modules")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _figure(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    if key == "n":
        return f"{value:,}"
    return f"{value:.3f}" if key in NUMBERS else f"{100 * value:.1f} %"


def wrong(results: dict[str, Any]) -> list[str]:
    """What must not be, a line each."""
    said = [f"{name}: could not be had: {why}" for name, why in results["missing"].items()]
    for name, row in results["projects"].items():
        if row["trained"]:
            said.append(
                f"{name}: the model trained on it, so its figures say nothing; name another in the list"
            )
        if row["written"]["crashed"]:
            said.append(f"{name}: ctm-repair crashed: {row['written']['crashed']}")
        if (smoked := row.get("smoke")) and not _works(smoked):
            said.append(f"{name}: {smoked['before'] or smoked['after']}")
    return said


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the table, and say what must not be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=BUNDLE, help="of a finished demo")
    parser.add_argument(
        "--suite", type=Path, help="JSON lines; without one only the working projects are done"
    )
    parser.add_argument("--projects", type=Path, default=PROJECTS, help="the list of wheels")
    parser.add_argument("--out", type=Path, default=RUNS)
    parser.add_argument("--threads", type=int, default=1, help="for the model")
    given = parser.parse_args(arguments)
    if given.suite is not None and not given.suite.is_file():
        parser.error(
            f"{given.suite}: no such file; SUITE names JSON lines as `ctm-repair evaluate` reads them"
        )
    try:
        load_bundle(given.bundle)
        projects = read_projects(given.projects)
    except BundleError as error:
        parser.error(f"{error}; run `make demo` first, or name a bundle (BUNDLE=DIR)")
    except (ValueError, OSError) as error:
        parser.error(str(error))
    given.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    if given.suite is None:
        print("no suite (SUITE=pairs.jsonl): only the working projects are measured", file=sys.stderr)
    else:
        results["suite"] = measure_suite(given.bundle, given.suite, given.out, given.threads)
    results |= measure_projects(given.bundle, projects, given.out / "wheels", given.threads)
    with (given.out / "proposals.jsonl").open("w", encoding="utf-8") as file:
        for name, row in results["projects"].items():
            for change in row.get("proposals", {}).get("changes", []):
                file.write(json.dumps({"project": name, **change}) + "\n")
    (given.out / "real.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = table(results)
    (given.out / "table.md").write_text(text, encoding="utf-8")
    print(text, end="")
    problems = wrong(results)
    for line in problems:
        print(line, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
