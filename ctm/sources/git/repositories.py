"""Lists of repositories: found by GitHub's search or given as CSV, filtered, and read by the collector of commits.

A list has a head; `url` is needed (a URL, or the path of a local mirror), the other columns may be missing. Owners who
do not want their code read are on an opt-out list, which the collector honors whatever a repository came from.
"""

from __future__ import annotations

import csv
import fnmatch
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from ctm.files import replacing, write_json
from ctm.pairs.record import REJECT_SCHEMA, Reject, Writer
from ctm.sources.git.github import (
    COLUMNS,
    HEADERS,
    TOKEN,
    Repository,
    RepositorySearch,
    RepositorySearchSettings,
    github_token,
)
from ctm.sources.git.process import without_credentials
from ctm.sources.rest.client import RestClient
from ctm.sources.rest.etags import ResponseCache

log = logging.getLogger(__name__)
STEP = "discover_repositories"
TRUE = ("1", "true", "yes")


def discover(
    settings: RepositorySearchSettings,
    given: Path | None,
    state: Path,
    etags: Path,
    out: Path,
    rejects: Path,
    counts: Path,
    client: RestClient | None = None,
) -> dict[str, object]:
    """Write the list of repositories, most stars first, what was left out, and counts.

    `given` is a list that takes the place of the search: no network then. The search goes on from `state` (SQLite).
    Raises RestError where GitHub does not answer, ValueError for a list or a state that cannot be read.
    """
    figures: dict[str, object] = {"format_version": 1}
    if given is not None:
        found = sorted(read_list(given), key=lambda item: (-item.stars, item.name))
        figures |= {"from": given.name, "found": len(found)}
    else:
        found, searched = _search(settings, state, etags, client)
        figures |= {"from": settings.api, **searched}
    out.parent.mkdir(parents=True, exist_ok=True)
    reasons: Counter[str] = Counter()
    kept: list[Repository] = []
    seen: set[str] = set()
    with Writer(rejects, REJECT_SCHEMA) as refused:
        for item in found:
            reason = _refuse(item, settings, len(kept)) or ("listed twice" if _key(item.url) in seen else "")
            if reason:
                reasons[reason] += 1
                refused.write(Reject(STEP, reason, without_credentials(item.url), item.name, item.license))
            else:
                seen.add(_key(item.url))
                kept.append(item)
    _write_list(out, kept)
    figures |= {"kept": len(kept), "left out": dict(reasons)}
    write_json(counts, figures, end="")
    log.info("repositories: %s", figures)
    return figures


def read_list(path: Path) -> Iterator[Repository]:
    """Repositories of a CSV list. Raises ValueError with file and line for what cannot be used."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if "url" not in (rows.fieldnames or ()):
            raise ValueError(
                f"{path}:1: no column 'url'; the first line names the columns, {','.join(COLUMNS)}"
            )
        for row in rows:
            line = rows.line_num
            url, stars = (row.get("url") or "").strip(), (row.get("stars") or "0").strip()
            if not url or url.startswith("-") or re.search(r"\s", url):
                raise ValueError(f"{path}:{line}: {url!r} is not a URL or path of a repository")
            if not stars.isdigit():
                raise ValueError(f"{path}:{line}: stars must be a number, not {stars!r}")
            yield Repository(
                name=(row.get("name") or "").strip() or "/".join(_key(url).split("/")[-2:]),
                url=url,
                license=(row.get("license") or "").strip(),
                branch=(row.get("branch") or "").strip(),
                stars=int(stars),
                archived=(row.get("archived") or "").strip().lower() in TRUE,
                fork=(row.get("fork") or "").strip().lower() in TRUE,
                created=(row.get("created") or "").strip(),
            )


class OptOut:
    """Repositories that are not to be read: `owner/name`, `owner/*`, or a URL or path; case does not count."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._patterns = [_key(entry) for entry in entries]

    def covers(self, url: str) -> bool:
        """Whether the repository at `url` is on the list."""
        key = _key(url)
        short = "/".join(key.split("/")[-2:])
        return any(
            fnmatch.fnmatchcase(key, entry) or fnmatch.fnmatchcase(short, entry) for entry in self._patterns
        )


def _search(
    settings: RepositorySearchSettings, state: Path, etags: Path, client: RestClient | None
) -> tuple[list[Repository], dict[str, object]]:
    store = ResponseCache(etags)
    own = client or RestClient(settings.api, store, settings, github_token(), HEADERS)
    search: RepositorySearch | None = None
    try:
        if not own.authorized:
            log.warning("%s is not set: GitHub allows 10 searches a minute in place of 30", TOKEN)
        search = RepositorySearch(own, settings, state)
        search.run()
        return list(search.found()), {**search.counts(), **own.counts}
    finally:
        if search is not None:
            search.close()
        if client is None:
            own.close()
        store.close()


def _refuse(item: Repository, settings: RepositorySearchSettings, kept: int) -> str:
    if item.fork and not settings.forks:
        return "fork"
    if item.archived and not settings.archived:
        return "archived"
    if settings.licenses and item.license not in settings.licenses:
        return "license not asked for" if item.license else "license not known"
    return "beyond the number asked for" if kept >= settings.most else ""


def _write_list(out: Path, items: Sequence[Repository]) -> None:
    with replacing(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        rows.writeheader()
        rows.writerows(
            {name: int(value) if isinstance(value, bool) else value for name, value in asdict(item).items()}
            for item in items
        )


def _key(url: str) -> str:
    """A repository's address without scheme, credentials, ".git" and case: "github.com/owner/name"."""
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", without_credentials(url.strip()))
    bare = re.sub(r"^[^/@]+@([^/:]+):", r"\1/", bare)
    return bare.rstrip("/").removesuffix(".git").lower()
