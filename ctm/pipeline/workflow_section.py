"""The report's section on the run itself: its rules as a picture, and the energy of its phases."""

from __future__ import annotations

from ctm.pipeline import ledger
from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.energy_section import energy_block
from ctm.pipeline.rule_graph import rules_block, rules_of
from ctm.pipeline.tables import Section

MAKER = "report"
"""The rule that makes the page, and so runs as it is made."""


def workflow_section(run: RunArtifacts) -> Section:
    """No block where the run has no ledger."""
    entries = ledger.read(run.records)
    blocks = [rules_block(rules_of(run.records, entries), running=[MAKER]), energy_block(entries)]
    note = "As the report was made; results/dashboard/ has the state at the end of the run, and what it cost."
    return Section("The workflow", [block for block in blocks if block], note)
