"""Which projects are one group: a copy of a project inside another one has to stay on its side of the splits.

Folders that say so (`_vendor`) are never read; this finds those that do not, by the texts that two projects share.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ctm.pairs.near import NearSettings

log = logging.getLogger(__name__)
COMMON = 16
"""Projects that have a text from which on it is everybody's and says nothing."""


def joined_groups(
    keys: npt.NDArray[np.uint64],
    owners: npt.NDArray[np.int32],
    groups: Sequence[str],
    settings: NearSettings,
    first: Sequence[str] = (),
) -> dict[str, str]:
    """The group of each project that is joined to others: the one of `first` among them, else that of the most texts.

    keys: of the texts that count. owners: index into `groups` of the project of each. Both [n].
    """
    if not settings.joined_share or not len(keys):
        return {}
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    new = np.ones(len(keys), bool)
    new[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
    keys, owners = keys[new], owners[new]
    sizes = np.bincount(owners, minlength=len(groups))
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    lengths = np.diff(np.append(starts, len(keys)))
    shared: Counter[tuple[int, int]] = Counter()
    for at, length in zip(starts[lengths > 1].tolist(), lengths[lengths > 1].tolist(), strict=True):
        if length <= COMMON:
            shared.update(combinations(owners[at : at + length].tolist(), 2))
    above = list(range(len(groups)))

    def top(group: int) -> int:
        while above[group] != group:
            group = above[group]
        return group

    for (a, b), count in sorted(shared.items()):
        smaller = min(int(sizes[a]), int(sizes[b]))
        if count >= settings.joined_texts and count >= settings.joined_share * smaller:
            log.info("%s and %s share %d texts: one group", groups[a], groups[b], count)
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
