"""The rows of the template's tables: a figure, what it is held against, and whether it is met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctm.pipeline.dashboard.snakemake_log import Job
from ctm.pipeline.dashboard.stages import Stage, next_milestone
from ctm.pipeline.dashboard.usage import Use, number

MISSING = "not available"
MARKS = {True: "✓", False: "✗", None: "–"}


@dataclass(frozen=True)
class Row:
    """A figure against its target. met: None where either is missing."""

    metric: str
    current: str
    target: str
    met: bool | None

    @property
    def mark(self) -> str:
        """✓, ✗ or –."""
        return MARKS[self.met]


@dataclass(frozen=True)
class Figure:
    """A figure without a target."""

    metric: str
    value: str
    note: str


def resource_rows(job: Job, use: Use) -> list[Row]:
    """What a job uses against what its rule asked for.

    It should keep the accelerator as busy as it said, and take no more memory and no more cores. Of disks rules name a
    class, no number.
    """
    gpu, vram, ram = (job.declared(name) for name in ("gpu_percent", "vram", "mem_gb"))
    busy = None if use.gpu is None else 100 * use.gpu
    of_cores = None if use.cores is None else round(100 * use.cores / job.threads)
    cores = f"{job.threads} core{'s' * (job.threads != 1)}"
    disk_class = job.resources.get("disk_class") or job.resources.get("disk") or "none declared"
    return [
        Row("GPU Utilization", _shown(busy, "%"), f"≥{gpu:g}%" if gpu else "none", _least(busy, gpu or None)),
        Row("VRAM Usage", _shown(use.vram_gb, "GB"), f"≤{vram:g}GB" if vram else "none", _most(use.vram_gb, vram)),
        Row("CPU Utilization", _shown(of_cores, "%"), f"≤100% of {cores}", _most(of_cores, 100)),
        Row("RAM Usage", _shown(use.ram_gb, "GB"), f"≤{ram:g}GB" if ram else "none", _most(use.ram_gb, ram)),
        Row("Disk I/O", _shown(use.disk_mb_per_second, "MB/s"), f"class “{disk_class}”", None),
    ]  # fmt: skip


def training_rows(stage: Stage, job: Job | None) -> list[Row]:
    """A stage against its next milestone, or against its last one where it has come to it. job: its running job."""
    coming = next_milestone(stage)
    reached = stage.milestones[-1] if stage.milestones else None
    asked_for = (coming.asked if coming else _asked_at(stage, reached)) or {}
    line, measured = stage.last("samples_per_second"), stage.last("accuracy")
    samples = line["samples"] if line else 0
    wanted = coming.samples if coming else (reached or {}).get("samples")
    loss = number(line.get("loss")) if line else None
    return [
        Row("Samples Processed", f"{samples:,}", MISSING if wanted is None else f"{wanted:,}", _least(samples, wanted)),
        Row(
            "Training Loss",
            _plain(loss),
            goal("", asked_for["loss"], "<") if "loss" in asked_for else "none",
            None if loss is None or "loss" not in asked_for else loss < asked_for["loss"],
        ),
        *_accuracy_rows(measured, asked_for),
        _speed_row(stage, line, job),
        _ticks_row(stage, measured),
    ]  # fmt: skip


def model_figures(stage: Stage) -> list[Figure]:
    """What only a CTM has: synchronization, certainty, what ticks add, and the neurons' activations."""
    line, first = stage.last("samples_per_second"), stage.first("certainty")
    sync, certainty = (number((line or {}).get(name)) for name in ("sync_variance", "certainty"))
    begun = number((first or {}).get("certainty"))
    change = "" if certainty is None or begun is None else f"; {certainty - begun:+.2f} since the stage began"
    gain = number((stage.last("gain_per_tick") or {}).get("gain_per_tick"))
    neurons = (line or {}).get("neurons")
    return [
        Figure("Sync Variance", _plain(sync), "Higher = more differentiated"),
        Figure("Certainty Mean", _plain(certainty), f"Should increase over training{change}"),
        Figure(
            "Iteration Efficiency",
            MISSING if gain is None else f"{100 * gain:+.2f} points",
            "Accuracy gain per iteration, validation projects",
        ),
        Figure("NLM Activation Stats", _neurons(neurons), "Distribution check"),
    ]


def goal(name: str, value: float, sign: str = "") -> str:
    """A milestone in words: "syntax >85%", "loss <4"."""
    if name == "loss" or sign == "<":
        return f"{name} <{value:g}".strip()
    return f"{name} >{100 * value:g}%"


def _asked_at(stage: Stage, milestone: Mapping[str, Any] | None) -> Mapping[str, float]:
    return (stage.targets or {}).get(milestone["milestone"], {}) if milestone else {}


def _accuracy_rows(measured: Mapping[str, Any] | None, asked_for: Mapping[str, float]) -> list[Row]:
    """Overall, and each category that the milestone asks for."""
    accuracy = (measured or {}).get("accuracy", {})
    rows = []
    for name in dict.fromkeys(["overall", *(name for name in asked_for if name != "loss")]):
        value, least = number(accuracy.get(name)), asked_for.get(name)
        rows.append(
            Row(
                f"Validation Accuracy ({name})",
                MISSING if value is None else f"{100 * value:.1f}%",
                "none" if least is None else f">{100 * least:g}%",
                None if value is None or least is None else value > least,
            )
        )
    return rows


def _speed_row(stage: Stage, line: Mapping[str, Any] | None, job: Job | None) -> Row:
    """Samples a second against what is needed to end within the time that the rule declares."""
    speed = number((line or {}).get("samples_per_second"))
    runtime = job.declared("runtime") if job else None
    if line is None or not runtime or "steps" not in line:
        return Row("Throughput", _shown(speed, "/s"), "none", None)
    needed = line["samples"] / line["step"] * line["steps"] / (60 * runtime)
    target = f"≥{needed:.3g}/s (ends within {runtime:g} min)"
    return Row("Throughput", _shown(speed, "/s"), target, _least(speed, needed))


def _ticks_row(stage: Stage, measured: Mapping[str, Any] | None) -> Row:
    """Ticks of a thought: the stage's, unless memory ran out and the trainer took fewer."""
    wanted = number(stage.settings.get("ticks"))
    fewer = next((event["ticks"] for event in reversed(stage.events) if event.get("ticks")), None)
    seen = len(measured["accuracy_by_tick"]) if measured and measured.get("accuracy_by_tick") else None
    ticks = fewer or wanted or seen
    return Row(
        "Iterations/sample",
        MISSING if ticks is None else f"{ticks:g}",
        MISSING if wanted is None else f"{wanted:g}",
        _least(ticks, wanted),
    )


def _neurons(figures: Any) -> str:
    if not isinstance(figures, Mapping):
        return MISSING
    parts = [f"{name} {figures[name]:.2f}" for name in ("mean", "std") if name in figures]
    shares = {"near_zero": "near zero", "large": "large", "still": "still"}
    parts += [f"{100 * figures[name]:.1f}% {words}" for name, words in shares.items() if name in figures]
    return ", ".join(parts)


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return MISSING
    return f"{value:.0f}{unit}" if unit == "%" or value >= 100 else f"{value:.3g}{unit}"


def _plain(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3g}"


def _least(value: float | None, target: float | None) -> bool | None:
    return None if value is None or target is None else value >= target


def _most(value: float | None, target: float | None) -> bool | None:
    return None if value is None or not target else value <= target
