"""Judges the final bundle on suites of real bugs that the user brings: the same measures as everywhere, by item too.

Every suite is loaded and its checksum compared before the model is asked anything. Tests run in the sandbox of
ctm.repair; where there is none they are null, with the reason. No setting may be chosen by what comes out.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from ctm.evaluation.groups import Size, by_group, size_of
from ctm.evaluation.inverse_mutation import InverseMutations
from ctm.evaluation.published.erased import measure_erased
from ctm.evaluation.published.figures import read_published
from ctm.evaluation.published.loading import Loaded
from ctm.evaluation.published.registry import LAYOUTS, load_suite
from ctm.evaluation.published.settings import SuiteSettings
from ctm.evaluation.references import Answerer, answerers, judge
from ctm.evaluation.security_repairs import SecurityVerdict, judge_security, security_figures
from ctm.evaluation.working_sides import working_sides
from ctm.files import write_json
from ctm.pairs.overall import CLEAN
from ctm.parquet import write_parquet
from ctm.python.compiling import quiet
from ctm.repair.bundle import Bundle, load_bundle
from ctm.repair.clock import OVER, TestClock
from ctm.repair.evaluate import TOP_K, Evaluated, Evaluator, Item, judge_texts, run_item_test
from ctm.repair.metrics import Outcome, report
from ctm.repair.sandbox import SandboxSettings, unavailable

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
SEED = 0
OF_NO_FIX = ("n", "coverage", "bifi", "edited", "false_alarm", "ticks_mean")
"""Measures that say something where nobody's repair is known."""
NO_TESTS = "no item has a test"
ROWS = pa.schema(
    [
        ("suite", pa.string()),
        ("id", pa.string()),
        ("category", pa.string()),
        ("kind", pa.string()),
        ("project", pa.string()),
        ("tokens", pa.int32()),  # of the author's edit
        ("edits", pa.int32()),
        ("lines", pa.int32()),
        ("in_scope", pa.bool_()),
        ("reason", pa.string()),  # why out of scope
        ("exact_rank", pa.int32()),
        ("pass_rank", pa.int32()),
        ("bifi", pa.bool_()),
        ("guarded_bifi", pa.bool_()),
        ("same_tree", pa.bool_()),
        ("changed", pa.bool_()),
        ("collateral", pa.int32()),
        ("confidence", pa.float32()),
        ("rule", pa.bool_()),  # of security items: ctm.evaluation.security_repairs
        ("bandit", pa.bool_()),
        ("tests", pa.list_(pa.string())),  # how each answer did, up to the first that passed
        ("answers", pa.list_(pa.string())),
        ("references", pa.map_(pa.string(), pa.int32())),  # rank of the exact answer of each reference point
    ],
    metadata={"format": "ctm.suite_items", "format_version": str(FORMAT_VERSION)},
)


@dataclass(frozen=True)
class Judged:
    """A suite and everything that was found out about its items, in one order."""

    items: Sequence[Item]
    results: Sequence[Evaluated]
    sizes: Sequence[Size]
    verdicts: Mapping[int, SecurityVerdict]
    """Of security items, by place."""
    references: Mapping[str, Sequence[Outcome]]

    @property
    def outcomes(self) -> list[Outcome]:
        """Of the model."""
        return [result.outcome for result in self.results]


def evaluate_suites(
    bundle: Path,
    suites: Mapping[str, SuiteSettings],
    mutations: InverseMutations,
    published: Path,
    threads: int,
    out: Path,
    items: Path,
) -> None:
    """Judge the bundle on every suite (paths absolute). mutations: learned from the training pairs.

    published: YAML of figures that others report, by suite; they are shown, never compared by the code.
    out: JSON of all figures; items: Parquet, a row per item (schema ROWS). Raises SuiteError, BundleError.
    """
    loaded = {name: load_suite(name, suite) for name, suite in suites.items()}
    model = load_bundle(bundle, threads)
    ask = answerers(mutations)
    others = read_published(published)
    figures: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    for name, suite in suites.items():
        started = time.monotonic()
        log.info("%s: %d items, %d dropped", name, len(loaded[name].items), loaded[name].dropped.total())
        figures[name], judged = evaluate_suite(loaded[name], suite, model, ask, threads)
        figures[name]["published"] = others.get(suite.published or suite.layout, [])
        figures[name]["seconds"] = time.monotonic() - started
        rows += [_row(name, judged, place) for place in range(len(judged.items))]
    write_parquet(items, pa.Table.from_pylist(rows, schema=ROWS))
    write_json(out, {"format_version": FORMAT_VERSION, "suites": figures})


