"""Evaluation of any pairs: JSON lines in, the measures of metrics.py out.

Items are worked through in chunks of similar length, each with its own cache of states; only items whose first answer
is not right get others, and items out of scope get none, since nothing that they could find would count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctm.grid.edits import Unreachable, edits_between
from ctm.grid.layout import DoesNotFit, layout
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.categories import categorize
from ctm.python.compiling import compiles
from ctm.python.lexical import exact_match, lexical_tokens, token_distance
from ctm.repair.candidates import Proposer
from ctm.repair.clock import OVER, TestClock
from ctm.repair.confidence import ConfidenceCurve
from ctm.repair.deletion import shortest_deletion
from ctm.repair.harm import measure_harm
from ctm.repair.metrics import Outcome
from ctm.repair.passes import Repair, Repairer
from ctm.repair.sandbox import SandboxSettings, TestResult, run_test

TOP_K = 10
CHUNK = 512
"""Items that advance together: enough for full batches, few enough to show progress."""
BIFI_DISTANCE = 4
DELETION = "deletion"
"""Name of the baseline of ctm.repair.deletion."""
HARM = (
    "edit_precision", "edit_recall", "collateral", "over_deleted", "statement_recall", "same_tree",
)  # fmt: skip
"""Of ctm.repair.harm.Harm, what an item's line has."""


class ItemsError(ValueError):
    """A line of the pairs is not an item; the message names file, line and field."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the pairs."""

    item_id: str
    buggy: str
    fixed: str
    category: str
    kind: str = ""
    test: str = ""
    project: str = ""
    """What it was taken from, for the intervals: items of one project are alike."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An item with its ranked answers, best first, and how they did."""

    item: Item
    answers: tuple[Repair, ...]
    outcome: Outcome
    reason: str
    """Why the item is out of scope; "" where it is in scope."""
    tests: tuple[TestResult, ...] = ()
    """Of the answers, up to the first that passed."""

    def as_row(self) -> dict[str, Any]:
        """The item's line of `--items`."""
        first = self.answers[0] if self.answers else None
        harm = self.outcome.harm
        return {
            "id": self.item.item_id,
            "category": self.item.category,
            "kind": self.item.kind or None,
            "in_scope": self.outcome.in_scope,
            "reason": self.reason or None,
            "answers": [answer.text for answer in self.answers],
            "exact_rank": self.outcome.exact_rank,
            "pass_rank": self.outcome.pass_rank,
            "bifi": self.outcome.bifi,
            "guarded_bifi": self.outcome.is_guarded_bifi,
            **({name: getattr(harm, name) for name in HARM} if harm else {}),
            "tests": [result.why for result in self.tests],
            "confidence": self.outcome.confidence,
            "share": first.share if first else None,
            "certainty": first.certainty if first else None,
            "passes": len(first.passes) if first else 0,
            "ticks": self.outcome.ticks,
            "stopped": first.stopped if first else None,
        }


# --- reading --------------------------------------------------------------------------------------------------------


def read_items(path: Path, limit: int | None = None) -> list[Item]:
    """Items of a JSON-lines file, the first `limit` of them. Raises ItemsError, with line and field; OSError."""
    items: list[Item] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if limit is not None and len(items) >= limit:
                break
            if line.strip():
                items.append(_item(line, f"{path}:{number}"))
    if not items:
        raise ItemsError(f'{path}: the file has no items; expected JSON lines with "id", "buggy" and "fixed"')
    return items


def _item(line: bytes, where: str) -> Item:
    try:
        row = json.loads(line)
    except (
        ValueError,
        RecursionError,
    ) as error:  # ValueError: not JSON, not UTF-8, or a number of 5,000 digits
        raise ItemsError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ItemsError(f'{where}: not an object with "id", "buggy" and "fixed"')
    for name in ("id", "buggy", "fixed"):
        if name not in row:
            raise ItemsError(f'{where}: "{name}" is missing')
    for name in ("buggy", "fixed", "category", "kind", "test", "project"):
        absent = name not in ("buggy", "fixed") and row.get(name) is None
        if not absent and not isinstance(row[name], str):
            raise ItemsError(f'{where}: "{name}" must be text, not {type(row[name]).__name__}')
    if isinstance(row["id"], (dict, list)):
        raise ItemsError(f'{where}: "id" must be text or a number, not {type(row["id"]).__name__}')
    buggy, fixed = row["buggy"], row["fixed"]
    category = row.get("category") or categorize(buggy, fixed)
    others = (row.get(name) or "" for name in ("kind", "test", "project"))
    return Item(str(row["id"]), buggy, fixed, category, *others)


