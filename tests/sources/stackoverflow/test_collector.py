"""A dump becomes pairs: joined, attributed, counted; and nothing is read before its terms are accepted."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import py7zr
import pytest

from ctm.pairs.record import Pair, Reject, read_pairs, read_rejects
from ctm.sources.stackoverflow.collector import collect
from ctm.sources.stackoverflow.settings import StackOverflowSettings
from helpers.fake_dump import BOMB, BROKEN, FIXED, OTHER, answer, question, row, write

SETTINGS = StackOverflowSettings(accept_dump_terms=True, target=4)
WRONG = FIXED.replace("+=", "=")
POSTS = (
    question(1, 11, "Traceback: no code", BROKEN),
    question(2, None, BROKEN),
    question(3, 13, BROKEN, Tags="<java>"),
    question(
        4,
        14,
        ">>> a = 1\n>>> print a\n1",
        Tags="|python-3.x|python|",
        OwnerUserId=None,
        OwnerDisplayName="Zoë",
    ),
    question(5, 99, WRONG),
    question(6, 16, WRONG, OwnerUserId=9),
    question(8, 18, WRONG, OwnerUserId=9),
    row(Id=9, PostTypeId=4),
    answer(11, 1, OTHER, FIXED),
    answer(12, 1, FIXED),
    answer(14, 4, "a = 1\nprint(a)", ContentLicense="CC BY-SA 3.0"),
    answer(16, 6, FIXED, ContentLicense=None),
    answer(18, 8),
)


def run(
    tmp_path: Path, posts: Path, settings: StackOverflowSettings = SETTINGS, **files: Path
) -> tuple[list[Pair], list[Reject]]:
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    counts = collect(posts, 0, 1, settings, tmp_path / "work", out, rejects, **files)
    pairs, refused = list(read_pairs(out)), list(read_rejects(rejects))
    assert (counts["pairs"], counts["rejects"]) == (len(pairs), len(refused))
    assert not list((tmp_path / "work").iterdir()), "what waited is gone"
    return pairs, refused


def test_questions_meet_their_accepted_answers(tmp_path: Path) -> None:
    pairs, refused = run(tmp_path, write(tmp_path / "Posts.xml", *POSTS))
    first, second = pairs
    assert (first.buggy, first.fixed) == (BROKEN, FIXED)
    assert (first.source, first.kind, first.category, first.split) == (
        "stackoverflow",
        "stackoverflow",
        "",
        "",
    )
    assert first.group == "stackoverflow.com-user-7"
    origin = first.origin
    assert (origin.version_from, origin.version_to) == ("q/1#2", "a/11#2")
    assert origin.url == "https://stackoverflow.com/a/11"
    assert (origin.license, origin.license_source) == ("CC-BY-SA-4.0", "ContentLicense of the dump")
    assert (origin.author, origin.date) == ("user7; user8", "2013-03-04"), "the answer's day"
    assert origin.author_url == "https://stackoverflow.com/users/7 https://stackoverflow.com/users/8"
    assert (second.buggy, second.fixed) == ("a = 1\nprint a", "a = 1\nprint(a)")
    assert second.origin.license == "CC-BY-SA-3.0 AND CC-BY-SA-4.0"
    assert (second.origin.author, second.group) == ("Zoë; user8", "stackoverflow.com-q-4")
    assert {(item.reason, item.item) for item in refused} == {
        ("no similar block before", "a/11#1"),
        ("accepted answer not in the dump", "q/5"),
        ("no license stated", "a/16"),
        ("answer without code", "a/18"),
        ("question without the tag", "1 rows"),
        ("question without accepted answer", "1 rows"),
        ("answer that is not accepted", "1 rows"),
        ("neither question nor answer", "1 rows"),
    }


def test_order_of_the_rows_and_packing_change_nothing(tmp_path: Path) -> None:
    expected, _ = run(tmp_path, write(tmp_path / "Posts.xml", *POSTS))
    turned, refused = run(tmp_path, write(tmp_path / "turned.xml", *reversed(POSTS)))
    assert {pair.pair_id for pair in turned} == {pair.pair_id for pair in expected}
    assert "accepted answer not in the dump" in {item.reason for item in refused}
    with py7zr.SevenZipFile(tmp_path / "site.7z", "w") as archive:
        archive.write(tmp_path / "Posts.xml", "Posts.xml")
    assert run(tmp_path, tmp_path / "site.7z")[0] == expected


def test_shards_share_the_questions(tmp_path: Path) -> None:
    posts = write(
        tmp_path / "Posts.xml",
        *(question(n, n + 100, BROKEN.replace("total", f"total{n}")) for n in range(1, 21)),
        *(answer(n + 100, n, FIXED.replace("total", f"total{n}")) for n in range(1, 21)),
    )
    parts = []
    for shard in range(3):
        out = tmp_path / f"{shard}.parquet"
        collect(posts, shard, 3, SETTINGS, tmp_path / "work", out, tmp_path / "rejects.parquet")
        parts.append({pair.pair_id for pair in read_pairs(out)})
    assert sum(map(len, parts)) == len(set.union(*parts)) == 20 and all(parts)


def test_revisions_of_posts_and_names_of_users(tmp_path: Path) -> None:
    def revision(number: int, post: int, kind: int, text: str) -> str:
        return row(
            Id=number,
            PostHistoryTypeId=kind,
            PostId=post,
            RevisionGUID=f"g{number}",
            UserId=8,
            Text=text,
            CreationDate=f"2015-01-0{number}T00:00:00.000",
            ContentLicense="CC BY-SA 4.0",
        )

    history = write(
        tmp_path / "PostHistory.xml",
        revision(1, 12, 2, f"Try:\n\n```\n{BROKEN}\n```\n"),
        revision(2, 12, 1, "A title"),
        revision(3, 12, 5, f"Try this:\n\n```\n{BROKEN}\n```\n"),
        revision(4, 12, 5, f"Try this:\n\n```\n{FIXED}\n```\n"),
        revision(5, 13, 2, f"```\n{BROKEN}\n```\n"),
        root="posthistory",
    )
    users = write(tmp_path / "Users.xml", row(Id=8, DisplayName="Ann"), root="users")
    posts = write(tmp_path / "Posts.xml", question(1, None, "x"), answer(12, 1, FIXED))
    (pair,), refused = run(tmp_path, posts, history=history, users=users)
    assert (pair.buggy, pair.fixed, pair.kind) == (BROKEN, FIXED, "stackoverflow_revision")
    assert (pair.origin.version_from, pair.origin.version_to) == ("revisions/g3#1", "revisions/g4#1")
    assert pair.origin.url == "https://stackoverflow.com/posts/12/revisions"
    assert pair.origin.date == "2015-01-04"
    assert (pair.origin.author, pair.group) == ("Ann", "stackoverflow.com-user-7")
    assert {("history without a text", "1 rows"), ("history of another post", "1 rows")} <= {
        (item.reason, item.item) for item in refused
    }


@pytest.mark.parametrize(
    ("harm", "said", "rows"),
    [
        (lambda text: text[: text.index('Id="14" PostTypeId') + 10], "Posts.xml:13: ", 10),
        (lambda text: text.replace('Id="14" Post', f'X="{"x" * 20_000_000}" Id="14" Post'), "line 13: ", 10),
        (lambda text: text.replace('Id="14" Post', 'X="\ud800" Id="14" Post'), "Posts.xml:13: ", 10),
        (
            lambda text: text.replace("<posts>", f"{BOMB}\n<posts>").replace(
                'Id="14" Post', 'X="&i;" Id="14" Post'
            ),
            "declares a document type",
            0,
        ),
    ],
    ids=["truncated", "20 MB attribute", "broken encoding", "entity bomb"],
)
def test_a_file_that_breaks_off_is_one_line_and_one_reject_and_keeps_what_came(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[str], str], said: str, rows: int
) -> None:
    path = write(tmp_path / "Posts.xml", *POSTS)
    path.write_bytes(harm(path.read_text()).encode("utf-8", "surrogatepass"))
    pairs, refused = run(tmp_path, path)
    assert [pair.fixed for pair in pairs] == [FIXED] * bool(rows)
    (reject,) = (item for item in refused if item.reason == "source failed")
    assert reject.item == f"Posts.xml after {rows} rows"
    assert reject.detail.startswith(f"{path}:") and said in reject.detail
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1 and str(path) in warnings[0] and "\n" not in warnings[0]


def test_an_archive_that_breaks_off_is_one_line_and_one_reject(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noise = [answer(1000 + n, 999, hashlib.sha256(b"%d" % n).hexdigest() * 20) for n in range(2000)]
    plain = write(tmp_path / "Posts.xml", *POSTS, *noise)
    path = tmp_path / "site.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.write(plain, "Posts.xml")
    whole = path.read_bytes()
    for content, said in (
        (whole[: len(whole) // 2], "cannot be opened as a .7z archive"),
        (whole[:60_000] + bytes(50) + whole[60_050:], "cannot be unpacked"),
    ):
        caplog.clear()
        path.write_bytes(content)
        pairs, refused = run(tmp_path, path)
        (reject,) = (item for item in refused if item.reason == "source failed")
        assert reject.detail.startswith(f"{path}: {said}") and "\n" not in reject.detail
        assert re.fullmatch(r"Posts\.xml after \d+ rows", reject.item) and len(pairs) <= 2
        warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
        assert len(warnings) == 1 and str(path) in warnings[0] and "\n" not in warnings[0]


def test_rows_that_make_no_sense_are_counted_one_by_one(tmp_path: Path) -> None:
    bad = (
        row(Id="x", PostTypeId=2, ParentId=1),
        row(Id="9" * 30, PostTypeId=2, ParentId=1),
        row(Id=1, PostTypeId=1, Tags="<python>", AcceptedAnswerId="no"),
        question(20, 21, "x" * 300_000),
    )
    pairs, refused = run(tmp_path, write(tmp_path / "Posts.xml", *bad, *POSTS))
    assert len(pairs) == 2
    found = [(item.item, item.detail) for item in refused if item.reason == "row cannot be read"]
    assert [item for item, _ in found] == [f"Posts.xml row {n}" for n in (1, 2, 3, 4)]
    assert "'x', not a number" in found[0][1] and "max_body is 200000" in found[3][1]


def test_without_accepted_terms_nothing_is_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"accept_dump_terms must be true: read the terms"):
        run(tmp_path, tmp_path / "nowhere.xml", replace(SETTINGS, accept_dump_terms=False))
    with pytest.raises(
        FileNotFoundError, match=r"nowhere\.xml: no such file; it is named in sources\.stackoverflow"
    ):
        run(tmp_path, tmp_path / "nowhere.xml")


def test_milestones_are_logged_and_written_at_each_quarter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    counts = tmp_path / "counts.json"
    run(tmp_path, write(tmp_path / "Posts.xml", *POSTS), counts_file=counts)
    said = [record.message for record in caplog.records if record.message.startswith("milestone")]
    assert [line.partition(",")[0] for line in said] == ["milestone 25%: 1 pairs", "milestone 50%: 2 pairs"]
    content = json.loads(counts.read_text())
    assert (content["asked"], content["items"], content["rows"]) == (4, 2, len(POSTS))
    assert [m["items"] for m in content["milestones"]] == [1, 2]
