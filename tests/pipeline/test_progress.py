"""The display of a running workflow: names, bars that follow logs, failures with the end of their log."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ctm.pipeline import progress
from ctm.pipeline.progress import Display, last_lines


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def display_on(out: io.StringIO, terminal: bool = False) -> Display:
    return Display(Console(file=out, force_terminal=terminal, width=160))


def test_finished_jobs_are_counted_by_name(out: io.StringIO) -> None:
    display = display_on(out)
    display.plan(2)
    display.started([7])
    display.describe(7, "mutate 01-of-02", None)
    display.finished(7)
    display.stop()
    assert "1/2  mutate 01-of-02  done in 0 s" in out.getvalue()


def test_failed_job_shows_the_end_of_its_log(out: io.StringIO, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(f"line {i}\n" for i in range(100)) + "ValueError: [1, 2] is bad\n")
    display = display_on(out)
    display.plan(1)
    display.started([1])
    display.describe(1, "train_stage1", log)
    display.finished(1, failed=True)
    display.stop()
    text = out.getvalue()
    assert "train_stage1  failed" in text and "ValueError: [1, 2] is bad" in text
    assert "line 0\n" not in text


def test_running_job_is_heard_of_where_there_is_no_terminal(
    out: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "REPEAT", 0.01)
    log = tmp_path / "train.log"
    log.write_text("stage1 step 3/9 loss 4.2\n")
    display = display_on(out)
    display.plan(1)
    display.started([1])
    display.describe(1, "train_stage1", log)
    for _ in range(500):
        if "step 3/9" in out.getvalue():
            break
        display.over.wait(0.01)
    display.stop()
    assert "train_stage1" in out.getvalue() and "step 3/9 loss 4.2" in out.getvalue()


def test_bar_follows_the_log_on_a_terminal(
    out: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "REFRESH", 0.01)
    log = tmp_path / "train.log"
    log.write_text("stage1 step 3/9 loss 4.2\n")
    display = display_on(out, terminal=True)
    display.plan(1)
    display.started([1])
    display.describe(1, "train_stage1", log)
    job = display.running[1]
    assert job.bar is not None
    for _ in range(500):
        task = next(t for t in display.bars.tasks if t.id == job.bar)
        if task.total:
            break
        display.over.wait(0.01)
    display.stop()
    assert (task.completed, task.total) == (3, 9)


def test_last_lines_of_no_log_are_none(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "nowhere", 3) == []
