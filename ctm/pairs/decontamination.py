"""Decontamination: removes pairs that copy a text of the sets made before theirs or, in training, of an outside suite.

The sets are made in the order test, validation, train, and each pair is held against all sets before its own, so that
test sets are complete and training loses the copies. Outside suites (JSON lines) and the projects that suites are made
of are held against training only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ctm.pairs.duplicates import exact_key, renamed_key
from ctm.pairs.near_duplicates import MinHasher, NearDuplicateFilter, chunks
from ctm.pairs.quality import QualitySettings
from ctm.pairs.record import Pair


class SuiteError(ValueError):
    """A suite that cannot be read; the message names file, line and what is wrong."""


def read_texts(path: Path) -> Iterator[str]:
    """Both sides of each item of a suite, JSON lines as `ctm-repair evaluate` reads them. Raises SuiteError."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    texts = row["buggy"], row["fixed"]
                except (ValueError, RecursionError, KeyError, TypeError) as error:
                    raise SuiteError(
                        f'{path}:{number}: expected a JSON object with the texts "buggy" and "fixed" ({error})'
                    ) from None
                if not all(isinstance(text, str) for text in texts):
                    raise SuiteError(f'{path}:{number}: "buggy" and "fixed" must be text')
                yield from dict.fromkeys(text for text in texts if text.strip())
    except OSError as error:
        raise SuiteError(
            f"{path}: {error.strerror}. It is listed under quality.decontamination.suites; "
            "correct the path or remove the entry"
        ) from None


class Decontaminator:
    """What stands in the sets so far, by keys and signatures; memory grows with the held-out sets and the suites."""

    def __init__(self, quality: QualitySettings, suites: Mapping[str, Path] | None = None) -> None:
        self._settings = quality
        self._sketcher = MinHasher(quality.duplicates) if quality.duplicates.near else None
        self._held: dict[int, str] = {}
        self._near = NearDuplicateFilter(self._sketcher) if self._sketcher else None
        self._index = self._sketcher.index() if self._sketcher else None
        self._rows = 0
        self._projects: dict[tuple[str, str], str] = {}
        self._exact: set[int] = set()
        self._suites = {name: Path(path) for name, path in (suites or {}).items()}

    def add_texts(self, texts: Iterable[str], name: str, exact: bool = False) -> None:
        """From now on texts like these are refused, as copies of `name`."""
        for chunk in chunks(texts):
            for text in chunk:
                self._held.setdefault(renamed_key(text), name)
                if exact:
                    self._exact.add(exact_key(text))
            if self._sketcher and self._near and self._index:
                self._near.add(chunk, [name] * len(chunk))
                self._index.insert_matrix(self._sketcher.matrix(chunk), self._rows)
                self._rows += len(chunk)

    def add_suites(self) -> None:
        """Add the outside suites: called before the first pair of training. Raises SuiteError."""
        for name, path in self._suites.items():
            self.add_texts(read_texts(path), f"suite {name}", exact=True)

    def refuse(self, pairs: Iterable[Pair], training: bool) -> Iterator[tuple[Pair, str, str]]:
        """(pair, reason, detail) of each pair in order; reason "" where it may stand in the set that is made now."""
        for chunk in chunks(pairs):
            texts = list(dict.fromkeys(text for pair in chunk for text in _sides(pair)))
            known = {text: self._held[key] for text in texts if (key := renamed_key(text)) in self._held}
            near = self._near_ones([text for text in texts if text not in known])
            for pair in chunk:
                yield pair, *self._refuse(pair, known, near, training)

    def _refuse(
        self, pair: Pair, known: Mapping[str, str], near: Mapping[str, str], training: bool
    ) -> tuple[str, str]:
        if training:
            projects = (pair.group, pair.origin.project)
            if projects not in self._projects:
                self._projects[projects] = self._settings.decontamination.suite_of(*projects)
            if suite := self._projects[projects]:
                return f"suite {suite}", "repository"
        for text in _sides(pair):
            if name := known.get(text):
                if name.startswith("suite "):
                    return name, "exact" if exact_key(text) in self._exact else "but for names"
                return f"copy of a {name} item", pair.kind
        for text in _sides(pair):
            if name := near.get(text):
                return (
                    (name, "near")
                    if name.startswith("suite ")
                    else (f"near copy of a {name} item", pair.kind)
                )
        return "", ""

    def _near_ones(self, texts: list[str]) -> dict[str, str]:
        """The name of what each text is near to; only those that share a band with it are compared."""
        if not self._sketcher or not self._near or not self._index or not texts:
            return {}
        flags = self._index.query_duplicate_flags_matrix_one_shot(self._sketcher.matrix(texts))
        waiting = [text for text, flag in zip(texts, flags, strict=True) if flag]
        found = zip(waiting, self._near.find(waiting), strict=True)
        return {text: name for text, name in found if name is not None}


def _sides(pair: Pair) -> tuple[str, ...]:
    """The texts that must not be known: of a mutant its fixed side, since the other one is made from it."""
    return (pair.fixed,) if pair.source == "mutation" else (pair.fixed, pair.buggy)
