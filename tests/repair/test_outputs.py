"""Outputs: no input is overwritten under any name, only regular files are replaced, no half file is left."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ctm.repair.outputs import OutputError, check_outputs, descriptor_of, write_output


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        json.dumps({"id": "a", "buggy": "def f()\n    pass\n", "fixed": "def f():\n    pass\n"}) + "\n"
    )
    return path


def run(*arguments: str | Path, **keywords) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ctm.repair.cli", "evaluate", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, **keywords)


def one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("ctm-repair: "), done.stderr
    assert all(word in done.stderr for word in words), done.stderr


# --- what may be an output ------------------------------------------------------------------------------------------


def test_an_input_is_no_output_under_any_name(tmp_path: Path, pairs: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "soft").symlink_to(pairs)
    os.link(pairs, tmp_path / "hard")
    (tmp_path / "sub").mkdir()
    for name in (pairs, "pairs.jsonl", "soft", "hard", "sub/../pairs.jsonl"):
        with pytest.raises(OutputError, match="also an input"):
            check_outputs([Path(name)], [pairs])
    check_outputs([tmp_path / "other"], [pairs])


def test_two_outputs_are_two_files(tmp_path: Path):
    (tmp_path / "to-be").symlink_to("out")
    for other in ("out", "./out", "to-be"):
        with pytest.raises(OutputError, match="also another output"):
            check_outputs([tmp_path / "out", tmp_path / other], [])
    check_outputs([tmp_path / "out", tmp_path / "items"], [])
    check_outputs([Path(os.devnull), Path(os.devnull)], [])


def test_a_place_that_cannot_be_written_to_is_refused_before_anything_is_computed(tmp_path: Path):
    (tmp_path / "old").touch(mode=0o444)
    (tmp_path / "loop").symlink_to("loop")
    for name, why in (
        ("", "folder"),
        ("none/out", "does not exist"),
        ("old", "read-only"),
        ("loop", "written"),
    ):
        with pytest.raises(OutputError, match=why):
            check_outputs([tmp_path / name], [])


# --- writing --------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_and_keeps_its_mode_a_link_stays(tmp_path: Path):
    old = tmp_path / "old"
    old.touch(mode=0o600)
    (tmp_path / "link").symlink_to(old)
    write_output(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and old.read_text() == "new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    (tmp_path / "plain").touch()
    write_output(tmp_path / "made", "new")
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "plain").stat().st_mode, "as the umask has it"
    assert len(os.listdir(tmp_path)) == 4


def test_a_device_is_written_to_and_stays_one(tmp_path: Path):
    write_output(Path(os.devnull), "x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    full = Path("/dev/full")
    if full.exists():
        with pytest.raises(OutputError, match="no space left"):
            write_output(full, "x")
        assert stat.S_ISCHR(full.stat().st_mode)


def test_a_pipe_is_written_to(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_output(pipe, "through")
    reader.join(10)
    assert got == ["through"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_stands_for_a_descriptor(tmp_path: Path):
    assert descriptor_of(Path("/dev/stdout")) == 1 and descriptor_of(Path("/dev/fd/2")) == 2
    (tmp_path / "link").symlink_to("/dev/stdout")
    assert descriptor_of(tmp_path / "link") == 1
    assert descriptor_of(tmp_path / "1") is None and descriptor_of(Path(os.devnull)) is None


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_pairs_and_the_model_are_never_overwritten(colon_bundle: Path, tmp_path: Path, pairs: Path):
    held, model = pairs.read_bytes(), (colon_bundle / "ctm.onnx").read_bytes()
    one_line(run(pairs, "--bundle", colon_bundle, "--json", pairs), "pairs.jsonl: it is also an input")
    one_line(
        run(pairs, "--bundle", colon_bundle, "--json", tmp_path / "out", "--items", pairs), "also an input"
    )
    (tmp_path / "model").symlink_to(colon_bundle / "ctm.onnx")
    one_line(run(pairs, "--bundle", colon_bundle, "--json", tmp_path / "model"), "also an input", "ctm.onnx")
    one_line(
        run(pairs, "--bundle", colon_bundle, "--json", tmp_path / "x", "--items", tmp_path / "x"),
        "another output",
    )
    assert pairs.read_bytes() == held and (colon_bundle / "ctm.onnx").read_bytes() == model
    assert sorted(os.listdir(tmp_path)) == ["model", "pairs.jsonl"]


@pytest.mark.parametrize("to_file", [False, True], ids=["pipe", "file"])
def test_measures_on_stdout_are_nothing_but_json(
    colon_bundle: Path, tmp_path: Path, pairs: Path, to_file: bool
):
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "ctm.repair.cli", "evaluate", pairs, "--bundle", colon_bundle]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with out.open("w") as file:
        done = subprocess.run(
            [*map(str, command), "--json", "/dev/stdout"],
            stdout=file if to_file else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            timeout=60,
        )
        text = out.read_text() if to_file else done.stdout
    assert done.returncode == 0, done.stderr
    assert json.loads(text)["all"]["exact_at_1"] == 1.0
    assert "1 items in" in done.stderr, "the table goes to stderr then"


def test_a_full_disk_is_one_line_and_leaves_the_old_file(colon_bundle: Path, tmp_path: Path, pairs: Path):
    out = tmp_path / "out.json"
    out.write_text("old")

    def limit() -> None:  # files of 16 bytes at most, which fails as a full disk does: while writing
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))

    done = run(pairs, "--bundle", colon_bundle, "--json", out, preexec_fn=limit)
    one_line(done, "out.json: cannot be written")
    assert "1 items in" in done.stdout, "what was measured is still shown"
    assert out.read_text() == "old" and sorted(os.listdir(tmp_path)) == ["out.json", "pairs.jsonl"]
