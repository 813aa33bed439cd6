"""The data card of a run: what the pairs are, as a page to read and as Croissant (JSON-LD that MLCommons defines)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ctm.files import write_text
from ctm.pairs.record import Pair, read_pairs
from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.audit import facts
from ctm.pipeline.croissant import croissant
from ctm.pipeline.data_card_sections import (
    cleaning_section,
    coverage_section,
    leaks_section,
    pairs_section,
    short_facts,
)
from ctm.pipeline.data_counts import SHOWN, Facts, count
from ctm.pipeline.diffs import diff_lines, link, visible
from ctm.pipeline.page import render
from ctm.pipeline.tables import Section
from ctm.pipeline.words import plain


def write_data_card(
    sets: Sequence[Path],
    counts: Path,
    clean: Path,
    sidecars: Sequence[Path],
    rejects: Sequence[Path],
    page: Path,
    json_ld: Path,
) -> None:
    """Write the page and the JSON-LD.

    sets: files of pairs, named after their set. counts, clean: of build_pairs and clean_snippets. sidecars, rejects:
    of encode_shard. Raises OSError, ValueError for files of another format.
    """
    found = count(sets, sidecars, rejects)
    run = RunArtifacts([], page)
    names = [path.stem for path in sets]
    sections = [
        _linked(section, [run.address(path) for path in files])
        for section, files in (
            (pairs_section(found, names), [sets[0].parent]),
            (coverage_section(found), [path.parent for path in [*sidecars, *rejects][:1]]),
            (cleaning_section(counts, clean), [counts, clean]),
            (leaks_section(counts), [counts]),
        )
        if section.blocks
    ]
    name = page.absolute().parents[2].name
    text = render(
        "data_card.html.j2",
        run=name,
        machine=run.address(json_ld),
        facts=short_facts(found, names),
        sections=sections,
        examples=_examples(sets, found),
        shown=SHOWN,
    )
    write_text(page, text)
    licenses = sorted({value for value, _ in found.counts["license"]})
    description = croissant(f"ctm-pairs-{name}", sets, licenses)
    write_text(json_ld, json.dumps(description, indent=1, ensure_ascii=False) + "\n")


def _linked(section: Section, files: Sequence[str]) -> Section:
    """Its tables with the file that they were counted from, the last one for those behind it too."""
    blocks = [
        replace(block, file=block.file or (files[min(place, len(files) - 1)] if files else ""))
        for place, block in enumerate(section.blocks)
    ]
    return replace(section, blocks=blocks)


def _examples(sets: Sequence[Path], found: Facts) -> list[tuple[str, list[Mapping[str, Any]]]]:
    wanted = {name for names in found.shown.values() for name in names}
    cards: dict[str, Mapping[str, Any]] = {}
    for path in sets:
        here = [name for name in (pair.pair_id for pair in read_pairs(path, ["pair_id"])) if name in wanted]
        if here:
            for pair in (pair for pair in read_pairs(path) if pair.pair_id in wanted):
                cards[pair.pair_id] = {
                    "id": pair.pair_id,
                    "title": _title(pair),
                    "lines": diff_lines(pair.buggy, pair.fixed),
                    "facts": facts(pair),
                    "link": link(pair),
                }
    return [(category, [cards[name] for name in names]) for category, names in found.shown.items()]


def _title(pair: Pair) -> str:
    """What a pair is called: project and kind of bug."""
    kind = "" if pair.kind in (pair.source, pair.category) else f": {plain(pair.kind)}"
    made = "" if pair.source == "mutation" else f", {plain(pair.source)}"
    return visible(f"{pair.origin.project or pair.group}{kind}{made}")
