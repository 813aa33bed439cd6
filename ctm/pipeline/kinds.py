"""The report's section on synthetic bugs: what was asked, what each kind gave, both rates beside those asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ctm.bugs.generation.quotas import Quota, asked_and_drawn
from ctm.bugs.generation.rates import (
    CHECKED,
    DRAWN,
    DUPLICATES,
    FIELDS,
    MIN_PASS_RATE,
    MIN_SUCCESS_RATE,
    MUTANTS,
    PASSED,
    SITES,
    Tally,
    share,
    training_samples,
)
from ctm.bugs.registry import CLEAN, MULTI_ERROR_SYNTAX, registry
from ctm.pipeline.tables import Block, Section, Table, rows
from ctm.shares import percent

WORDS = (
    "Drawn: snippets that were asked for the kind; sites: those with a place for it. Success: draws with a site that "
    "gave a mutant; validation: candidates that passed compiler, bytecode, rule and category. Duplicates: mutants that "
    "their snippet or shard had given before."
)


def kinds_section(tally: Tally, quotas: Mapping[str, Quota] | None = None) -> Section:
    """Overall rates with what the specification asks, met or not; then each category, then each kind."""
    asked = [
        ("success", tally.success_rate, MIN_SUCCESS_RATE, "asked samples that gave a mutant"),
        ("validation", tally.pass_rate, MIN_PASS_RATE, "checked candidates that passed"),
    ]
    overall = rows(
        ["rate", "share of", "reached", "asked for", "met"],
        [
            (name, of, percent(reached), f"over {wanted:.0%}", None if reached is None else reached > wanted)
            for name, reached, wanted, of in asked
        ],
    )
    sorts = rows(
        ["samples", "asked", "made", "share"],
        [(sort, a, made, percent(share(made, a))) for sort, (a, made) in tally.asked.items()],
    )
    category = {kind.name: kind.category for kind in registry().values()} | {MULTI_ERROR_SYNTAX: "syntax"}
    kinds = [(category.get(k, k), k, counts) for k, counts in tally.kinds.items() if k != CLEAN]
    order = {name: place for place, name in enumerate(("syntax", "logic", "security", "complex"))}
    kinds.sort(key=lambda item: (order.get(item[0], len(order)), item[1]))
    head = ["category", "kind", "drawn", "sites", "success", "validation", "mutants", "duplicates"]
    table = rows(head, [(sort, kind, *_row(counts)) for sort, kind, counts in kinds])
    sums = rows(
        [head[0], *head[2:]],
        [
            (sort, *_row(_sum(counts for of, _, counts in kinds if of == sort)))
            for sort in dict.fromkeys(of for of, _, _ in kinds)
        ],
    )
    never = sorted(set(category) - set(tally.kinds))
    blocks = [
        Block(
            "Rates asked for", "What the specification asks of making bugs, beside what was reached.", overall
        ),
        Block(
            "Samples",
            "Samples that were asked for and that were made: those without a place for any kind lack.",
            sorts,
        ),
        Block("Categories", f"The kinds of each category together. {WORDS}", sums),
        Block("Kinds", "Each kind by itself, the columns as above.", table, fold=True),
    ]
    if quotas:
        blocks.append(
            Block(
                "Asked and drawn for training",
                "Shares of the training samples of a category with one error; a kind below half of what the mix asks "
                "for has the reason beside it. The shortest first.",
                _requested_and_drawn(tally, quotas),
                fold=True,
            )
        )
    if never:
        table = rows(["category", "kind"], sorted((category[kind], kind) for kind in never))
        blocks.append(Block("Kinds never drawn", "Nothing was asked of them in this run.", table, fold=True))
    return Section("Synthetic bugs", blocks, "Bugs that programs made in clean code, by kind.")


def _requested_and_drawn(tally: Tally, quotas: Mapping[str, Quota]) -> Table:
    """What the mix asks of each kind and what was drawn, the shortest first."""
    found = sorted(asked_and_drawn(quotas, training_samples(tally)), key=lambda row: row.ratio)
    return rows(
        ["category", "kind", "asked", "drawn", "mutants", "drawn of asked", "why short"],
        [
            (r.category, r.kind, percent(r.asked), percent(r.drawn), r.number, percent(r.ratio), r.why)
            for r in found
        ],
    )


def _row(counts: list[int]) -> tuple[int, int, str, str, int, int]:
    return (
        counts[DRAWN],
        counts[SITES],
        percent(share(counts[MUTANTS], counts[SITES])),
        percent(share(counts[PASSED], counts[CHECKED])),
        counts[MUTANTS],
        counts[DUPLICATES],
    )


def _sum(many: Iterable[list[int]]) -> list[int]:
    return [sum(column) for column in zip([0] * len(FIELDS), *many, strict=True)]
