"""Files that exist are whole, and their bytes are those that they have always had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ctm.files import replacing, sha256_of, write_json


def test_a_file_appears_whole_and_nothing_else_stays(tmp_path: Path) -> None:
    """Folders above it are made; while it is written, its name shows what was there."""
    path = tmp_path / "new" / "a.txt"
    for text in ("one", "two"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert path.exists() == (text == "two")
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_a_file_that_nobody_wrote_does_not_replace_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss of power between the two must not leave an empty file under the name."""
    done: list[str] = []
    sync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("synced"), sync(handle)))
    monkeypatch.setattr(Path, "replace", lambda one, other: (done.append("renamed"), rename(one, other)))
    write_json(tmp_path / "a.json", {})
    assert done == ["synced", "renamed"]


WRITER = """
import sys
from pathlib import Path
from ctm.files import replacing
with replacing(Path(sys.argv[1])) as temporary, temporary.open("w") as file:
    file.write(sys.argv[2] * 100_000)
    print("ready", flush=True)
    sys.stdin.readline()
    file.write(sys.argv[2] * 100_000)
"""


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    """A job that outlives its killed workflow still writes while the next run does: one of both files, whole."""
    path = tmp_path / "a.txt"
    writers = {
        letter: subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), letter],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for letter in "ab"
    }
    for writer in writers.values():
        assert writer.stdout and writer.stdout.readline() == "ready\n"
    for letter, writer in writers.items():
        writer.communicate("go\n", timeout=60)
        assert writer.returncode == 0 and path.read_text() == letter * 200_000
    assert os.listdir(tmp_path) == ["a.txt"]


def test_json_has_one_layout(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": [1], "a": "é"})
    assert path.read_bytes() == b'{\n "b": [\n  1\n ],\n "a": "\\u00e9"\n}\n'
    write_json(path, {"b": 1, "a": 2}, end="", indent=2, sort_keys=True)
    assert path.read_bytes() == b'{\n  "a": 2,\n  "b": 1\n}'


def test_what_is_no_json_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            write_json(path, {"value": value})
    assert not path.exists()
    write_json(path, {"value": float("nan")}, allow_nan=True)
    assert json.loads(path.read_text())["value"] != json.loads(path.read_text())["value"]


def test_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
