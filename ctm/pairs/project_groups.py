"""Merges copies and forks of a project into one group, so that all are in the same split.

Folders that say so (`_vendor`) are never read. Other copies are found by the texts that two projects share, and forks,
whose texts have grown apart, by their qualified names: httpx2 has 408 of the 494 names of httpx.
"""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ctm.pairs.keys import key_of
from ctm.pairs.near_duplicates import NearSettings
from ctm.pairs.record import read_pair_columns

log = logging.getLogger(__name__)
COMMON = 16
"""Projects that have a text or a name from which on it is everybody's and says nothing."""
_LAYOUT = ("src", "lib")
"""Folders of a repository that its packages stand in."""


@dataclass(frozen=True)
class KeyOwners:
    """What projects have: `keys` uint64 [n] of texts or of names, and `owners` int32 [n], the project's number."""

    keys: npt.NDArray[np.uint64]
    owners: npt.NDArray[np.int32]

    def counted_once(self) -> KeyOwners:
        """Sorted by key and owner, without repetitions and without the key 0."""
        order = np.lexsort((self.owners, self.keys))
        keys, owners = self.keys[order], self.owners[order]
        new = keys != 0
        new[1:] &= (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
        return KeyOwners(keys[new], owners[new])

    def shared(self) -> Counter[tuple[int, int]]:
        """How many keys each two projects share, of those that few have; `self` is `counted_once`."""
        starts = np.flatnonzero(np.r_[True, self.keys[1:] != self.keys[:-1]][: len(self.keys)])
        lengths = np.diff(np.append(starts, len(self.keys)))
        found: Counter[tuple[int, int]] = Counter()
        few = (lengths > 1) & (lengths <= COMMON)
        for at, length in zip(starts[few].tolist(), lengths[few].tolist(), strict=True):
            found.update(combinations(self.owners[at : at + length].tolist(), 2))
        return found


def below(path: str) -> list[str]:
    """The parts of a module's path from its top package on."""
    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
    return parts[1:] if len(parts) > 1 and parts[0] in _LAYOUT else parts


def name_key(path: str, qualname: str) -> int:
    """Key of a qualified name below the top package ("httpx/_client.py", "Client.get"), 64 bits; 0 without a name.

    A fork has another top package and the same modules below; a repository has its package in `src` at times.
    """
    if not qualname:
        return 0
    return key_of("/".join([*below(path)[1:], qualname]))


def merge_groups(
    texts: KeyOwners,
    names: KeyOwners,
    groups: Sequence[str],
    settings: NearSettings,
    first: Sequence[str] = (),
) -> dict[str, str]:
    """The group of each project that is joined to others: the one of `first` among them, else that of the most texts.

    texts: keys of the texts that count. names: keys of qualified names. Owners are indices into `groups`.
    """
    if not settings.joined_share:
        return {}
    above = list(range(len(groups)))

    def top(group: int) -> int:
        while above[group] != group:
            group = above[group]
        return group

    sizes = np.zeros(len(groups), np.int64)
    for what, given in (("names", names), ("texts", texts)):
        owned = given.counted_once()
        sizes = np.bincount(owned.owners, minlength=len(groups))
        for (a, b), count in sorted(owned.shared().items()):
            smaller = min(int(sizes[a]), int(sizes[b]))
            if count >= settings.joined_texts and count >= settings.joined_share * smaller:
                log.info("%s and %s share %d of %d %s: one group", groups[a], groups[b], count, smaller, what)
                above[top(a)] = top(b)
    members: dict[int, list[int]] = {}
    for group in range(len(groups)):
        members.setdefault(top(group), []).append(group)
    joined: dict[str, str] = {}
    for cluster in members.values():
        if len(cluster) > 1:
            chief = min(cluster, key=lambda g: (groups[g] not in first, -int(sizes[g]), groups[g]))
            joined |= {groups[group]: groups[chief] for group in cluster}
    return joined


def merge_fix_groups(
    mutants: Sequence[Path], fixes: Sequence[Path], joined: Mapping[str, str], settings: NearSettings
) -> dict[str, str]:
    """`joined`, and the group of each project that has real fixes alone and is a fork of another by its names.

    Mutants have their group already; the projects of fixes come to theirs, or to each other.
    """
    of_mutants, of_fixes = (
        dict.fromkeys(
            joined.get(group, group) for path in paths for (group,) in read_pair_columns(path, ["group"])
        )
        for paths in (mutants, fixes)
    )
    if of_fixes.keys() <= of_mutants.keys():
        return dict(joined)
    groups = list(of_mutants | of_fixes)
    numbers = {group: number for number, group in enumerate(groups)}
    keys, owners = array("Q"), array("i")
    for paths in (mutants, fixes):
        for path in paths:
            for (group, file, name), _ in groupby(read_pair_columns(path, ("group", "path", "qualname"))):
                keys.append(name_key(file, name))
                owners.append(numbers[joined.get(group, group)])
    names = KeyOwners(np.array(keys, np.uint64), np.array(owners, np.int32))
    nothing = KeyOwners(np.zeros(0, np.uint64), np.zeros(0, np.int32))
    found = merge_groups(nothing, names, groups, settings, tuple(of_mutants))
    forks = {group: found[group] for group in of_fixes if group in found and group not in of_mutants}
    return {project: forks.get(group, group) for project, group in joined.items()} | forks