# --- evaluation -----------------------------------------------------------------------------------------------------


@dataclass
class Evaluator:
    """Answers items and judges the answers. `run_tests` says whether items' tests are run at all."""

    proposer: Proposer
    tokenizer: CodeTokenizer
    threshold: float
    further: float = 0.0
    confidence: ConfidenceCurve | None = None
    """Makes a probability of the share of a repair of broken code; None: the share itself."""
    run_tests: bool = True
    unsafe: bool = False
    threads: int = 1
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    clock: TestClock = field(default_factory=lambda: TestClock(float("inf")))
    """When it is over, tests that are left are not run; the longest items are, as shorter ones come first."""

    def evaluate(
        self, items: Sequence[Item], advance: Callable[[int], None] = lambda done: None
    ) -> list[Evaluated]:
        """All items, in their order; `advance` is told how many more are done."""
        order = sorted(range(len(items)), key=lambda index: len(items[index].buggy))
        done: dict[int, Evaluated] = {}
        for begin in range(0, len(order), CHUNK):
            places = order[begin : begin + CHUNK]
            done.update(zip(places, self._chunk([items[place] for place in places]), strict=True))
            advance(len(places))
        return [done[index] for index in range(len(items))]

    def _chunk(self, items: Sequence[Item]) -> Iterator[Evaluated]:
        repairer = Repairer(
            self.proposer, self.tokenizer, self.threshold, further=self.further, confidence=self.confidence
        )
        reasons = [out_of_scope(item, self.tokenizer) for item in items]
        repairs = repairer.repair([item.buggy for item in items])
        tests = self._test([(item, [repair]) for item, repair in zip(items, repairs, strict=True)], reasons)
        open_ = [
            index
            for index, (item, repair) in enumerate(zip(items, repairs, strict=True))
            if not reasons[index] and not self._is_settled(item, repair, tests[index])
        ]
        ranked = repairer.repair([items[index].buggy for index in open_], top_k=TOP_K)
        untested = [
            () if _has_passed(tests[index]) else item.alternatives
            for index, item in zip(open_, ranked, strict=True)
        ]
        more = self._test(
            [(items[index], answers) for index, answers in zip(open_, untested, strict=True)],
            [""] * len(open_),
        )
        for index, repair, results in zip(open_, ranked, more, strict=True):
            repairs[index] = repair
            tests[index] += results
        for item, repair, reason, results in zip(items, repairs, reasons, tests, strict=True):
            yield judge_item(item, repair, reason, results)

    def _is_settled(self, item: Item, repair: Repair, results: Sequence[TestResult]) -> bool:
        """Whether no other answer could better any measure."""
        return exact_match(repair.text, item.fixed) and not (results and results[-1].passed is False)

    def _test(
        self, todo: Sequence[tuple[Item, Iterable[Repair]]], reasons: Sequence[str]
    ) -> list[tuple[TestResult, ...]]:
        """Results of each item's answers in their order, up to the first that passes; () for items without test."""
        if not self.run_tests or not any(item.test for item, _ in todo):
            return [()] * len(todo)
        with self.clock.running(), ThreadPoolExecutor(self.threads) as pool:
            answers = [list(ranked) for _, ranked in todo]
            return list(pool.map(self._test_item, [item for item, _ in todo], answers, reasons))

    def _test_item(self, item: Item, answers: Iterable[Repair], reason: str) -> tuple[TestResult, ...]:
        texts = ((answer.text, answer.compiles) for answer in answers)
        return run_item_test(item, texts, self.sandbox, reason=reason, unsafe=self.unsafe, clock=self.clock)


def run_item_test(
    item: Item,
    answers: Iterable[tuple[str, bool]],
    sandbox: SandboxSettings,
    *,
    reason: str = "",
    unsafe: bool = False,
    clock: TestClock | None = None,
) -> tuple[TestResult, ...]:
    """Results of ranked (text, compiles) up to the first that passes; () for an item without test.

    reason: why the item is out of scope; then nothing is run, and it fails. clock: once it is over, nothing is run
    either, and the last result says so.
    """
    results: list[TestResult] = []
    if item.test:
        for text, is_valid in answers:
            if reason:
                results.append(TestResult(False, "out of scope"))
            elif not is_valid:
                results.append(TestResult(False, "does not compile"))
            elif clock is not None and clock.is_over:
                results.append(TestResult(None, OVER))
            else:
                results.append(run_test(text, item.test, sandbox, unsafe=unsafe))
            if results[-1].passed is not False:  # it passed, or tests cannot be run here
                break
    return tuple(results)


