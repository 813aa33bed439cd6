"""Real fixes, read once: each goes to a scratch file of its split, in the form in which a set would have it.

Group, split, masks and category are given here, and whether a fix has to go whatever the others are; what depends on
the others (duplicates, copies) is decided when a split is read back, because the sets are made one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ctm.pairs.categories import SecurityRule, categorize
from ctm.pairs.masking import mask
from ctm.pairs.quality import LicenseSettings, license_reject_reason
from ctm.pairs.record import PAIR_SCHEMA, SPLITS, Pair, Writer, pair_id, read_pairs
from ctm.pairs.splits import SplitSettings, split_of

Reason = tuple[str, str]
"""Why a pair is dropped, and the detail; both "" where it is not."""
KEPT: Reason = ("", "")


class Fixes:
    """Real fixes by split. `folder`: for the scratch files, which take what the fixes take."""

    def __init__(
        self,
        folder: Path,
        splits: SplitSettings,
        joined: Mapping[str, str],
        licenses: LicenseSettings,
        max_lines: int,
        security_rule: SecurityRule | None,
    ) -> None:
        self.masked: Counter[tuple[str, str]] = Counter()
        """Values that were masked, by source and sort."""
        self._folder, self._splits, self._joined = folder, splits, joined
        self._licenses, self._max_lines, self._security_rule = licenses, max_lines, security_rule
        self._reasons: dict[str, list[Reason]] = {split: [] for split in SPLITS}

    def sort_in(self, paths: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
        """Read the files; (pair_id, buggy text, split) of each fix as it came, before anything was masked in it."""
        with ExitStack() as stack:
            writers = {split: stack.enter_context(Writer(self._file(split), PAIR_SCHEMA)) for split in SPLITS}
            for path in paths:
                for pair in read_pairs(path):
                    group = self._joined.get(pair.group, pair.group)
                    split = split_of(group, self._splits)
                    ready, reason = self._ready(replace(pair, group=group, split=split))
                    writers[split].write(ready)
                    self._reasons[split].append(reason)
                    yield pair.pair_id, pair.buggy, split

    def of(self, split: str) -> Iterator[tuple[Pair, Reason]]:
        """The fixes of a split in the order in which they came, each with why it has to go for its own sake."""
        return zip(read_pairs(self._file(split)), self._reasons[split], strict=True)

    def _file(self, split: str) -> Path:
        return self._folder / f"{split}.parquet"

    def _ready(self, pair: Pair) -> tuple[Pair, Reason]:
        pair, broken = self._mask(pair)
        if why := license_reject_reason(pair.origin.license, self._licenses):
            return pair, (why, pair.origin.license)
        if broken:
            return pair, (broken, "")
        if max(pair.buggy.count("\n"), pair.fixed.count("\n")) >= self._max_lines:
            return pair, ("too many lines", "")
        return replace(pair, category=categorize(pair.buggy, pair.fixed, self._security_rule)), KEPT

    def _mask(self, pair: Pair) -> tuple[Pair, str]:
        """(the pair without secrets and addresses, why it has to be dropped or "")."""
        try:
            (buggy, fixed), counts = mask(pair.buggy, pair.fixed)
        except ValueError as error:
            return pair, str(error)
        if not counts:
            return pair, ""
        for sort, number in counts.items():
            self.masked[pair.source, sort] += number
        return replace(pair, buggy=buggy, fixed=fixed, pair_id=pair_id(buggy, fixed)), ""
