"""Corrections from Stack Overflow, a dump or the API: questions against accepted answers, and revisions of posts.

One pass over Posts.xml, whatever its size: a question waits on disk until its answer comes by, and an answer that
stands before its question waits too. Only what concerns a tagged question with an accepted answer is looked into; all
other posts are counted, one reject for all of a reason. The content is CC BY-SA: each row names licenses, authors and
pages.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ctm.pairs.milestones import Milestones
from ctm.pairs.record import PAIR_SCHEMA, REJECT_SCHEMA, Origin, Reject, Writer, day, make_pair
from ctm.sources.files import is_in_shard
from ctm.sources.stackoverflow import dump
from ctm.sources.stackoverflow.api import Questions, StackExchange
from ctm.sources.stackoverflow.code_blocks import cleaned, html_blocks, markdown_blocks
from ctm.sources.stackoverflow.pairing import VERSION, match
from ctm.sources.stackoverflow.settings import TERMS, StackOverflowSettings
from ctm.sources.stackoverflow.spill import Spill

log = logging.getLogger(__name__)
STEP = "collect_stackoverflow"
TABLES = ("users", "questions", "answers", "wanted", "revisions")
BODIES = ("2", "5", "8")
"""Types of PostHistory rows that hold a whole text: first body, edit, rollback."""
OWNER, EDITOR = ("OwnerUserId", "OwnerDisplayName"), ("UserId", "UserDisplayName")


class Post(NamedTuple):
    """What is kept of a question, an answer or a revision; `place` is its address below the site."""

    place: str
    group: str
    blocks: list[str]
    license: str
    author: str
    author_url: str
    date: str


def collect(
    posts: Path,
    shard: int,
    shards: int,
    settings: StackOverflowSettings,
    work: Path,
    out: Path,
    rejects: Path,
    history: Path | None = None,
    users: Path | None = None,
    counts_file: Path | None = None,
) -> dict[str, int]:
    """Write this shard's corrections as pairs without split and category, and the rejects; returns counts.

    Files are XML or .7z. One that breaks off is a reject, with what came before the break kept. `history`
    (PostHistory) adds revisions of the posts, `users` (Users) the names of authors. `work` holds what waits: up to a
    tenth of the size of Posts.xml, a fifth with `history`. Raises ValueError where the terms are not accepted,
    FileNotFoundError where a file is not there.
    """
    if not settings.accept_dump_terms:
        raise ValueError(f"sources.stackoverflow.{TERMS}")
    for path in (posts, history, users):
        if path is not None and not path.is_file():
            raise FileNotFoundError(
                f"{path}: no such file; it is named in sources.stackoverflow. Correct the path"
            )
    with _opened(settings, shard, shards, work, out, rejects, history is not None) as collector:
        if users is not None:
            collector.read(users, "Users.xml")
        collector.read(posts, "Posts.xml")
        if history is not None:
            collector.read(history, "PostHistory.xml")
        return collector.finish(counts_file)


def collect_from_api(
    settings: StackOverflowSettings,
    state: Path,
    etags: Path,
    work: Path,
    out: Path,
    rejects: Path,
    counts_file: Path | None = None,
    client: StackExchange | None = None,
) -> dict[str, int]:
    """The same from the API: `settings.api.questions` questions; what was answered stays in `state` (SQLite).

    Raises ValueError where the terms are not accepted, RestError where the API does not answer (any more); a later
    call goes on from `state`.
    """
    if not settings.accept_dump_terms:
        raise ValueError(f"sources.stackoverflow.{TERMS}")
    with (
        contextlib.closing(Questions(settings, state, etags, client)) as asked,
        _opened(settings, 0, 1, work, out, rejects, False, "API") as collector,
    ):
        asked.run()
        collector.take(asked.rows(), "API")
        return collector.finish(counts_file)


@contextlib.contextmanager
def _opened(
    settings: StackOverflowSettings,
    shard: int,
    shards: int,
    work: Path,
    out: Path,
    rejects: Path,
    with_history: bool,
    source: str = "dump",
) -> Iterator[_Collector]:
    """A collector with its scratch file and what it writes."""
    work.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=work) as folder,
        Spill(Path(folder) / "posts.sqlite", TABLES) as spill,
        Writer(out, PAIR_SCHEMA) as pairs,
        Writer(rejects, REJECT_SCHEMA) as refused,
    ):
        yield _Collector(settings, shard, shards, spill, pairs, refused, with_history, source)


class _Collector:
    """Joins the rows and keeps the books."""

    def __init__(
        self,
        settings: StackOverflowSettings,
        shard: int,
        shards: int,
        spill: Spill,
        pairs: Writer,
        refused: Writer,
        with_history: bool,
        source: str,
    ) -> None:
        self.settings, self.shard, self.shards = settings, shard, shards
        self.spill, self.pairs, self.refused = spill, pairs, refused
        self.with_history, self.source = with_history, source
        self.site = settings.site.rstrip("/")
        self.host = self.site.partition("://")[2] or self.site
        self.tags = frozenset(settings.tags)
        self.skipped: Counter[str] = Counter()
        self.rows = 0
        self.newest = 0
        self.milestones = Milestones()

    def read(self, path: Path, member: str) -> None:
        """Take in all rows of a file; where it breaks off, say so and count it."""
        before = self.rows
        try:
            self.take(dump.rows(path, member), member)
        except dump.DumpError as error:
            self._refuse("source failed", f"{member} after {self.rows - before} rows", detail=str(error))
            log.warning("%s (after %d rows, which are kept)", error, self.rows - before)
        log.info("%s: %d rows, %d pairs so far", path.name, self.rows - before, self.pairs.rows)

    def take(self, rows: Iterable[Any], member: str) -> None:
        """Take in rows in the form of the dump's file `member`: anything with `get`."""
        take = {"Users.xml": self._user, "PostHistory.xml": self._revision}.get(member, self._post)
        for number, row in enumerate(rows, 1):
            self.rows += 1
            try:
                take(row)
            except (KeyError, ValueError) as error:
                detail = f"{type(error).__name__}: {error}"[:300]
                self._refuse("row cannot be read", f"{member} row {number}", detail=detail)

    def finish(self, counts_file: Path | None) -> dict[str, int]:
        """Write what is left over; returns counts of rows, pairs and rejects."""
        for _, question in self.spill.items("questions"):
            self._refuse(f"accepted answer not in the {self.source}", question[0], question[1])
        for reason, number in sorted(self.skipped.items()):
            self._refuse(reason, f"{number} rows", detail="counted together")
        counts = {"rows": self.rows, "pairs": self.pairs.rows, "rejects": self.refused.rows}
        log.info("stackoverflow: %s; not looked into: %s", counts, dict(self.skipped))
        asked = {"asked": self.settings.target, **counts}
        self.milestones.write(counts_file, self.pairs.rows, asked)
        return counts

    def _user(self, row: Any) -> None:
        self.spill.put("users", _number(row, "Id"), row.get("DisplayName") or "")

    def _post(self, row: Any) -> None:
        kind = row.get("PostTypeId")
        if kind == "1":
            self._question(row)
        elif kind == "2":
            self._answer(row)
        else:
            self.skipped["neither question nor answer"] += 1

    def _question(self, row: Any) -> None:
        name = _number(row, "Id")
        self.newest = max(self.newest, name)
        if self.tags.isdisjoint((row.get("Tags") or "").replace(">", "<").replace("|", "<").split("<")):
            self.skipped["question without the tag"] += 1
            return
        if not is_in_shard(str(name), self.shard, self.shards):
            self.skipped["question of another shard"] += 1
            return
        # one author's questions are about the same code: they stay in one split
        author = f"user-{_number(row, 'OwnerUserId')}" if row.get("OwnerUserId") else f"q-{name}"
        group = f"{self.host}-{author}"
        if self.with_history:
            self.spill.put("wanted", name, group)
        if not row.get("AcceptedAnswerId"):
            self.skipped["question without accepted answer"] += 1
            return
        accepted = _number(row, "AcceptedAnswerId")
        question = self._read(row, f"q/{name}", group, OWNER, html_blocks(self._body(row, "Body")))
        if not question.blocks:
            self._refuse("question without code", question.place, group)
        elif (answer := self.spill.pop("answers", accepted)) is not None:
            self._compare(question, Post(*answer), "stackoverflow", f"a/{accepted}")
        elif not self.spill.put("questions", accepted, question):
            self._refuse("two questions accept one answer", question.place, group)

    def _answer(self, row: Any) -> None:
        name, parent = _number(row, "Id"), _number(row, "ParentId")
        waiting = self.spill.pop("questions", name)
        if self.with_history and (group := self.spill.get("wanted", parent)) is not None:
            self.spill.put("wanted", name, group)
        if waiting is None and parent <= self.newest:
            self.skipped["answer that is not accepted"] += 1
            return
        answer = self._read(row, f"a/{name}", "", OWNER, html_blocks(self._body(row, "Body")))
        if waiting is None:  # its question comes later
            self.spill.put("answers", name, answer)
        else:
            self._compare(Post(*waiting), answer, "stackoverflow", answer.place)

    def _revision(self, row: Any) -> None:
        if row.get("PostHistoryTypeId") not in BODIES:
            self.skipped["history without a text"] += 1
            return
        name = _number(row, "PostId")
        group = self.spill.get("wanted", name)
        if group is None:
            self.skipped["history of another post"] += 1
            return
        place = f"revisions/{row.get('RevisionGUID') or _number(row, 'Id')}"
        post = self._read(row, place, group, EDITOR, markdown_blocks(self._body(row, "Text")))
        before = self.spill.get("revisions", name)
        self.spill.put("revisions", name, post)
        if before is not None and before[2] != post.blocks:
            self._compare(Post(*before), post, "stackoverflow_revision", f"posts/{name}/revisions")

    def _body(self, row: Any, field: str) -> str:
        body: str = row.get(field) or ""
        if len(body) > self.settings.max_body:
            raise ValueError(f"{field} of {len(body)} characters; max_body is {self.settings.max_body}")
        return body

    def _read(self, row: Any, place: str, group: str, who: tuple[str, str], blocks: Sequence[str]) -> Post:
        """A post with its cleaned blocks; `who` are the fields that name its author."""
        license = (row.get("ContentLicense") or "").strip().replace(" ", "-")
        user, name = who
        author, url = row.get(name) or "", ""
        if row.get(user):
            number = _number(row, user)
            author = self.spill.get("users", number) or author or f"user{number}"
            url = f"{self.site}/users/{number}"
        date = day(row.get("CreationDate") or "")
        return Post(place, group, [cleaned(block) for block in blocks], license, author, url, date)

    def _compare(self, before: Post, after: Post, kind: str, page: str) -> None:
        """Write the blocks of two posts that are an error and its correction."""
        if not after.blocks:
            self._refuse("answer without code", after.place, before.group)
            return
        if not before.license or not after.license:
            self._refuse("no license stated", after.place, before.group)
            return
        matches = match(before.blocks, after.blocks, self.settings)
        for reason, number in matches.rejected:
            self._refuse(reason, f"{after.place}#{number}", before.group)
        both = (before, after)
        for old, new, a, b in matches.kept:
            origin = Origin(
                project=self.host,
                path=page,
                version_from=f"{before.place}#{a}",
                version_to=f"{after.place}#{b}",
                url=f"{self.site}/{page}",
                license=" AND ".join(sorted({post.license for post in both})),
                license_source=f"ContentLicense of the {self.source}",
                author="; ".join(dict.fromkeys(post.author for post in both if post.author)),
                author_url=" ".join(dict.fromkeys(post.author_url for post in both if post.author_url)),
                date=after.date,
            )
            self.pairs.write(
                make_pair(
                    old, new, category="", kind=kind, source="stackoverflow", split="", group=before.group,
                    origin=origin, filters=VERSION,
                )
            )  # fmt: skip
        if self.settings.target > 0:
            self.milestones.record(self.pairs.rows / self.settings.target, self.pairs.rows, rows=self.rows)

    def _refuse(self, reason: str, item: str, group: str = "", detail: str = "") -> None:
        self.refused.write(Reject(STEP, reason, item, group or self.host, detail))


def _number(row: Any, field: str) -> int:
    """A number of a row. Raises ValueError for what is none, or is larger than a database takes."""
    text = row.get(field) or ""
    digits = text.removeprefix("-")
    if not (digits.isdigit() and digits.isascii() and len(digits) <= 18):
        raise ValueError(f"{field} is {text[:40]!r}, not a number")
    return int(text)
