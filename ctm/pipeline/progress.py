"""Progress bars for Snakemake: one for the workflow and one for each running job.

A Snakemake logger plugin (its plugins are packages of their own; `ctm-pipeline run` registers this module by hand). A
job's bar follows the last line of its log: "step 120/600" sets how far it is. Where the output is no terminal, one line
a job is printed, and the last line of what still runs every now and then. Snakemake's own log has everything else.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from logging import ERROR, WARNING, LogRecord
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

REFRESH, REPEAT = 0.5, 20.0
"""Seconds between two looks at the logs: of a terminal, and of anything else."""
TAIL_BYTES, TAIL_LINES = 4096, 25
STEP = re.compile(r"\b(\d+)/(\d+)\b")
QUIET = ("Nothing to be done",)
"""Beginnings of plain messages that are passed on."""
TOLD = ("RuleException",)
"""Beginnings of errors that the failed job's own lines tell better."""


def last_lines(path: Path, lines: int) -> list[str]:
    """The last lines of a log; none where there is no log yet."""
    try:
        with open(path, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES * lines))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.replace("\r", "\n").splitlines() if line.strip()][-lines:]


@dataclass
class Job:
    """A running job."""

    name: str
    log: Path | None
    begun: float = field(default_factory=time.monotonic)
    bar: TaskID | None = None

    def last(self) -> str:
        """Last line of its log."""
        return " ".join(last_lines(self.log, 1)) if self.log else ""


class Display:
    """Bars on a terminal, lines elsewhere. Called from Snakemake's threads."""

    def __init__(self, console: Console) -> None:
        self.console, self.lock = console, threading.Lock()
        self.running: dict[int, Job] = {}
        self.done, self.total = 0, 0
        self.over = threading.Event()
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}", table_column=None),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self.whole: TaskID | None = None
        self.thread: threading.Thread | None = None

    def plan(self, total: int) -> None:
        """The number of jobs is known."""
        self.total = total
        if self.thread is None and total:
            self.whole = self.bars.add_task("[bold]all jobs", total=total, note="")
            self.bars.start()
            self.thread = threading.Thread(target=self._watch, daemon=True)
            self.thread.start()

    def started(self, ids: list[int]) -> None:
        """Jobs begin."""
        with self.lock:
            for number in ids:
                job = Job(f"job {number}", None)
                job.bar = self.bars.add_task(job.name, total=None, note="")
                self.running[number] = job

    def describe(self, number: int, name: str, log: Path | None) -> None:
        """What a job that has begun is."""
        with self.lock:
            if job := self.running.get(number):
                job.name, job.log = name, log
                if job.bar is not None:
                    self.bars.update(job.bar, description=name)

    def finished(self, number: int, failed: bool = False) -> None:
        """A job ended."""
        with self.lock:
            job = self.running.pop(number, None)
            if job is None:
                return
            if job.bar is not None:
                self.bars.remove_task(job.bar)
            self.done += not failed
            if self.whole is not None:
                self.bars.update(self.whole, completed=self.done, note=f"{self.done} of {self.total}")
        seconds = time.monotonic() - job.begun
        state = "[red]failed[/]" if failed else "done"
        self.print_line(f"{self.done:4d}/{self.total}  {job.name}  {state} in {seconds:.0f} s")
        if failed and job.log:
            self.print_line(f"[red]the end of {job.log}:[/]")
            for line in last_lines(job.log, TAIL_LINES):
                self.console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)

    def print_line(self, text: str) -> None:
        """Print a line above the bars."""
        self.console.print(text, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Nothing more will come."""
        self.over.set()
        if self.thread is not None:
            self.thread.join(timeout=2)
        self.bars.stop()

    def _watch(self) -> None:
        wait = REFRESH if self.console.is_terminal else REPEAT
        while not self.over.wait(wait):
            with self.lock:
                jobs = list(self.running.values())
            for job in jobs:
                note = job.last()
                if not self.console.is_terminal:
                    self.print_line(f"          {job.name}  {time.monotonic() - job.begun:.0f} s  {note}")
                elif job.bar is not None:
                    step = STEP.search(note)
                    total = int(step[2]) if step else None
                    with self.lock:
                        if job.bar in self.bars.task_ids:
                            self.bars.update(
                                job.bar,
                                total=total,
                                completed=int(step[1]) if step else 0,
                                note=note[:100],
                            )


class LogHandler(LogHandlerBase):
    """Hands Snakemake's events to the display."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.display = Display(Console(stderr=True))

    def emit(self, record: LogRecord) -> None:
        """Show a record; unknown kinds are Snakemake's own log's to keep."""
        try:
            self._show(record, getattr(record, "event", None))
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Take the bars away."""
        self.display.stop()
        super().close()

    def _show(self, record: Any, event: str | None) -> None:
        if event == LogEvent.RUN_INFO:
            self.display.plan(int((getattr(record, "stats", None) or {}).get("total", 0)))
        elif event == LogEvent.JOB_INFO:
            values = [str(value) for value in (record.wildcards or {}).values()]
            log = Path(str(record.log[0])) if record.log else None
            self.display.describe(record.jobid, " ".join([record.rule_name, *values]), log)
        elif event == LogEvent.JOB_STARTED:
            self.display.started(list(record.jobs))
        elif event == LogEvent.JOB_FINISHED:
            self.display.finished(record.job_id)
        elif event == LogEvent.JOB_ERROR:
            self.display.finished(record.jobid, failed=True)
        elif record.getMessage().startswith(TOLD):
            pass
        elif record.levelno >= ERROR or event == LogEvent.ERROR:
            self.display.console.print(record.getMessage(), style="red", markup=False, soft_wrap=True)
        elif record.levelno >= WARNING or record.getMessage().startswith(QUIET):
            self.display.console.print(record.getMessage(), markup=False, soft_wrap=True)
