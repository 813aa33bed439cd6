"""Finds vendored copies of other projects in folders without a telling name: `requests/packages/urllib3`.

A folder or module below the top package that is called like another project's top package may be an adapter for it
(`contrib/httpx`) or a copy. It is a copy where most of its qualified names are names of that project.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from ctm.pairs.near_duplicates import NearSettings
from ctm.pairs.project_groups import below, name_key

Place = tuple[str, str, str]
"""(group that has the folder, path of the folder, the name that it is called by)"""


class Paths:
    """The path of each snippet, by its number in reading order; of a path that follows itself one copy stays."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._paths: list[tuple[str, str]] = []

    def add(self, number: int, group: str, path: str) -> None:
        if not self._paths or self._paths[-1] != (group, path):
            self._first.append(number)
            self._paths.append((group, path))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """(group, path) of each run of snippets."""
        return iter(self._paths)

    def of(self, number: int) -> tuple[str, str]:
        """(group, path) of a snippet."""
        return self._paths[bisect_right(self._first, number) - 1]


def suspects(paths: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Place]:
    """Where a (group, path) stands in a folder that is called like the top package of another project."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    seen = dict.fromkeys(paths)
    for group, path in seen:
        owners[_plain(below(path)[0])].add(group)
    found: dict[tuple[str, str], Place] = {}
    for group, path in seen:
        parts = below(path)
        for depth, part in enumerate(parts[1:], 1):
            if owners.get(_plain(part), set()) - {group}:
                found[group, path] = (group, "/".join(parts[: depth + 1]), _plain(part))
                break
    return found


def copied_places(
    names: Iterable[tuple[Place, str, str]],
    known: Mapping[str, Collection[int]],
    settings: NearSettings,
) -> set[Place]:
    """The places that are copies: at least `joined_share` of their names, and `joined_texts`, are another project's.

    names: (place, path, qualified name) of what stands there. known: keys of the names of the projects with a top
    package of each name.
    """
    keys: defaultdict[Place, set[int]] = defaultdict(set)
    for place, path, qualname in names:
        _, folder, _ = place
        inner = "/".join(below(path)).removeprefix(folder)
        if key := name_key(f"{folder.rsplit('/', 1)[-1]}{inner}", qualname):
            keys[place].add(key)
    return {
        place
        for place, own in keys.items()
        if (shared := len(own.intersection(known[place[2]]))) >= settings.joined_texts
        and shared >= settings.joined_share * len(own)
    }


def owned_names(paths: Iterable[tuple[tuple[str, str], int]], wanted: Collection[str]) -> dict[str, set[int]]:
    """Keys of the names below top packages of `wanted` names; paths: ((group, path), key) of each snippet."""
    found: dict[str, set[int]] = {name: set() for name in wanted}
    for (_, path), key in paths:
        if key and (top := _plain(below(path)[0])) in found:
            found[top].add(key)
    return found


def _plain(part: str) -> str:
    return part.strip("_").lower()
