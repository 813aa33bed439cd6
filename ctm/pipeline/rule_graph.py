"""Draws the rules of a run, colored by phase: what is done, what runs and what is still to come.

Rules and what they wait for come from the lineages that a start of Snakemake writes down (results/provenance/lineage/),
what has ended from the ledger. graphviz places and draws them: where `dot` is missing, there is no picture.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ctm.pipeline.ledger import DONE, FOLDER, Entry
from ctm.pipeline.phases import PHASES, phase_of
from ctm.pipeline.tables import Block

COLORS = {1: "#cfe3f5", 2: "#f6dfc4", 3: "#cdebd9", 4: "#eed4e5"}
"""Light ones of the palette of the curves; their letters stay dark on a dark page, too."""
COLOR_NAMES = {1: "blue", 2: "orange", 3: "green", 4: "pink"}
INK = "#1d2329"
NOT_DRAWN = "The picture is left out: graphviz is not installed (the command `dot`, of most systems' package graphviz)."
SECONDS = 60.0


@dataclass(frozen=True)
class Rules:
    """The rules of a run: what each waits for, and how it stands."""

    parents: Mapping[str, frozenset[str]]
    jobs_done: Mapping[str, int]
    """Jobs of each rule that ended well, under the lineage that it has now."""
    failed: frozenset[str]
    """Rules whose last job failed or was refused."""

    def is_done(self, rule: str) -> bool:
        """Whether jobs of it ended well, and none failed since."""
        return bool(self.jobs_done.get(rule)) and rule not in self.failed


def rules_of(run: Path, entries: Iterable[Entry]) -> Rules:
    """From what the run has written down; no rules where it wrote nothing."""
    newest: dict[str, tuple[float, str, frozenset[str]]] = {}
    for path in (run / FOLDER / "lineage").glob("*.json"):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            step, lineage, parents = found["step"], found["lineage"], frozenset(found["parents"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        made = path.stat().st_mtime
        if step not in newest or made > newest[step][0]:
            newest[step] = made, lineage, parents
    done: dict[str, set[tuple[str, ...]]] = {}
    failed: set[str] = set()
    for entry in entries:
        if entry.rule in newest and entry.lineage == newest[entry.rule][1]:
            failed.discard(entry.rule)
            if entry.status == DONE:
                done.setdefault(entry.rule, set()).add(entry.wildcards)
            else:
                failed.add(entry.rule)
    return Rules(
        {step: parents for step, (_, _, parents) in newest.items()},
        {rule: len(jobs) for rule, jobs in done.items()},
        frozenset(failed),
    )


def rules_block(
    rules: Rules, running: Iterable[str] = (), planned: Mapping[str, int] | None = None
) -> Block | None:
    """The picture with its caption. planned: jobs of each rule in this start of Snakemake; None without rules."""
    if not rules.parents:
        return None
    svg = draw(dot_text(rules, set(running), planned or {}))
    legend = ", ".join(f"{COLOR_NAMES[phase]}: {name}" for phase, name in PHASES.items())
    note = (
        f"An arrow leads to what reads the result. {legend}. Full frame: done; thick: running; dashed: still to come; "
        "red: its last job failed or was refused. Jobs that ended stand below the name."
    )
    return Block("Rules", f"{note} {NOT_DRAWN if svg is None else ''}".strip(), svg=svg or "")


def dot_text(rules: Rules, running: set[str], planned: Mapping[str, int]) -> str:
    """The graph in graphviz' language, less the arrows that follow from others."""
    lines = [
        "digraph {",
        'graph [bgcolor="transparent", rankdir=TB, nodesep=0.15, ranksep=0.35]',
        f'node [shape=box, style=filled, fontname="sans-serif", fontsize=11, fontcolor="{INK}", margin="0.08,0.04"]',
        'edge [color="#000000", arrowsize=0.5, penwidth=0.7]',
    ]
    for rule in sorted(rules.parents):
        done = rules.jobs_done.get(rule, 0)
        of = max(done, planned.get(rule, 0))
        count = f"\\n{done} of {of}" if of > max(done, 1) else f"\\n{done}" if done > 1 else ""
        if rule in running:
            look = f'style="filled,bold", color="{INK}", penwidth=2.5'
        elif rule in rules.failed:
            look = 'style="filled", color="#c0282d", penwidth=2.5'
        elif rules.is_done(rule) and of == done:
            look = f'style="filled", color="{INK}"'
        else:
            look = 'style="filled,dashed", color="#6b7680"'
        lines.append(f'"{rule}" [label="{rule}{count}", fillcolor="{COLORS[phase_of(rule)]}", {look}]')
    lines += [f'"{parent}" -> "{rule}"' for parent, rule in sorted(direct(rules.parents))]
    return "\n".join([*lines, "}"])


def direct(parents: Mapping[str, frozenset[str]]) -> set[tuple[str, str]]:
    """(parent, rule) less those that a longer way says too; parents that are no rules of the run are left out."""
    above: dict[str, frozenset[str]] = {}

    def ancestors(rule: str) -> frozenset[str]:
        if rule not in above:
            above[rule] = frozenset()  # against a circle, which there is none of
            mine = parents.get(rule, frozenset())
            above[rule] = mine.union(*(ancestors(parent) for parent in mine))
        return above[rule]

    return {
        (parent, rule)
        for rule, mine in parents.items()
        for parent in mine
        if parent in parents and not any(parent in ancestors(other) for other in mine if other != parent)
    }


def draw(text: str) -> str | None:
    """SVG of a graph; None where graphviz is missing or fails."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-Tsvg"], input=text, capture_output=True, encoding="utf-8", check=True, timeout=SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
