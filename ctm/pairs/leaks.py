"""Counts texts that are in two splits or in a suite, in the written sets, with code independent of the filters.

`build_pairs` removes copies by keys that regular expressions make and by MinHash. Here tokens are Python's own and
similarities are counted, not estimated, so that an error there shows here. Equal texts are looked for in all pairs, the
others in a sample of what trains.
"""

from __future__ import annotations

import builtins
import keyword
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctm.pairs.decontamination import read_texts
from ctm.pairs.keys import key_of
from ctm.pairs.record import SPLITS, read_pair_columns, read_pairs
from ctm.python.lexical import DEDENT, INDENT, NEWLINE, lenient_tokens, lexical_tokens

SAMPLE = 10_000
"""Pairs of training that are compared token by token, about; 0.3 ms each."""
JACCARD = 0.85
RUN = 5
"""Lexical tokens of a shingle."""
TRAINING = SPLITS[0]
WAYS = ("exact", "but for names", "near")
_REMEMBERED = 200_000
_LAYOUT = (NEWLINE, INDENT, DEDENT)
_KEPT = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls", *_LAYOUT}


@dataclass(frozen=True)
class TextFingerprint:
    """What is compared of a text beside the text itself."""

    renamed: int
    shingles: frozenset[int]


class Held:
    """Texts by the name of their split or suite, and who is like them."""

    def __init__(self) -> None:
        self._exact: defaultdict[int, set[str]] = defaultdict(set)
        self._renamed: defaultdict[int, set[str]] = defaultdict(set)
        self._places: defaultdict[int, list[int]] = defaultdict(list)
        """Numbers of the texts that hold a shingle."""
        self._sizes: list[int] = []
        self._names: list[str] = []

    def add(self, text: str, tokens: TextFingerprint, name: str) -> None:
        """Hold a text."""
        self._exact[key_of(text)].add(name)
        self._renamed[tokens.renamed].add(name)
        for shingle in tokens.shingles:
            self._places[shingle].append(len(self._sizes))
        self._sizes.append(len(tokens.shingles))
        self._names.append(name)

    def exact(self, text: str) -> set[str]:
        """Where the text stands."""
        return self._exact.get(key_of(text), set())

    def renamed(self, tokens: TextFingerprint) -> set[str]:
        """Where it stands but for its names."""
        return self._renamed.get(tokens.renamed, set())

    def near(self, tokens: TextFingerprint) -> set[str]:
        """Where a text stands of a Jaccard similarity of 0.85 or more."""
        known = [shingle for shingle in tokens.shingles if shingle in self._places]
        if len(known) < JACCARD * len(tokens.shingles):
            return set()
        common = Counter(place for shingle in known for place in self._places[shingle])
        size = len(tokens.shingles)
        return {
            self._names[place]
            for place, count in common.items()
            if count >= JACCARD * (size + self._sizes[place] - count)
        }


def count_leaks(
    sets: Iterable[Path], suites: Mapping[str, Path] | None = None, sample: int = SAMPLE
) -> dict[str, Any]:
    """How many different texts of each split have their like in another one or in a suite.

    Of a mutant the fixed side counts, of a real fix both. A text is counted once for each that it is found in, by the
    first way that holds: exact, but for names, near. Returns "texts" and "compared" (the sample) by split, and the
    table. Raises ValueError for files of another format, decontamination.SuiteError.
    """
    paths = list(sets)
    held = Held()
    suites_ = {f"suite {name}": path for name, path in (suites or {}).items()}
    for name, path in suites_.items():
        for text in dict.fromkeys(read_texts(path)):
            held.add(text, tokens_of(text), name)
    share = min(1.0, sample / max(sum(_count(path, TRAINING) for path in paths), 1))
    texts, compared = Counter[str](), Counter[str]()
    found: Counter[tuple[str, str, str]] = Counter()
    for split in reversed(SPLITS):  # each is held against those before it
        for text in _texts(paths, split):
            texts[split] += 1
            ways = [held.exact(text)]
            tokens = None
            if split != TRAINING or key_of(text) < share * 2**64:
                compared[split] += 1
                tokens = tokens_of(text)
                ways += [held.renamed(tokens), held.near(tokens)]
            seen = {split}
            for way, names in zip(WAYS, ways, strict=False):
                found.update((split, name, way) for name in names - seen)
                seen |= names
            if tokens and split != TRAINING:
                held.add(text, tokens, split)
    table = [
        {"split": split, "copies in": other, **{way: found[split, other, way] for way in WAYS}}
        for number, split in enumerate(SPLITS)
        for other in (*SPLITS[number + 1 :], *suites_)
    ]
    return {"texts": dict(texts), "compared": dict(compared), "table": table}


def _count(path: Path, split: str) -> int:
    return sum(value == split for (value,) in read_pair_columns(path, ("split",)))


def _texts(paths: Sequence[Path], split: str) -> Iterator[str]:
    """The texts of a split in all sets, each once; in large sets twice where its pairs stand far apart."""
    seen: set[int] = set()
    for path in paths:
        for pair in read_pairs(path, ("buggy", "fixed", "source", "split"), ("split", split.__eq__)):
            for text in (pair.fixed,) if pair.source == "mutation" else (pair.fixed, pair.buggy):
                if (key := key_of(text)) not in seen:
                    if len(seen) == _REMEMBERED:
                        seen.clear()
                    seen.add(key)
                    yield text


def tokens_of(text: str) -> TextFingerprint:
    """Of code that cannot be tokenized the lenient tokens."""
    found = lexical_tokens(text)
    tokens = tuple(lenient_tokens(text)) if found is None else found
    return TextFingerprint(hash(_renamed(tokens)), frozenset(_shingles(tokens)))


def _renamed(tokens: Sequence[str]) -> tuple[str, ...]:
    """Tokens with names numbered in order of first use."""
    numbers: dict[str, str] = {}
    return tuple(numbers.setdefault(t, f"${len(numbers)}") if _is_name(t) else t for t in tokens)


def _is_name(token: str) -> bool:
    """Whether a token may be called otherwise: keywords, builtins, `self` and `__names__` may not."""
    return token.isidentifier() and token not in _KEPT and not (token[:2] == token[-2:] == "__")


def _shingles(tokens: Sequence[str]) -> set[int]:
    """Hashes of the runs of five tokens, layout aside; of all tokens where there are fewer."""
    plain = [token for token in tokens if token not in _LAYOUT]
    runs = zip(*(plain[place:] for place in range(RUN)), strict=False)
    return set(map(hash, runs)) or {hash(tuple(plain))}
