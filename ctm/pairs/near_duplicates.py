"""Near duplicates by MinHash over runs of lexical tokens, at a given estimated Jaccard similarity.

Signatures and their banding are rensa's; the runs are hashed here for a thousand texts at a time, on their joined
bytes, because a Python string for each run would cost more than all the rest. Most texts share no band with any other:
only those that do (rensa says so in 0.3 µs a text) are compared. Spacing, line ends and layout do not count; comments
and the insides of strings do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from rensa import RMinHash, RMinHashLSH

from ctm.bounds import Count, Share

Signatures = npt.NDArray[np.uint32]
"""[n, permutations]"""

CHUNK = 1024
"""Texts that are hashed together: about 0.3 MB of code."""
SEED = 2915
_FACTOR = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_INVERSE = pow(_FACTOR, -1, 2**64)
_SPACE, _WORD, _SIGN, _PAD = range(4)
_CLASS = np.full(256, _SIGN, np.uint8)
_CLASS[list(b" \t\n\r\f\v")] = _SPACE
_CLASS[[ord("_"), *range(128, 256), *b"0123456789"]] = _WORD
_CLASS[[*range(ord("a"), ord("z") + 1), *range(ord("A"), ord("Z") + 1)]] = _WORD
_CLASS[0] = _PAD

Item = TypeVar("Item")


@dataclass(frozen=True)
class NearSettings:
    """When two texts count as near duplicates, and two projects as one."""

    near: bool = True
    """Whether near duplicates are looked for at all; exact ones and those but for names always are."""
    jaccard: Share = 0.85
    """Least estimated Jaccard similarity of near duplicates."""
    margin: Share = 0.06
    """How much lower it is between splits and against suites, so that errors of the estimate leave no copy there."""
    permutations: Count = 128
    """Length of a signature; the estimate is off by sqrt(J (1 - J) / permutations), 0.03 at 0.85 and 128."""
    bands: Count = 16
    """Bands of a signature; texts are compared when they share one. 16 of 8 find 99.4 % of the pairs at 0.85."""
    run: Count = 5
    """Lexical tokens of a shingle."""
    joined_share: Share = 0.5
    """Share of a project's texts, or of its qualified names, that another one has too from which on both are one group
    (a vendored copy or a fork with its origin); 0 joins none."""
    joined_texts: Count = 20
    """Least number of such texts or names."""
    joined_lines: Count = 5
    """Shortest text that counts for it, lines: short ones are alike by chance."""

    def __post_init__(self) -> None:
        if not 0 <= self.margin < self.jaccard <= 1:
            raise ValueError(
                f"jaccard and margin must be 0 <= margin < jaccard <= 1, not {self.jaccard} and {self.margin}"
            )
        if self.bands < 1 or self.run < 1 or self.permutations < 1 or self.permutations % self.bands:
            raise ValueError(
                f"run, bands and permutations must be 1 or more and permutations a multiple of bands, not {self.run}, "
                f"{self.bands} and {self.permutations}"
            )


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


class MinHasher:
    """Makes signatures of texts, and says which texts share a band."""

    def __init__(self, settings: NearSettings) -> None:
        self.settings = settings
        self._powers = self._inverses = np.ones(1, np.uint64)

    def index(self) -> Any:
        """An empty index of bands, RMinHashLSH."""
        s = self.settings
        return RMinHashLSH(s.jaccard, s.permutations, s.bands)

    def matrix(self, texts: Sequence[str]) -> Any:
        """Signatures of texts as rensa holds them, RMinHashDigestMatrix: cheap to look up, dear to read."""
        hashes, offsets = self._hashes(texts)
        return RMinHash.digest_matrix_from_flat_token_hashes(
            hashes, offsets, self.settings.permutations, SEED
        )

    def signatures(self, texts: Sequence[str]) -> Signatures:
        """Signatures of texts."""
        if not texts:
            return np.zeros((0, self.settings.permutations), np.uint32)
        return np.array(self.matrix(texts).to_rows(), np.uint32)

    def bands(self, signatures: Signatures, apart: Sequence[int] = ()) -> list[list[int]]:
        """Keys of the bands of each signature; `apart` are numbers of texts that share a band only where equal."""
        count = self.settings.bands
        parts = signatures.reshape(len(signatures), count, self.settings.permutations // count).astype(
            np.uint64
        )
        keys = np.zeros(parts.shape[:2], np.uint64) + np.arange(count, dtype=np.uint64)
        if apart:
            keys += np.array(apart, np.uint64)[:, None]
        for place in range(parts.shape[2]):
            keys = _mixed(keys * np.uint64(_FACTOR) + parts[:, :, place])
        listed: list[list[int]] = keys.tolist()
        return listed

    def _hashes(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Hashes of all runs of tokens, and where each text's begin; the last runs of a text are filled up."""
        run = self.settings.run
        fill = b"\0" * run
        data = [text.replace("\0", " ").encode("utf-8", "surrogatepass") + fill for text in texts]
        flat = np.frombuffer(b"".join(data), np.uint8)
        kind = _CLASS[flat]
        word = kind == _WORD
        inside = np.zeros(len(word) + 1, bool)
        inside[1:-1] = word[1:] & word[:-1]  # between two characters of one word
        solid = kind != _SPACE
        starts = np.flatnonzero(solid & ~inside[:-1])
        ends = np.flatnonzero(solid & ~inside[1:]) + 1
        self._grow(len(flat) + 1)
        sums = np.zeros(len(flat) + 1, np.uint64)
        np.cumsum((flat.astype(np.uint64) + np.uint64(1)) * self._powers[: len(flat)], out=sums[1:])
        tokens = _mixed((sums[ends] - sums[starts]) * self._inverses[starts])
        runs = np.zeros(len(tokens), np.uint64)
        for place in range(run):
            shifted = np.zeros(len(tokens), np.uint64)
            shifted[: len(tokens) - place] = tokens[place:]
            runs = _mixed(runs * np.uint64(_FACTOR) + shifted)
        real = kind[starts] != _PAD
        begins = np.cumsum([0, *map(len, data)])
        offsets = np.concatenate([[0], np.cumsum(real)])[np.searchsorted(starts, begins)]
        return runs[real], offsets.astype(np.uint64)

    def _grow(self, size: int) -> None:
        if len(self._powers) < size:
            for name, factor in (("_powers", _FACTOR), ("_inverses", _INVERSE)):
                steps = np.full(size, factor, np.uint64)
                steps[0] = 1
                setattr(self, name, np.cumprod(steps))


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    values = values ^ (values >> np.uint64(31))
    values = values * np.uint64(0xBF58476D1CE4E5B9)
    return values ^ (values >> np.uint64(29))


