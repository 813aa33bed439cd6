"""Computes drawing weights so that each kind reaches its share of the training set.

A kind is drawn from a snippet only where it has a place, so a weight by itself gives a kind with few places far less
than its share. A sample of the training snippets is surveyed (`ctm.bugs.generation.draw.survey_text`): which kinds
does each one give? What a set of weights would draw follows from that table, and the weights are moved until it is
what is asked (iterative proportional fitting). Rare kinds are raised no further than until half of the snippets with
a place give them; what that leaves them short of is said, with the reason. The result depends on seed, snippets,
settings and mix alone, is made once and read by every job.
"""

from __future__ import annotations

import heapq
import json
import logging
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ctm.bugs.generation.mix import BugMix, load_mix
from ctm.bugs.generation.rates import MUTANTS
from ctm.bugs.generation.security import MOST_ASKED
from ctm.bugs.generation.worker import mutate_in_workers
from ctm.bugs.registry import registry
from ctm.bugs.settings import MutationSettings
from ctm.files import write_json
from ctm.pairs.record import Snippet, read_snippets

log = logging.getLogger(__name__)
FORMAT_VERSION = 3
SHORT = 0.5
"""Less than this part of what is asked has to have a reason."""
_COMMON = 0.25  # kinds with more places than this, as registered, are tried in the first snippets only;
# security kinds are told by their own places, at no cost
_FIRST = 200  # snippets in which every kind is tried
_MOST_TAKEN = 0.5  # share of the snippets with a place for a kind that give it
_MOST_RAISED = 64.0  # and how far a weight is moved either way, against the middle one of its category
_ROUNDS = 200
_FEW = 20


@dataclass(frozen=True)
class Quota:
    """Of one kind. Shares are of the samples of its category that have one error."""

    asked: float
    """Share that the mix asks for."""
    places: float
    """Share of the surveyed snippets that gave one, each counted as often as a sample is asked of it."""
    expected: float
    """Share that the weight should draw."""
    weight: float
    """Weight to draw by."""

    def reason(self) -> str:
        """Why fewer are drawn than asked."""
        if not self.places:
            return "no place in the snippets surveyed"
        if self.expected < self.asked * 0.9:
            return f"places in {self.places:.2%} of the snippets, of which at most half give it"
        if self.places < 0.02:
            return f"places in {self.places:.2%} of the snippets, too few to foresee its share"
        return ""


class Quotas(dict[str, Quota]):
    """Quotas by kind."""

    def __init__(self, quotas: Mapping[str, Quota], hosting: float = 0.0) -> None:
        super().__init__(quotas)
        self.hosting = hosting
        """How many times the share of security samples a snippet with a place for one is asked for."""


def balance_mix(snippets: Path, settings: MutationSettings, mix: Path, out: Path) -> Quotas:
    """Write the quotas of all kinds of the mix as JSON and return them; what will be short is said in the log.

    Raises ValueError for a mix that is none, RuntimeError where a worker cannot start.
    """
    quotas = quotas_of(sample(snippets, settings), settings, load_mix(mix))
    kinds = {name: asdict(quota) for name, quota in quotas.items()}
    write_json(out, {"format_version": FORMAT_VERSION, "hosting": quotas.hosting, "kinds": kinds}, end="")
    log.info("snippets with a place for security kinds are asked for %g times their share", quotas.hosting)
    for name, quota in quotas.items():
        if quota.expected < SHORT * quota.asked:
            log.warning(
                "%s: %.2f %% asked, %.2f %% to be had: %s",
                name, 100 * quota.asked, 100 * quota.expected, quota.reason(),
            )  # fmt: skip
    return quotas


