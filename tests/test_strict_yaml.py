"""YAML that a person wrote: nothing is lost, and nothing means something else than it looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctm.strict_yaml import YamlError, read_mapping


def read(tmp_path: Path, text: str | bytes) -> dict[str, object]:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_mapping(path).values


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a: 1\nb: 2\na: 3\n", ["mine.yaml:3: key 'a'", "in line 1 already"]),
        ("a:\n  b: 1\n  b: 1\n", ["mine.yaml:3: key 'a.b'", "in line 2"]),
        ("a: {b: 1, 'b': 2}\n", ["mine.yaml:1: key 'a.b'"]),
        ("a: 010\n", ["mine.yaml:1: 010 is 8 (an octal number)", "write 10 without the leading zero"]),
        ("a: [-010]\n", ["-010 is -8", "write -10"]),
        ("a: 08\n", ["08 is text", "write 8 without"]),
        ("a: 1:30\n", ["1:30 is a number in base 60", '"1:30" in quotes']),
        ("yes: 1\n", ["mine.yaml:1: key yes is read as true or false", '"yes"']),
        ("1: 1\n", ["key 1 is read as a number"]),
        ("a:\n\tb: 1\n", ["mine.yaml:2: a tab", "indent with spaces"]),
        ("- a\n- b\n", ["mine.yaml: a list", "keys with values"]),
        ("5\n", ["mine.yaml: a single value"]),
        ("", ["mine.yaml: empty"]),
        ("# all of it\n", ["mine.yaml: empty (all of it may be comments)"]),
        (b"a: 1\nb: \xe9\n", ["mine.yaml:2: not UTF-8 (byte 0xe9)", "save the file as UTF-8"]),
        ("a: [1\nb: 2\n", ["mine.yaml:2: no YAML"]),
        ("a: 1\n---\nb: 2\n", ["mine.yaml:2: a second document"]),
        ("a: !!python/object:os.system {}\n", ["mine.yaml:1: no YAML", "python/object"]),
        ("a: \x00\n", ["mine.yaml: no YAML: the character U+0000"]),
        ("a: &x [*x]\n", ["leads back to itself"]),
        ("a: *nobody\n", ["undefined alias 'nobody'"]),
        ("{" * 5000, ["nested too deeply"]),
        ("a: " + "9" * 5000, ["mine.yaml"]),
        ("? [a]\n: 1\n", ["cannot be a key"]),
        (
            "a: &a [x, x]\n" + "".join(f"{n}x: &{n}x [{'*' + p + ', ' + '*' + p}]\n" for p, n in
                                       zip(["a", *(f"{c}x" for c in "bcdefghijklmnopqrst")], "bcdefghijklmnopqrstu",
                                           strict=True)),
            ["stands for more than 200,000 values"],
        ),
    ],
)  # fmt: skip
def test_what_is_lost_or_misread_is_refused_with_file_line_and_remedy(
    tmp_path: Path, text: str | bytes, parts: list[str]
) -> None:
    with pytest.raises(YamlError) as refused:
        read(tmp_path, text)
    for part in parts:
        assert part in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_what_is_meant_is_read(tmp_path: Path) -> None:
    text = "a: 1e-3\nb: 1_000\nc: 0x10\nd: '010'\ne: 0.5\nf: 0\ng: 1E+2\nh: 1.5e3\ni: on\nj: 25%\nk: 1.0.0\n"
    assert read(tmp_path, text) == {
        "a": 0.001, "b": 1000, "c": 16, "d": "010", "e": 0.5, "f": 0, "g": 100.0, "h": 1500.0, "i": True,
        "j": "25%", "k": "1.0.0",
    }  # fmt: skip


def test_merged_keys_are_no_duplicates(tmp_path: Path) -> None:
    """Anchors with << are the usual way to say a thing once; what the mapping says itself wins."""
    text = "base: &base {x: 1, y: 2}\nmine:\n  <<: *base\n  x: 3\n"
    assert read(tmp_path, text)["mine"] == {"x": 3, "y": 2}


def test_keys_know_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# first\na:\n  b: 1\n\n  c: [1, {d: 2}]\n", encoding="utf-8")
    document = read_mapping(path)
    assert document.at(("a", "c")) == f"{path}:5" and document.at(("a", "c", "1", "d")) == f"{path}:5"
    assert document.at(("nobody",)) == str(path) and not document.has(("a", "x"))


def test_a_mark_of_byte_order_is_no_text(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    assert read(tmp_path, b"\xef\xbb\xbfa: 1\n") == {"a": 1}
