"""The supervisor of jobs: what it writes into the ledger, what it refuses, and that nothing outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ctm.files import sha256_of
from ctm.pipeline import job
from ctm.pipeline.ledger import LEDGER, REFUSED, append, latest, read, sums
from ctm.pipeline.locks import hold
from helpers.fake_checkout import ROOT

COPY = "import sys, pathlib; pathlib.Path(sys.argv[2]).write_bytes(pathlib.Path(sys.argv[1]).read_bytes())"
FOR_EVER = "import pathlib, time; pathlib.Path('begun').touch(); time.sleep(600)"
WAITED = 30.0
"""Seconds after which something that takes one has not happened."""


def supervised(
    program: str, *arguments: str, inputs: tuple[str, ...] = ("a",), outputs: tuple[str, ...] = ("b",)
):
    """The command of a job of rule `copy`."""
    lists = ["--wildcards", "1", "--inputs", *inputs, "--outputs", *outputs]
    return [
        sys.executable, "-m", "ctm.pipeline.job", "--rule", "copy", "--lineage", "f" * 64, "--threads", "2", *lists,
        "--", sys.executable, "-c", program, *arguments,
    ]  # fmt: skip


def run(folder: Path, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=60)


def begin(folder: Path, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
    """Start a job whose program writes the file `begun`, and wait until it has."""
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}
    )
    until((folder / "begun").exists)
    return process


def until(true) -> None:
    end = time.monotonic() + WAITED
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a").write_text("what goes in")
    return tmp_path


def test_a_job_leaves_one_line(folder: Path) -> None:
    assert run(folder, supervised(COPY, "a", "b"), CTM_SESSION="abc").returncode == 0
    (entry,) = read(folder)
    assert (entry.rule, entry.wildcards, entry.status, entry.exit, entry.session) == (
        "copy",
        ("1",),
        "done",
        0,
        "abc",
    )
    assert [(file.path, file.sha256, file.size) for file in (*entry.inputs, *entry.outputs)] == [
        (name, sha256_of(folder / "a"), 12) for name in ("a", "b")
    ]
    assert entry.declared["threads"] == 2 and entry.command[0] == sys.executable
    assert entry.used["seconds"] > 0 and entry.used["memory_gb"] > 0.001
    assert entry.used["vram_gb"] is None, "what was not measured is null"


def test_a_job_that_fails_or_makes_nothing_is_on_record(folder: Path) -> None:
    assert run(folder, supervised("raise SystemExit(3)")).returncode == 3
    done = run(folder, supervised("pass"))
    assert done.returncode == 1 and "did not make b" in done.stderr
    assert [(entry.status, entry.exit, entry.outputs) for entry in read(folder)] == [
        ("failed", 3, ()),
        ("failed", 1, ()),
    ]


def test_what_a_failed_job_made_by_halves_is_no_artifact(folder: Path) -> None:
    """Snakemake would leave it with --keep-incomplete, and take it for whole."""
    assert run(folder, supervised("open('b', 'w').write('half'); raise SystemExit(3)")).returncode == 3
    assert not (folder / "b").exists()


def test_what_a_killed_writer_left_goes(folder: Path) -> None:
    """A program that is killed while it writes leaves a folder of its own beside the output."""
    writing = (
        "import os, pathlib\nfrom ctm.files import replacing\nwith replacing(pathlib.Path('b')) as file:\n"
    )
    killed = supervised(writing + "    file.write_text('half'); os.kill(os.getpid(), 9)")
    subprocess.run(killed[killed.index("--") + 1 :], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})
    other = folder / ".other.part"
    other.mkdir()
    (other / "c.tmp").write_text("somebody writes c")
    assert len(list(folder.glob(".*.part"))) == 2
    assert run(folder, supervised(COPY, "a", "b")).returncode == 0
    assert list(folder.glob(".*.part")) == [other]
    assert run(folder, killed).returncode and list(folder.glob(".*.part")) == [other]


def test_the_log_of_a_failed_job_is_kept(folder: Path) -> None:
    (folder / "copy.log").write_text("why it failed")
    command = supervised("raise SystemExit(3)")
    assert run(folder, [*command[:3], "--log", "copy.log", *command[3:]]).returncode == 3
    (folder / "copy.log").unlink()
    (entry,) = read(folder)
    assert entry.log is not None and (folder / entry.log).read_text() == "why it failed"


def test_a_damaged_input_is_not_read(folder: Path) -> None:
    assert run(folder, supervised(COPY, "a", "b")).returncode == 0
    (folder / "b").write_text("what goes iN")
    done = run(folder, supervised(COPY, "b", "c", inputs=("b",), outputs=("c",)))
    assert done.returncode == job.DAMAGED and "b is not what rule copy made" in done.stderr
    assert not (folder / "c").exists()
    made, refused = read(folder)
    assert (refused.status, refused.exit, refused.used) == (REFUSED, job.DAMAGED, {})
    assert refused.reason is not None and "b is not what rule copy made" in refused.reason
    assert [(file.path, file.sha256) for file in refused.inputs] == [("b", sha256_of(folder / "b"))]
    assert latest([made, refused]) == latest([made]) and sums([made, refused]) == sums([made])


def test_a_line_from_before_there_were_reasons_is_read(folder: Path) -> None:
    assert run(folder, supervised(COPY, "a", "b")).returncode == 0
    path = folder / LEDGER
    given = json.loads(path.read_text())
    del given["reason"]
    path.write_text(json.dumps(given) + "\n")
    (entry,) = read(folder)
    assert entry.status == "done" and entry.reason is None


def test_a_torn_line_is_left_out_and_the_next_one_is_whole(folder: Path) -> None:
    assert run(folder, supervised(COPY, "a", "b")).returncode == 0
    path = folder / LEDGER
    path.write_bytes(path.read_bytes() + path.read_bytes()[:40])
    (entry,) = read(folder)
    append(folder, entry)
    assert read(folder) == [entry, entry]
    assert len([json.loads(line) for line in path.read_bytes().splitlines() if line.endswith(b"}")]) == 2


def test_two_jobs_never_make_the_same_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(job, "WAIT", 0.2)
    held = hold(Path("work/locks/copy-1.lock"))
    command = supervised(COPY, "a", "b")[3:]
    assert job.main(command) == job.BUSY
    os.close(held)
    assert job.main(command) == 0
    refused, made = read(folder)
    assert (refused.status, refused.exit, made.status) == (REFUSED, job.BUSY, "done")
    assert refused.reason is not None and "copy-1.lock is locked by" in refused.reason


def test_an_orphan_ends_with_all_it_started(folder: Path) -> None:
    snakemake = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    created = psutil.Process(snakemake.pid).create_time()
    grandchild = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {FOR_EVER!r}])"
    process = begin(folder, supervised(grandchild), CTM_SNAKEMAKE=f"{snakemake.pid}:{created}")
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(below) == 2
    snakemake.kill()  # and nobody asks how it ended, so that its number stays
    assert process.wait(WAITED) != 0
    snakemake.wait()
    until(lambda: not any(one.is_running() for one in below))
    (entry,) = read(folder)
    assert entry.status == "failed"


def test_what_a_killed_supervisor_ran_dies_with_it(folder: Path) -> None:
    process = begin(folder, supervised(FOR_EVER))
    (below,) = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    until(lambda: not below.is_running())
    hold(folder / "work/locks/copy-1.lock", WAITED)


def test_a_signal_reaches_the_program(folder: Path) -> None:
    program = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(9)); " + FOR_EVER
    process = begin(folder, supervised(program))
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAITED) == 9


def test_a_job_of_a_snakemake_that_is_gone_does_not_begin(folder: Path) -> None:
    done = run(folder, supervised(COPY, "a", "b"), CTM_SNAKEMAKE="999999999:1.0")
    assert done.returncode == 1 and "Snakemake is gone" in done.stderr
    assert not (folder / "b").exists()