def out_of_scope(item: Item, tokenizer: CodeTokenizer) -> str:
    """Why a pair cannot be repaired whatever the model says; "" for one that fits and is reachable."""
    buggy, fixed = (tokenizer.encode(text.rstrip("\n")) for text in (item.buggy, item.fixed))
    try:
        layout(buggy)
        layout(fixed)
        edits_between(buggy, fixed, tokenizer)
    except (DoesNotFit, Unreachable) as error:
        return error.reason
    return ""


def judge_item(item: Item, repair: Repair, reason: str, tests: tuple[TestResult, ...] = ()) -> Evaluated:
    """Compare an item's ranked answers with its fixed text."""
    asked = repair.model_calls > 0
    answers = (repair, *repair.alternatives) if asked else ()
    fixed_compiles = compiles(item.fixed)
    ran = bool(tests) and all(result.passed is not None for result in tests)
    outcome = Outcome(
        category=item.category,
        in_scope=not reason,
        is_clean=item.buggy == item.fixed,
        is_broken=not compiles(item.buggy),
        exact_rank=_rank(_is_exact(answer, item.fixed, fixed_compiles) for answer in answers),
        bifi=repair.compiles and is_bifi(item.buggy, repair.text),
        has_test=bool(item.test),
        test_ran=ran,
        pass_rank=_rank(bool(result.passed) for result in tests),
        is_changed=not exact_match(repair.text, item.buggy),
        confidence=repair.confidence,
        ticks=repair.ticks / repair.model_calls if asked else None,
        harm=measure_harm(item.buggy, repair.text, item.fixed),
        project=item.project,
        fixed_compiles=fixed_compiles,
    )
    return Evaluated(item, answers, outcome, reason, tests)


def is_bifi(buggy: str, answer: str) -> bool:
    """Whether an answer that compiles is 1 to 4 lexical tokens away."""
    return 1 <= token_distance(buggy, answer, BIFI_DISTANCE) <= BIFI_DISTANCE


def delete_shortest(items: Iterable[Item]) -> list[Outcome]:
    """The deletion baseline on the same items; code that compiles stays as it is."""
    return [
        judge_texts(item, [] if (found := shortest_deletion(item.buggy)) is None else [found])
        for item in items
    ]


def judge_texts(item: Item, answers: Sequence[str], tests: tuple[TestResult, ...] = ()) -> Outcome:
    """Compare the ranked texts of a baseline with an item's fixed text; none: it leaves the text as it is.

    Everything is in a baseline's scope, and it has no confidence. Of broken code, its answers compile.
    """
    first = answers[0] if answers else item.buggy
    is_broken, fixed_compiles = not compiles(item.buggy), compiles(item.fixed)
    wanted = lexical_tokens(item.fixed)

    def is_exact(text: str) -> bool:
        return text == item.fixed or (wanted is not None and lexical_tokens(text) == wanted)

    # equal tokens compile equally, so most texts need not be tokenized
    comparable = answers or ([item.buggy] if is_broken != fixed_compiles else [])
    return Outcome(
        category=item.category,
        in_scope=True,
        is_clean=item.buggy == item.fixed,
        is_broken=is_broken,
        exact_rank=_rank(map(is_exact, comparable)),
        bifi=is_broken and bool(answers) and is_bifi(item.buggy, first),
        has_test=bool(item.test),
        test_ran=bool(tests) and all(result.passed is not None for result in tests),
        pass_rank=_rank(bool(result.passed) for result in tests),
        is_changed=bool(answers) and (is_broken or not exact_match(first, item.buggy)),
        harm=measure_harm(item.buggy, first, item.fixed),
        project=item.project,
        fixed_compiles=fixed_compiles,
    )


def _is_exact(answer: Repair, fixed: str, fixed_compiles: bool) -> bool:
    """Exact match, without tokenizing what cannot be one: equal tokens compile equally."""
    return answer.text == fixed or (answer.compiles == fixed_compiles and exact_match(answer.text, fixed))


def _has_passed(results: Sequence[TestResult]) -> bool:
    return bool(results) and bool(results[-1].passed)


def _rank(flags: Iterable[bool]) -> int | None:
    return next((place for place, flag in enumerate(flags, 1) if flag), None)
