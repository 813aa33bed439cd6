"""From which checkpoint a stage goes on: when it starts, and after a divergence. Damaged ones are passed over."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ctm.training.checkpoint import (
    checkpoint_at,
    checkpoints,
    resumable,
    set_aside,
    step_of,
    usable_checkpoints,
)
from ctm.training.recorder import Recorder
from ctm.training.stage_state import StageState

log = logging.getLogger(__name__)


def resume(state: StageState, recorder: Recorder) -> None:
    """From the newest checkpoint, or the one of step 0, which is written first: a rollback may lead to it."""
    found, damaged = usable_checkpoints(resumable(state.work))
    state.ranks.barrier()  # all have looked before a file is renamed or written
    if found:
        state.load(found[-1])
    else:
        state.begin()
    recorder.resume()
    if found:
        log.info("%s: resuming at step %d of %d", state.name, state.progress.step, recorder.metrics.steps)
    _record_damaged(damaged, recorder)
    if damaged or not found:
        state.save(recorder.metrics.length())
    # last, so that a kill before it leads here again
    _set_aside(state, damaged)


def roll_back(state: StageState, why: str, recorder: Recorder) -> None:
    """To the last good checkpoint, with a lower rate from there on.

    A checkpoint that was gone back to already, and led here again, is taken for bad: the one before it is next. Raises
    FloatingPointError after too many rollbacks, and where no checkpoint is whole.
    """
    failed, before = state.progress.step, state.progress
    done = [e for e in before.events if e["event"] == "rollback"]
    found = [p for p in checkpoints(state.work) if step_of(p) <= failed]
    if done and len(found) > 1 and found[-1] == checkpoint_at(state.work, done[-1]["to_step"]):
        found.pop()
    if len(done) >= state.training.rollbacks:
        raise FloatingPointError(
            f"{state.name}: {why} at step {failed}, after {len(done)} rollbacks. Lower learning_rate "
            f"({state.stage.learning_rate:g}) or raise warmup of the stage; raise training.spike "
            f"({state.training.spike:g}) if this data's loss jumps without diverging"
        )
    usable, damaged = usable_checkpoints(found)
    state.ranks.barrier()
    if not usable:
        _set_aside(state, damaged)
        raise FloatingPointError(
            f"{state.name}: {why} at step {failed}, and no checkpoint to go back to is whole ({state.work}). Start "
            "again: the stage begins anew"
        )
    best = state.averages.best
    state.load(usable[-1])
    now = state.progress
    now.events, now.best, state.averages.best = before.events, before.best, best
    now.rate_factor = before.rate_factor * state.training.rollback_rate
    recorder.resume()
    recorder.record_event(
        "rollback", {"why": why, "at_step": failed, "to_step": now.step, "rate_factor": now.rate_factor}
    )
    _record_damaged(damaged, recorder)
    state.save(recorder.metrics.length())
    _set_aside(state, damaged)
    if state.ranks.is_first:
        for later in checkpoints(state.work):
            if later > checkpoint_at(state.work, now.step):
                later.unlink()
    state.ranks.barrier()


def _record_damaged(damaged: Sequence[Path], recorder: Recorder) -> None:
    """Damaged checkpoints, newest last, as events: what was trained since the newest good one is trained again."""
    for path in damaged:
        recorder.record_event("damaged checkpoint", {"why": "its checksum differs", "file": path.name})


def _set_aside(state: StageState, damaged: Sequence[Path]) -> None:
    if state.ranks.is_first:
        for path in damaged:
            log.warning("%s: kept as %s, and not used", state.name, set_aside(path))
    state.ranks.barrier()
