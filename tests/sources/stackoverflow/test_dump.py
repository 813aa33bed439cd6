"""Reading a dump: what is hostile or broken ends in one clear line, and memory stays flat."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import py7zr
import pytest

from ctm.sources.stackoverflow import dump
from ctm.sources.stackoverflow.dump import DumpError, rows
from helpers.fake_dump import BOMB

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
ROWS = "".join(f'  <row Id="{n}" Body="&lt;p&gt;text {n}&lt;/p&gt;" />\n' for n in range(1, 4001))
WHOLE = f"{HEAD}<posts>\n{ROWS}</posts>\n"


def packed(path: Path, members: dict[str, bytes], filters: list[dict[str, int]] | None = None) -> Path:
    with py7zr.SevenZipFile(path, "w", filters=filters) as archive:
        for name, content in members.items():
            archive.writestr(content, name)
    return path


def numbers(path: Path) -> list[int]:
    return [int(row.get("Id")) for row in rows(path, "Posts.xml")]


def read_all(path: Path) -> tuple[int, str]:
    """How many rows came, and the error at the end."""
    count = 0
    try:
        for _ in rows(path, "Posts.xml"):
            count += 1
    except DumpError as error:
        return count, str(error)
    return count, ""


@pytest.mark.parametrize("method", [py7zr.FILTER_LZMA2, py7zr.FILTER_BZIP2])
def test_a_packed_dump_gives_the_rows_of_a_plain_one(tmp_path: Path, method: int) -> None:
    plain = tmp_path / "Posts.xml"
    plain.write_text(WHOLE)
    members = {"Badges.xml": b"<badges/>", "Posts.xml": WHOLE.encode(), "Users.xml": b"<users/>"}
    archive = packed(tmp_path / "site.7z", members, [{"id": method}])
    assert numbers(plain) == numbers(archive) == list(range(1, 4001))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Posts.xml", "site.7z"], "nothing is unpacked"


def test_a_reader_that_stops_early_leaves_no_thread(tmp_path: Path) -> None:
    archive = packed(tmp_path / "site.7z", {"Posts.xml": WHOLE.encode() * 1})
    reading = rows(archive, "Posts.xml")
    assert [row.get("Id") for row in islice(reading, 2)] == ["1", "2"]
    reading.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("unpack")]


def test_elements_are_freed_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.write_text(WHOLE.replace("</posts>", "<junk/><!-- note --><junk/>" * 50 + "</posts>"))
    assert max(len(row.getparent()) for row in rows(path, "Posts.xml")) < 1000, "the parser is ahead by 32 kB"


@pytest.mark.parametrize(
    ("content", "came", "parts"),
    [
        (f'{HEAD}{BOMB}\n<posts>\n<row Id="1" Body="&i;"/>\n</posts>', 0, [":4: ", "amplification"]),
        (f'{HEAD}<!DOCTYPE posts [<!ENTITY a "x">]><posts><row Id="&a;"/></posts>', 0, ["document type"]),
        (
            f'{HEAD}<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]><posts><row Id="1"/>&a;</posts>',
            0,
            ["document type"],
        ),
        (WHOLE.replace("text 3001&", "x" * 20_000_000 + "&"), 3000, ["near line 3", "more than 10 MB"]),
        (WHOLE.encode().replace(b"text 3001&", b"text \xff\xfe&"), 3000, [":3003: ", "encoding"]),
        (WHOLE.replace("text 3001&", "text &#0;&"), 3000, [":3003: "]),
        (HEAD.replace("utf-8", "klingon") + "<posts><row Id='1'/></posts>", 0, [":1: ", "klingon"]),
        (WHOLE[: WHOLE.index("text 3001")], 3000, [":3003: "]),
        ("", 0, ["no element found"]),
        ("<posts>" + "<a>" * 5000, 0, ["depth"]),
    ],
    ids=["bomb", "entity", "file", "long", "utf-8", "zero", "encoding", "cut", "empty", "deep"],
)
def test_a_hostile_or_broken_file_ends_in_one_clear_line(
    tmp_path: Path, content: str | bytes, came: int, parts: list[str]
) -> None:
    path = tmp_path / "Posts.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    count, error = read_all(path)
    assert came <= count + 1 and count <= came, "the rows before the bad place come"
    assert "\n" not in error and str(path) in error
    for part in parts:
        assert part.lower() in error.lower()


def test_a_broken_archive_says_so_rather_than_the_parser(tmp_path: Path) -> None:
    noise = "".join(f'<row Id="{n}" Body="{hash((n, "x")):x}{n * 7919:x}"/>\n' for n in range(60_000))
    members = {"Posts.xml": f"{HEAD}<posts>\n{noise}</posts>".encode()}
    archive = packed(tmp_path / "site.7z", members)
    whole = archive.read_bytes()
    for name, content, part in (
        ("cut.7z", whole[:-200], "cannot be opened as a .7z archive"),
        ("flipped.7z", whole[:90_000] + bytes(50) + whole[90_050:], "cannot be unpacked"),
        ("none.7z", b"PK not a 7z", "cannot be opened as a .7z archive"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        _, error = read_all(path)
        assert part in error and str(path) in error and "\n" not in error
    _, error = read_all(packed(tmp_path / "users.7z", {"Users.xml": b"<users/>"}))
    assert "expected exactly one Posts.xml in the archive, found Users.xml" in error
    _, error = read_all(tmp_path / "nowhere.xml")
    assert "No such file" in error


def test_no_limit_of_the_parser_is_lifted() -> None:
    source = Path(dump.__file__).read_text()
    assert "huge_tree=False" in source and "resolve_entities=False" in source and "no_network=True" in source


@pytest.mark.parametrize("filler", [b"x", b"x>", b"&lt;", b"\n", b'" B="'], ids=repr)
def test_an_endless_attribute_takes_no_memory(tmp_path: Path, filler: bytes) -> None:
    """200 MB that never end an element: the parser would buffer them all before its own limit."""
    path = tmp_path / "Posts.xml"
    with path.open("wb") as file:
        file.write(b'<posts>\n<row Id="1"/>\n<row Body="')
        for _ in range(200):
            file.write(filler * (1_000_000 // len(filler)))
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom ctm.sources.stackoverflow.dump import DumpError, rows\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    print(len([r.get('Id') for r in rows(Path(sys.argv[1]), 'Posts.xml')]))\n"
        "except DumpError as error:\n    print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    said, grown = done.stdout.splitlines()
    assert re.match(
        rf"{re.escape(str(path))}: (near )?line \d+: (more than 10 MB|Attribute B redefined)", said
    )
    assert int(grown) < 150, "MB more than at the start"