def read_quotas(path: Path) -> Quotas:
    """What `balance_mix` wrote. Raises ValueError for another format, with the file's name."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    if content.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{path}: expected quotas of format {FORMAT_VERSION}, found {content.get('format_version')}; "
            "run rule balance_mix again"
        )
    return Quotas({name: Quota(**values) for name, values in content["kinds"].items()}, content["hosting"])


def shard_quotas(counts: Path) -> dict[str, Quota]:
    """The quotas that a shard of mutants was drawn by, from its counts; empty where it has none."""
    content = json.loads(Path(counts).read_text(encoding="utf-8"))
    return {name: Quota(**values) for name, values in content.get("quotas", {}).items()}


def drawing_mix(quotas: Mapping[str, Quota]) -> BugMix:
    """The mix to draw by."""
    hosting = quotas.hosting if isinstance(quotas, Quotas) else None
    return BugMix({name: quota.weight for name, quota in quotas.items()}, hosting)


def sample(path: Path, settings: MutationSettings) -> list[Snippet]:
    """The snippets of the training split to survey: as by lot, the same in whatever order they lie."""

    def lots() -> Iterable[tuple[float, str]]:
        for snippet in read_snippets(path, ["snippet_id", "split"]):
            if snippet.split not in ("validation", "test"):
                yield Random(f"{settings.seed}:{snippet.snippet_id}").random(), snippet.snippet_id

    order = {name: place for place, (_, name) in enumerate(heapq.nsmallest(settings.surveyed, lots()))}
    found = {s.snippet_id: s for s in read_snippets(path) if s.snippet_id in order}
    return sorted(found.values(), key=lambda s: order[s.snippet_id])


def quotas_of(snippets: Sequence[Snippet], settings: MutationSettings, mix: BugMix) -> Quotas:
    """The quotas of the kinds of a mix, from a survey of the snippets."""
    kinds = registry()
    first = _survey(snippets[:_FIRST], settings, mix)
    # by the registry, not by these snippets: a kind near the line would be one today and not tomorrow
    common = {
        name for name in mix.weights if kinds[name].category != "security" and kinds[name].places > _COMMON
    }
    rare = BugMix({name: weight for name, weight in mix.weights.items() if name not in common})
    rest = _survey(snippets[_FIRST:], settings, rare) if rare.weights and snippets[_FIRST:] else []
    quotas: dict[str, Quota] = {}
    hosting = 0.0
    for category in ("syntax", "logic", "security", "complex"):
        names = [kind.name for kind in mix.kinds(category)]
        table = _table(category, names, first, rest, common)
        if category == "security":
            hosting = _hosting(first + rest, names, settings)
        quotas |= _fitted(names, [mix.weights[name] for name in names], table)
    return Quotas({name: quotas[name] for name in mix.weights}, hosting)


def _hosting(found: Sequence[SurveyedSnippet], names: Sequence[str], settings: MutationSettings) -> float:
    """How many times the share of security samples a snippet with a place for one is asked for.

    As many as its places and `MOST_ASKED` allow, and no more than bring the share that is asked for. All the others are
    asked for none, so that there may be fewer than asked: of statements written into code that has nothing to do with
    them, and of those written where they seemed to fit, readers found one in four true.
    """
    shares = settings.shares
    asked = shares.security / max(
        1e-9, shares.syntax + shares.logic + shares.clean + shares.security + shares.complex
    )
    if not (asked and found and names):
        return 0.0
    count, known = settings.per_snippet, frozenset(names)
    given = sum(
        min(len(one.kinds & known) * settings.kind_per_snippet, MOST_ASKED * count) for one in found
    ) / (count * len(found))  # samples that the places give, of all samples
    return float(f"{MOST_ASKED / asked * min(1.0, asked / given):.4g}") if given else 0.0


class SurveyedSnippet(NamedTuple):
    """What the survey found in one snippet."""

    snippet: str
    """Its identity."""
    kinds: frozenset[str]
    """Kinds that it gave."""
    tried: frozenset[str]
    """Categories in which it was tried."""


def _survey(snippets: Sequence[Snippet], settings: MutationSettings, mix: BugMix) -> list[SurveyedSnippet]:
    found = []
    for snippet, made in mutate_in_workers(snippets, settings, mix, Counter(), survey=True):
        if not isinstance(made, str):
            kinds = frozenset(kind for kind, counts in made.tally.kinds.items() if counts[MUTANTS])
            found.append(SurveyedSnippet(snippet.snippet_id, kinds, frozenset(made.tally.asked)))
    return found


def _table(
    category: str,
    names: Sequence[str],
    first: Sequence[SurveyedSnippet],
    rest: Sequence[SurveyedSnippet],
    common: set[str],
) -> NDArray[np.float64]:
    """Which kinds each snippet gives in which a category was tried, 0 or 1 [snippets, kinds].

    The common kinds of the later ones, in which they were not tried, are those of one of the first with as many rare
    kinds: short snippets have few of either. Which one depends on these two snippets alone, so that one snippet more
    or less (another Python compiles other files) moves the weights no more than by its own row.
    """
    donors = [found for found in first if category in found.tried]
    if not donors:
        return np.zeros((0, len(names)))
    alike: dict[int, list[SurveyedSnippet]] = {}
    for donor in donors:
        alike.setdefault(_rare(donor.kinds, names, common), []).append(donor)
    rows = [donor.kinds for donor in donors]
    for found in rest:
        if category in found.tried:
            of = alike.get(_rare(found.kinds, names, common), donors)
            donor = min(of, key=lambda donor: zlib.crc32(f"{donor.snippet}:{found.snippet}".encode()))
            rows.append(found.kinds | (donor.kinds & common))
    return np.array([[float(name in kinds) for name in names] for kinds in rows])


def _rare(kinds: frozenset[str], names: Sequence[str], common: set[str]) -> int:
    """How many of the names are rare kinds that a snippet gave, at most four."""
    return min(4, sum(name in kinds and name not in common for name in names))


def _fitted(names: Sequence[str], asked: Sequence[float], table: NDArray[np.float64]) -> dict[str, Quota]:
    """The quotas of one category; kinds without a place are drawn as often as any, should there be one after all."""
    if not names:
        return {}
    mix = np.array(asked)
    target = mix / mix.sum()
    table = table[table.sum(1) > 0]
    if not len(table):
        return {n: Quota(float(t), 0.0, 0.0, w) for n, t, w in zip(names, target, asked, strict=True)}
    places = table.mean(0)
    reachable = _reachable(target, _MOST_TAKEN * places)
    raised = np.ones(len(names))
    for _ in range(_ROUNDS):
        drawn = _drawn(mix * raised, table)
        raised *= np.where(reachable > 0, reachable / np.maximum(drawn, 1e-12), 1.0)
        raised[reachable == 0] = raised.max()
        raised = np.clip(raised / np.median(raised), 1 / _MOST_RAISED, _MOST_RAISED)
    drawn = _drawn(mix * raised, table)
    weights = mix * raised
    return {
        name: Quota(*(float(f"{value:.4g}") for value in (target[n], places[n], drawn[n], weights[n])))
        for n, name in enumerate(names)
    }


def _reachable(target: NDArray[np.float64], most: NDArray[np.float64]) -> NDArray[np.float64]:
    """The target with nothing above `most`; what is cut off goes to the other kinds in their proportions."""
    for _ in range(_ROUNDS):
        target = np.minimum(target * min(2.0, 1 / max(np.minimum(target, most).sum(), 1e-9)), most)
    return target


def _drawn(weights: NDArray[np.float64], table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of each kind among samples drawn by the weights, a kind without a place being drawn anew."""
    mass = table * weights
    share: NDArray[np.float64] = (mass / mass.sum(1, keepdims=True)).mean(0)
    return share


