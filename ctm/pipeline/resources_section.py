"""The report's section on what jobs declared and what they used; marked is what passed its declaration."""

from __future__ import annotations

from collections.abc import Sequence

from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.ledger import LEDGER, Entry, read
from ctm.pipeline.rule_use import HEADROOM, TIME_HEADROOM, RuleUse, rule_uses
from ctm.pipeline.tables import Block, Cell, Section, rows

TITLE = "Declared and used"
HEAD = (
    "rule",
    "jobs",
    "cores",
    "memory, GB",
    "vram, GB",
    "minutes",
    "network, Mbit/s",
    "disk, MB/s",
    "suggested",
)
NOTE = (
    "Used of declared: the most of any job, tries that failed included; cores are the mean over a job. Marked is what "
    "passed its declaration. A dash: not available on this machine, or the job was over in five seconds. Suggested: "
    f"memory {HEADROOM:g} times the peak of the process tree, a time limit {TIME_HEADROOM:g} times the longest job. "
    "As YAML: `ctm-pipeline used`."
)
NO_LEDGER = "This run has no ledger (results/provenance/ledger.jsonl), so what its jobs used is not known."


def resources_part(run: RunArtifacts) -> Section:
    """The section of a run, from its ledger as it is now: the report's own job is not in it yet."""
    section = resources_section(read(run.records))
    address = run.address(run.run / LEDGER)
    return Section(TITLE, [Block(one.title, one.note, one.table, file=address) for one in section.blocks])


def resources_section(entries: Sequence[Entry]) -> Section:
    """A table of all rules that ran; without entries, the words that there are none."""
    uses = rule_uses(entries)
    if not uses:
        return Section(TITLE, [Block("By rule", NO_LEDGER)])
    above = [use.rule for use in uses if use.passed]
    said = f"{len(above)} of {len(uses)} rules passed what they had declared. {NOTE}"
    return Section(TITLE, [Block("By rule", said, rows(HEAD, [_row(use) for use in uses]))])


def _row(use: RuleUse) -> list[object]:
    suggested = ", ".join(f"{name} {value}" for name, value in use.suggested.items())
    disk = None if use.disk_mb_per_second is None else f"{use.disk_mb_per_second:.1f} ({use.disk})"
    return [
        Cell(use.rule, mark="code"),
        use.jobs,
        *(Cell(one.text, mark="no" if one.passed else "") for one in use.measures),
        disk,
        Cell(suggested or "-"),
    ]