class NearDuplicateFilter:
    """Lets the first text of each group of near duplicates pass. Memory grows with what passes, 2 kB a text."""

    def __init__(self, sketcher: MinHasher) -> None:
        self._sketcher = sketcher
        settings = sketcher.settings
        self._min_equal = settings.jaccard * settings.permutations
        self._min_equal_across = (settings.jaccard - settings.margin) * settings.permutations
        self._kept: list[Signatures] = []
        self._names: list[str] = []
        self._places: dict[int, int] = {}
        self._others: dict[int, list[int]] = {}
        """Places of the second and further texts of a band, of the few bands that have them."""

    def find(self, texts: Sequence[str]) -> list[str | None]:
        """For each text the name of the first that it is near to, None where there is none. All are others' names."""
        signatures = self._sketcher.signatures(texts)
        return [
            self._near(s, b, None) for s, b in zip(signatures, self._sketcher.bands(signatures), strict=True)
        ]

    def add(self, texts: Sequence[str], names: Sequence[str], apart: Sequence[int] = ()) -> list[str | None]:
        """Like `find`; and those near to none are ones to be near to from then on.

        names: of the split or suite of each text; between texts of different names the margin holds.
        apart: 64-bit numbers of the texts; texts of different ones are not near, whatever they say.
        """
        signatures = self._sketcher.signatures(texts)
        found = []
        keys = self._sketcher.bands(signatures, apart)
        for signature, bands, name in zip(signatures, keys, names, strict=True):
            found.append(near := self._near(signature, bands, name))
            if near is None:
                here = len(self._kept)
                for band in bands:
                    if self._places.setdefault(band, here) != here:
                        self._others.setdefault(band, []).append(here)
                self._kept.append(signature)
                self._names.append(name)
        return found

    def _near(self, signature: Signatures, bands: list[int], own: str | None) -> str | None:
        places = {self._places[band] for band in bands if band in self._places}
        places.update(place for band in bands for place in self._others.get(band, ()))
        for place in sorted(places):
            name = self._names[place]
            minimum = self._min_equal if name == own else self._min_equal_across
            if np.count_nonzero(self._kept[place] == signature) >= minimum:
                return name
        return None