class Drawn(NamedTuple):
    """Of one kind: what was asked of the training set and what it has."""

    category: str
    kind: str
    asked: float
    """Share of the category's samples with one error."""
    drawn: float
    """The same of those drawn."""
    number: int
    ratio: float
    """Drawn of asked."""
    why: str
    """Why there are fewer than half of what is asked, else empty."""


def asked_and_drawn(quotas: Mapping[str, Quota], numbers: Mapping[str, int]) -> list[Drawn]:
    """What the quotas ask for beside what was drawn; `numbers` are training samples of each kind."""
    kinds = registry()
    sums: Counter[str] = Counter()
    for name in quotas:
        sums[kinds[name].category] += numbers.get(name, 0)
    found = []
    for name, quota in quotas.items():
        category, number = kinds[name].category, numbers.get(name, 0)
        drawn = number / max(1, sums[category])
        ratio = drawn / quota.asked
        foreseen = quota.expected * sums[category]
        unforeseen = f"{foreseen:.0f} foreseen; fewer passed, or other kinds came first"
        if foreseen < _FEW:
            unforeseen = f"{foreseen:.0f} foreseen, so few that chance decides"
        why = (quota.reason() or unforeseen) if ratio < SHORT else ""
        found.append(Drawn(category, name, quota.asked, drawn, number, ratio, why))
    return found
