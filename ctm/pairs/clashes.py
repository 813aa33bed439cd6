"""Finds pairs that occur twice, and pairs with the same buggy text but different fixes.

Keys of all pairs go to scratch files by the first bits of the buggy text's key, and one file at a time is sorted: a
dictionary of all keys would take 300 bytes a pair. What stays in memory is one byte a pair.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ctm.pairs.keys import key_of

PARTS = 64
"""Scratch files; a million pairs make 28 MB in all."""
_BUFFER = 1 << 16
_KEYS = np.dtype([("buggy", "<u8"), ("pair", "<u8"), ("row", "<i8"), ("name", "<i4")])
_SINGLE, _AGAIN, _AMBIGUOUS = range(3)
REASONS = {_SINGLE: "", _AGAIN: "duplicate", _AMBIGUOUS: "same buggy text, other fix"}


class PairConflicts:
    """Verdicts on pairs by the name of their set and their number in it, in the order in which they came."""

    def __init__(
        self, pairs: Iterable[tuple[str, str, str]], once: Iterable[Sequence[str]], scratch: Path
    ) -> None:
        """Judge pairs: each its `pair_id`, its buggy text and the name of its set.

        once: names among which a pair may stand once; its first one stays. scratch: folder for the keys, 28 bytes a
        pair for as long as this takes.
        """
        self._names: dict[str, int] = {}
        self._counts: list[int] = []
        self._group = {name: number for number, group in enumerate(once) for name in group}
        with tempfile.TemporaryDirectory(dir=scratch, prefix=".keys") as folder:
            parts = [Path(folder) / str(number) for number in range(PARTS)]
            self._spill(pairs, parts)
            self._verdicts = [np.zeros(count, np.uint8) for count in self._counts]
            for part in parts:
                if part.exists():
                    self._judge(np.fromfile(part, _KEYS))

    def reasons(self, name: str) -> Iterator[str]:
        """Why each pair of a set is dropped, "" where it is not."""
        number = self._names.get(name)
        return map(REASONS.__getitem__, self._verdicts[number].tolist() if number is not None else ())

    def _spill(self, pairs: Iterable[tuple[str, str, str]], parts: Sequence[Path]) -> None:
        waiting: list[tuple[int, int, int, int]] = []
        for pair_id, buggy, set_name in pairs:
            name = self._number(set_name)
            key = key_of(buggy)
            # the identity is a hash of both texts: another one of the same buggy text is another fix
            waiting.append((key, int(pair_id[:16], 16), self._counts[name], name))
            self._counts[name] += 1
            if len(waiting) == _BUFFER:
                _append(waiting, parts)
                waiting.clear()
        _append(waiting, parts)

    def _number(self, name: str) -> int:
        number = self._names.setdefault(name, len(self._names))
        if number == len(self._counts):
            self._counts.append(0)
        return number

    def _judge(self, keys: npt.NDArray[np.void]) -> None:
        groups = np.array([self._group.get(name, -1 - number) for name, number in self._names.items()])
        order = np.argsort(keys["buggy"], kind="stable")  # stable: in reading order among equal ones
        keys = keys[order]
        starts = np.flatnonzero(np.r_[True, keys["buggy"][1:] != keys["buggy"][:-1]])
        smallest, largest = (part.reduceat(keys["pair"], starts) for part in (np.minimum, np.maximum))
        several = np.repeat(smallest != largest, np.diff(np.r_[starts, len(keys)]))
        group = groups[keys["name"]]
        again = np.zeros(len(keys), bool)
        order = np.lexsort((group, keys["pair"]))
        pairs, sets = keys["pair"][order], group[order]
        again[order[1:]] = (pairs[1:] == pairs[:-1]) & (sets[1:] == sets[:-1]) & (sets[1:] >= 0)
        verdict = np.where(several, _AMBIGUOUS, np.where(again, _AGAIN, _SINGLE)).astype(np.uint8)
        for number, found in enumerate(self._verdicts):
            mine = keys["name"] == number
            found[keys["row"][mine]] = verdict[mine]


def _append(rows: list[tuple[int, int, int, int]], parts: Sequence[Path]) -> None:
    keys = np.array(rows, _KEYS)
    number = (keys["buggy"] >> np.uint64(64 - 6)).astype(np.int64)
    for part in np.unique(number).tolist():
        with parts[part].open("ab") as file:
            keys[number == part].tofile(file)
