"""Runs the specification's five checks of the model, in seconds, before hours of training.

They run on real grids and the real sizes (whether ticks help, on a small model of the same kind); each says what it
saw, and all are run before the first failure is raised.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from ctm.evaluation import checks, iteration
from ctm.evaluation.first_states import FirstState, read_first_states
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.training.initial import new_ctm

log = logging.getLogger(__name__)
FORMAT_VERSION = 2
BATCH = 8
Seen = tuple[bool, str] | tuple[bool, str, dict[str, Any]]


class InvalidModel(AssertionError):
    """A check failed; the message names all that did, and what was seen."""


def validate(
    manifest: Path,
    tokenizer: Path,
    sizes: Mapping[str, Any],
    threads: int,
    out: Path,
    host_gb: float,
    vram_gb: float = 0,
) -> dict[str, Any]:
    """Check a new model of these sizes (ModelConfig) on pairs of the training grids; write what was seen (JSON).

    host_gb, vram_gb: memory that the job was given. The report holds failures too: `refuse_failures` raises them.
    """
    torch.set_num_threads(threads)
    codec = CodeTokenizer.load(tokenizer)
    states = short_states(read_first_states(manifest, codec, 16 * BATCH))
    model = new_ctm(sizes, codec, 0).eval()
    report = {
        "format_version": FORMAT_VERSION,
        **run_checks(model, states, codec, out.with_suffix(".safetensors"), host_gb, vram_gb),
    }
    write_json(out, report)
    return report


def refuse_failures(report: Mapping[str, Any]) -> None:
    """Raise InvalidModel if a check of the report failed."""
    failed = [f"{part['part']}: {part['seen']}" for part in report["checks"] if not part["holds"]]
    if failed:
        raise InvalidModel("; ".join(failed))


def run_checks(
    model: CTM, states: list[FirstState], codec: CodeTokenizer, scratch: Path, host_gb: float, vram_gb: float
) -> dict[str, Any]:
    """Everything: "checks" (of each part its check, whether it holds, what was seen, seconds) and "evidence" (figures).

    scratch: a file to write weights to, removed.
    """
    trained = iteration.briefly_trained(model.config, 0)
    table: list[tuple[str, str, Callable[[], Seen]]] = [
        ("shapes", "outputs have the shapes of the contract", lambda: checks.shapes(model, states)),
        ("shapes", "a batch gives what single samples give", lambda: checks.batching(model, states)),
        ("shapes", "weights survive the disk", lambda: checks.storing(model, states, scratch)),
        ("gradients", "reach every parameter", lambda: checks.gradients(model, states, codec)),
        ("gradients", "reach every tick", lambda: checks.gradient_flow(model, states)),
        ("memory", "follows its formula", lambda: checks.memory_use(model, states, host_gb, vram_gb)),
        ("iteration", "ticks help", lambda: checks.ticks_help(trained)),
        (
            "synchronization",
            "follows its definition",
            lambda: checks.synchronization_definition(model, states),
        ),
        ("synchronization", "is meaningful", lambda: checks.synchronization_varies(model, states, trained)),
        (
            "gradients",
            "a few steps learn a batch",
            lambda: checks.learning(model, states, codec),
        ),  # trains it: last
    ]
    parts: list[dict[str, Any]] = []
    evidence: dict[str, Any] = {}
    for check, part, run in table:
        started = time.monotonic()
        holds, seen, *figures = run()
        log.log(
            logging.INFO if holds else logging.ERROR,
            "%s, %s: %s (%s)",
            check,
            part,
            "yes" if holds else "NO",
            seen,
        )
        seconds = round(time.monotonic() - started, 2)
        parts.append({"check": check, "part": part, "holds": holds, "seen": seen, "seconds": seconds})
        if figures:
            evidence[check] = figures[0]
    order = list(dict.fromkeys(check for check, _, _ in table))
    return {"checks": sorted(parts, key=lambda part: order.index(part["check"])), "evidence": evidence}


def short_states(states: list[FirstState]) -> list[FirstState]:
    """BATCH states of different lengths, the shortest with a replacement first: quick, and every head has work."""
    ranked = sorted(states, key=lambda item: (not item.edit.tokens, len(item.state.ids)))
    return ranked[:BATCH]
