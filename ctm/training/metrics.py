"""Writes a stage's metrics: JSON lines, TensorBoard, the log, and a progress bar on a terminal.

The file of JSON lines is cut back to the length that a checkpoint remembers, so a stage that was killed or
went back has each step once. Only the first process of several writes.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, get_args

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from ctm.training.settings import Quarter

log = logging.getLogger(__name__)
QUARTERS: tuple[Quarter, ...] = get_args(Quarter)


class Metrics:
    """Figures of stage `name`, which has `steps` steps; `path` None: keep nothing."""

    def __init__(self, name: str, path: Path | None, steps: int) -> None:
        self.name, self.path, self.steps = name, path, steps
        self.milestone_steps = {
            max(1, round(steps * (q + 1) / 4)): quarter for q, quarter in enumerate(QUARTERS)
        }
        self.file: BinaryIO | None = None
        self.board: SummaryWriter | None = None
        self.bar: Any = None
        self.stack = ExitStack()

    def __enter__(self) -> Metrics:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.stack.enter_context(open(self.path, "a+b"))
            if sys.stderr.isatty():
                self.stack.enter_context(logging_redirect_tqdm())
                self.bar = self.stack.enter_context(tqdm(total=self.steps, desc=self.name, unit="step"))
        return self

    def __exit__(self, *error: object) -> None:
        if self.board is not None:
            self.board.close()
        self.stack.close()

    def resume_at(self, step: int, length: int) -> None:
        """From this step and this length of the file on: what came later is taken back."""
        if self.file is None or self.path is None:
            return
        self.file.flush()
        self.file.truncate(length)
        if self.board is not None:
            self.board.close()
        folder = str(self.path.parent / f"{self.name}.events")
        self.board = SummaryWriter(folder, purge_step=step + 1)
        if self.bar is not None:
            self.bar.reset(self.steps)
            self.bar.update(step)

    def length(self) -> int:
        """Bytes of JSON lines so far, all of them on their way to the disk."""
        if self.file is None:
            return 0
        self.file.flush()
        return self.file.seek(0, 2)

    def write(self, record: dict[str, Any]) -> None:
        """One line of figures, with when it was written (UTC) and how many steps the stage has.

        Nested figures go to TensorBoard as group/name.
        """
        if self.file is None or self.board is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {**record, "steps": self.steps, "time": now}
        self.file.write(json.dumps(record).encode() + b"\n")
        for key, value in record.items():
            for name, figure in value.items() if isinstance(value, dict) else [("", value)]:
                if isinstance(figure, float):
                    self.board.add_scalar(f"{key}/{name}" if name else key, figure, record["step"])

    def advance_bar(self, step: int, seconds: float) -> None:
        """A step is done, `seconds` after the stage began."""
        if self.bar is not None:
            next_milestone = next((s for s in self.milestone_steps if s >= step), self.steps)
            left = seconds / step * (next_milestone - step)
            self.bar.set_postfix_str(f"{self.milestone_steps[next_milestone]} in {left:.0f} s", refresh=False)
            self.bar.update(1)

    def log_step(self, record: dict[str, Any], seconds: float) -> None:
        """A line of the log about a step; "step 12/600" is what the workflow's own bar follows."""
        step = record["step"]
        each = seconds / step
        next_milestone = next((s for s in self.milestone_steps if s >= step), self.steps)
        log.info(
            "%s step %d/%d  loss %.2f  certainty %.2f  %.0f samples/s  %s in %.0f s  %.0f s left",
            self.name, step, self.steps, record["loss"], record["certainty"], record["samples_per_second"],
            self.milestone_steps[next_milestone], each * (next_milestone - step), each * (self.steps - step),
        )  # fmt: skip

    def milestones(self) -> list[dict[str, Any]]:
        """Milestones of the whole stage, earlier runs of it included."""
        if self.file is None:
            return []
        self.file.flush()
        self.file.seek(0)
        return [m for m in map(json.loads, self.file) if "milestone" in m]