def evaluate_suite(
    loaded: Loaded, suite: SuiteSettings, model: Bundle, ask: Mapping[str, Answerer], threads: int
) -> tuple[dict[str, Any], Judged]:
    """All figures of a suite, and its items."""
    layout = LAYOUTS[suite.layout]
    items = drawn(loaded.items, suite.items)
    has_tests = any(item.test for item in items)
    why_no_tests = unavailable() if has_tests else NO_TESTS
    seconds = suite.test_seconds / (1 + len(ask))
    evaluator = Evaluator(
        model.proposer,
        model.tokenizer,
        model.threshold,
        model.further,
        model.confidence,
        run_tests=not why_no_tests,
        threads=threads,
        clock=TestClock(seconds),
    )
    results = evaluator.evaluate(items)
    references = (
        judge(items, ask, TOP_K, threads)
        if why_no_tests
        else {name: _tested(items, ask[name], evaluator.sandbox, TestClock(seconds), threads) for name in ask}
    )
    results, references, untested = _without_untested(results, references, bool(why_no_tests))
    secure = [place for place, item in enumerate(items) if item.category == "security"]
    found, why_no_bandit = _security([results[place] for place in secure])
    verdicts = dict(zip(secure, found, strict=True))
    judged = Judged(items, results, [size_of(item) for item in items], verdicts, references)
    figures = report(judged.outcomes, references)
    broken = [(item.buggy, item.fixed) for item in items if item.category == "syntax"]
    if not layout.has_fix:
        figures = _without_fix(figures)
    return {
        "layout": suite.layout,
        "license": suite.license or layout.license,
        "sha256": suite.sha256,
        "citation": layout.citation,
        "item": layout.item,
        "found": len(loaded.items),
        "asked": len(items),
        "dropped": _by_number(loaded.dropped),
        "notes": _by_number(loaded.notes),
        "tests": {
            "items": sum(bool(item.test) for item in items),
            "left_out": {OVER: untested} if untested else {},
            "why_not_run": why_no_tests or None,
        },
        **figures,
        "working": working_sides([item for item in items if layout.has_fix or item.category == CLEAN], model),
        "by": by_group(items, judged.sizes, judged.outcomes) if layout.has_fix else None,
        "security": security_figures([items[place] for place in secure], found, why_no_bandit)
        if secure
        else None,
        "erased": measure_erased(broken, model.repairer) if broken and layout.has_fix else None,
    }, judged


def drawn(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many at random, in their order; 0: all."""
    if not most or len(items) <= most:
        return list(items)
    places = random.Random(SEED).sample(range(len(items)), most)
    return [items[place] for place in sorted(places)]


def _tested(
    items: Sequence[Item], answer: Answerer, sandbox: SandboxSettings, clock: TestClock, threads: int
) -> list[Outcome]:
    """A reference point's outcomes with its answers put to the tests; where it has none, the text as it is.

    Short items first, as the model has them: where time runs out, all points lack about the same ones.
    """

    def judged(item: Item) -> Outcome:
        texts = answer(item.buggy, TOP_K)
        tests = run_item_test(item, ((text, True) for text in texts or [item.buggy]), sandbox, clock=clock)
        return judge_texts(item, texts, tests)

    order = sorted(range(len(items)), key=lambda place: len(items[place].buggy))
    # threads wait for tests, which are processes of their own
    with clock.running(), ThreadPoolExecutor(threads) as pool, quiet():
        done = dict(zip(order, pool.map(judged, [items[place] for place in order]), strict=True))
    return [done[place] for place in range(len(items))]


def _without_untested(
    results: Sequence[Evaluated], references: Mapping[str, Sequence[Outcome]], none_ran: bool
) -> tuple[list[Evaluated], dict[str, list[Outcome]], int]:
    """The same where tests that the time did not reach for one of them count for none, and of how many items."""
    lists = [[result.outcome for result in results], *references.values()]
    left_out = {
        place
        for outcomes in lists
        for place, outcome in enumerate(outcomes)
        if outcome.has_test and not outcome.test_ran and not none_ran
    }

    def counted(outcomes: Sequence[Outcome]) -> list[Outcome]:
        return [
            replace(outcome, has_test=False, pass_rank=None) if place in left_out else outcome
            for place, outcome in enumerate(outcomes)
        ]

    model, *others = map(counted, lists)
    return (
        [replace(result, outcome=outcome) for result, outcome in zip(results, model, strict=True)],
        dict(zip(references, others, strict=True)),
        len(left_out),
    )


def _security(results: Sequence[Evaluated]) -> tuple[list[SecurityVerdict], str]:
    """Verdicts on first answers, and why Bandit was not asked."""
    if not results:
        return [], ""
    answers = [result.answers[0].text if result.answers else result.item.buggy for result in results]
    return judge_security([result.item for result in results], answers)


def _without_fix(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures of items whose repair nobody knows: null what would compare with it. Clean items count as they are."""

    def comparable(measures: dict[str, Any]) -> dict[str, Any]:
        return {name: value if name in OF_NO_FIX else None for name, value in measures.items()}

    def all_of(part: Mapping[str, Any]) -> dict[str, Any]:
        groups = ("by_category", "baselines")
        whole = {name: comparable(part[name]) for name in ("all", "in_scope")}
        return whole | {
            name: {key: comparable(value) if key != CLEAN else value for key, value in part[name].items()}
            for name in groups
            if name in part
        }

    return figures | all_of(figures) | {"intervals": figures["intervals"] | all_of(figures["intervals"])}


def _by_number(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common())


def _row(suite: str, judged: Judged, place: int) -> dict[str, Any]:
    item, result, size = judged.items[place], judged.results[place], judged.sizes[place]
    outcome, harm = result.outcome, result.outcome.harm
    verdict = judged.verdicts.get(place)
    ranks = {name: outcomes[place].exact_rank for name, outcomes in judged.references.items()}
    return {
        "suite": suite,
        "id": item.item_id,
        "category": item.category,
        "kind": item.kind,
        "project": item.project,
        "tokens": size.tokens,
        "edits": size.edits,
        "lines": size.lines,
        "in_scope": outcome.in_scope,
        "reason": result.reason,
        "exact_rank": outcome.exact_rank,
        "pass_rank": outcome.pass_rank,
        "bifi": outcome.bifi,
        "guarded_bifi": outcome.is_guarded_bifi,
        "same_tree": harm.same_tree if harm else None,
        "changed": outcome.is_changed,
        "collateral": harm.collateral if harm else None,
        "confidence": outcome.confidence,
        "rule": verdict.rule if verdict else None,
        "bandit": verdict.bandit if verdict else None,
        "tests": [test.why for test in result.tests],
        "answers": [answer.text for answer in result.answers],
        "references": list(ranks.items()),
    }
