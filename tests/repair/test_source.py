"""Bytes to lines and back to the same bytes; what would not come back is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctm.repair.source import FileError, parse_source, read_source

NOTHING_ELSE_ENDS_A_LINE = "x = 'a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b'"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_three_things_end_a_line(end: str):
    text = end.join(["\x0cdef f():", f"    {NOTHING_ELSE_ENDS_A_LINE}", "    return x", ""])
    source = parse_source(text.encode())
    assert source.lines[1] == f"    {NOTHING_ELSE_ENDS_A_LINE}" and len(source.lines) == 4
    changed = source.splice(2, 3, ["    return x, x", "    return y"])
    assert changed.encode() == text.replace("return x", f"return x, x{end}    return y").encode()


def test_mixed_line_ends_stay_where_they_are():
    raw = b"a = (1 +\\\r\n  2\rb = 1\nc = 2\r\n\rd"
    changed = parse_source(raw).splice(2, 3, ["b = 3"])
    assert changed.encode() == raw.replace(b"b = 1", b"b = 3")


@pytest.mark.parametrize(
    "codec",
    [
        "utf-7",
        "unicode_escape",
        "punycode",
        "idna",
        "utf-16",
        "hz",
        "cp037",
        "rot13",
        "base64",
        "undefined",
        "zip",
    ],
)
def test_a_codec_whose_text_has_other_lines_or_bytes_is_refused(codec: str):
    raw = f"# coding: {codec}\nprint('a+b~{{c}}.d' \\\n  .upper(), {'x' * 70!r})\n".encode()
    with pytest.raises(
        FileError, match=r"cannot be written back as the same bytes|cannot be decoded"
    ) as caught:
        parse_source(raw)
    assert "\n" not in str(caught.value)


def test_escapes_in_the_encoding_itself_are_refused_on_both_sides():
    cookie = b"# coding: raw_unicode_escape\n"
    with pytest.raises(FileError, match="same bytes"):
        parse_source(cookie + b"x = '\\u000a'\n")
    plain = parse_source(cookie + b"x = 1\n")
    assert plain.encode() == cookie + b"x = 1\n"
    with pytest.raises(FileError, match="another text"):
        plain.splice(1, 2, ["x = '\\u0041'"]).encode()


@pytest.mark.parametrize(
    "codec", ["gbk", "shift_jis", "euc-jp", "big5", "iso-2022-jp", "koi8-r", "cp1252", "utf-8"]
)
def test_encodings_that_people_use_are_kept(codec: str):
    word = {"koi8-r": "\u0444", "cp1252": "\u20ac"}.get(codec, "\u4e2d")
    raw = f"# coding: {codec}\r\nx = '{word}'\r\ny = 1\r\n".encode(codec)
    assert parse_source(raw).splice(2, 3, ["y = 2"]).encode() == raw.replace(b"y = 1", b"y = 2")


def test_the_wrong_byte_is_named_behind_a_byte_order_mark():
    with pytest.raises(FileError, match="byte 0xe9"):
        parse_source(b"\xef\xbb\xbf\n\n\nx = '\xe9'\n")


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.py")
    for path in (tmp_path / "pipe.py", tmp_path, Path(os.devnull)):
        with pytest.raises(FileError, match="not a regular file"):
            read_source(path)
