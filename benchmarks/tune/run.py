"""Searches the demo's hyper-parameters: optimizer, rate, batch, sizes of the model, at equal training time.

    make tune                                          an hour, on the data of `make demo`
    .venv/bin/python benchmarks/tune/run.py --hours 3 --seconds 240

A trial trains the demo's four stages on its training split, for the same number of processor seconds: it first measures
its own speed, and takes as many samples as fit. Its value is the accuracy of first edits on the validation split
(`overall`: the mean over syntax, logic, security and complex), which the frozen test sets never enter. The demo's own
settings are the first trial, each of them changed alone the next; Optuna's TPE proposes the others. The study is a
journal, so a search that was stopped goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import time
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.weights import load_model
from ctm.pipeline.config import Config, read_config
from ctm.training.data import load_split
from ctm.training.settings import StageRun, stage_of_ctm
from ctm.training.stage import train_stage
from ctm.training.validation_accuracy import measure_accuracy

CHECKOUT = Path(__file__).parents[2]
RUNS = CHECKOUT / "runs" / "tune"
CONFIG = [CHECKOUT / "config" / name for name in ("config.yaml", "demo.yaml")]
PILOT_STEPS = 6
ITEMS = 2500
"""Validation items of a trial's value; 500 a category where there are as many."""
SHARED = ("optimizer", "muon_factor", "weight_decay", "later_ticks")
NEIGHBORS: tuple[dict[str, Any], ...] = (
    {"blocks": 2}, {"width": 256}, {"rate_factor": 1.5}, {"batch": 64}, {"neurons": 384}, {"later_ticks": 0.25},
    {"rate_factor": 0.7}, {"width": 128}, {"blocks": 4}, {"muon_factor": 4.0}, {"batch": 32}, {"nlm_hidden": 32},
    {"weight_decay": 0.06}, {"synapse_depth": 2},
)  # fmt: skip
"""Changes of the demo's settings, each tried alone before the sampler begins: a few trials say more this way."""
SIZES = ("width", "blocks", "neurons", "nlm_hidden", "synapse_depth")


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """The space."""
    return {
        "optimizer": trial.suggest_categorical("optimizer", ["adamw", "muon"]),
        "muon_factor": trial.suggest_float("muon_factor", 0.5, 5.0, log=True),
        "rate_factor": trial.suggest_float("rate_factor", 0.4, 3.0, log=True),
        "batch": trial.suggest_categorical("batch", [24, 32, 48, 64]),
        "weight_decay": trial.suggest_float("weight_decay", 0.005, 0.2, log=True),
        "later_ticks": trial.suggest_float("later_ticks", 0.25, 1.0, step=0.25),
        "width": trial.suggest_categorical("width", [128, 192, 256]),
        "blocks": trial.suggest_int("blocks", 1, 4),
        "neurons": trial.suggest_categorical("neurons", [192, 256, 384]),
        "nlm_hidden": trial.suggest_categorical("nlm_hidden", [8, 16, 32]),
        "synapse_depth": trial.suggest_categorical("synapse_depth", [2, 4]),
    }


def own_settings(config: Config) -> dict[str, Any]:
    """The config's own values of the space."""
    stage = config.training.stages[config.training.order[0]]
    shared = {name: getattr(config.training, name) for name in SHARED}
    sizes = {name: getattr(config.model, name) for name in SIZES}
    return {**shared, **sizes, "rate_factor": 1.0, "batch": stage.batch}


def stage_runs(config: Config, chosen: dict[str, Any], scale: float) -> list[StageRun]:
    """The stages with a trial's settings and `scale` times the samples."""
    training = dataclasses.replace(
        config.training,
        validation_items=40, checkpoint_steps=10**9,
        **{name: chosen[name] for name in SHARED},
    )  # fmt: skip
    model = {**dataclasses.asdict(config.model), **{name: chosen[name] for name in SIZES}}
    for name in ("ticks", "memory", "vocabulary", "diagnoses"):
        model.pop(name, None)
    model["heads"] = model["width"] // 32  # all widths of the space are multiples of 32
    runs = []
    for name in config.training.order:
        stage = config.training.stages[name]
        stage = dataclasses.replace(
            stage, batch=chosen["batch"], learning_rate=stage.learning_rate * chosen["rate_factor"],
            samples=max(chosen["batch"], round(stage.samples * scale)),
        )  # fmt: skip
        runs.append(stage_of_ctm(name, stage, training, model))
    return runs


def train(runs: list[StageRun], results: Path, folder: Path, threads: int) -> tuple[Path, float, int]:
    """Weights of the last stage, processor seconds of all stages, and samples seen.

    Processor seconds, because what else the machine does must not decide which settings are better.
    """
    before, samples, began = None, 0, time.process_time()
    for run in runs:
        out = folder / f"{run.name}.safetensors"
        summary = folder / f"{run.name}.json"
        train_stage(
            run, results / "grids/train/manifest.json", results / "grids/validation/manifest.json",
            results / "tokenizer/tokenizer.json", before, folder / "work", out, folder / f"{run.name}.jsonl",
            summary, threads,
        )  # fmt: skip
        samples += json.loads(summary.read_text(encoding="utf-8"))["samples_seen"]
        before = out
    assert before is not None
    return before, time.process_time() - began, samples


def affordable(
    config: Config, chosen: dict[str, Any], results: Path, folder: Path, seconds: float, threads: int
) -> float:
    """How many times the stages' samples fit `seconds`, by two short trainings: one has twice the other's steps."""
    scale = PILOT_STEPS * chosen["batch"] / min(s.samples for s in config.training.stages.values())
    spent = [train(stage_runs(config, chosen, n * scale), results, folder, threads)[1] for n in (1, 2)]
    # of `scale`; what a stage costs besides (reading data) is left out
    each = max(spent[1] - spent[0], spent[0] / 10)
    return scale * max(1.0, (seconds - spent[0] + each) / each)


def objective(trial: optuna.Trial, config: Config, results: Path, seconds: float, threads: int) -> float:
    """Train and measure one trial."""
    chosen = suggest(trial)
    folder = RUNS / f"trial-{trial.number}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        weights, spent, samples = train(
            stage_runs(config, chosen, affordable(config, chosen, results, folder / "pilot", seconds, threads)),
            results, folder, threads,
        )  # fmt: skip
        codec = CodeTokenizer.load(results / "tokenizer/tokenizer.json")
        held_out = load_split(results / "grids/validation/manifest.json")
        measured = measure_accuracy(load_model(weights), held_out, codec, ITEMS, config.training.max_cells)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in (("accuracy", measured.accuracy), ("by_tick", measured.by_tick), ("samples", samples),
                        ("seconds", spent)):  # fmt: skip
        trial.set_user_attr(name, value)
    return measured.accuracy["overall"]


def table(trials: list[FrozenTrial]) -> str:
    """Markdown, best first."""
    done = sorted((t for t in trials if t.state == TrialState.COMPLETE), key=lambda t: -(t.value or 0))
    lines = ["| trial | overall | syntax | logic | security | complex | clean | samples | seconds | settings |",
             "|---|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for t in done:
        accuracy = t.user_attrs["accuracy"]
        shares = " | ".join(
            f"{100 * accuracy[n]:.1f} %" if n in accuracy else ""
            for n in ("overall", "syntax", "logic", "security", "complex", "clean")
        )
        settings = ", ".join(
            f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in t.params.items()
        )
        lines.append(
            f"| {t.number} | {shares} | {t.user_attrs['samples']:,} | {t.user_attrs['seconds']:.0f} | {settings} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--results", type=Path, default=CHECKOUT / "runs" / "demo" / "results", help="of a demo"
    )
    parser.add_argument("--hours", type=float, default=1.0, help="no trial begins later")
    parser.add_argument("--seconds", type=float, default=240.0, help="training time of a trial")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE", help="try this next, the rest as in the demo"
    )
    given = parser.parse_args()
    if not (given.results / "grids/train/manifest.json").is_file():
        parser.error(f"{given.results}: no training grids; run `make demo` first, or name its results")
    config = read_config(CONFIG)
    RUNS.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name="demo", direction="maximize", load_if_exists=True,
        storage=JournalStorage(JournalFileBackend(str(RUNS / "study.log"))),
        sampler=optuna.samplers.TPESampler(seed=0, multivariate=True, n_startup_trials=6),
    )  # fmt: skip
    for trial in study.get_trials(states=(TrialState.RUNNING,)):  # a search that was killed
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    own = own_settings(config)
    if given.set:
        wanted = {k: yaml.safe_load(v) for k, v in (pair.split("=", 1) for pair in given.set)}
        if unknown := set(wanted) - set(own):
            parser.error(f"no setting {min(unknown)!r}; there are {', '.join(own)}")
        study.enqueue_trial({**own, **wanted})
    else:
        for change in ({}, *NEIGHBORS):
            study.enqueue_trial({**own, **change}, skip_if_exists=True)
    began = time.monotonic()
    while time.monotonic() - began < 3600 * given.hours:
        study.optimize(
            lambda trial: objective(trial, config, given.results, given.seconds, given.threads), n_trials=1
        )
        (RUNS / "table.md").write_text(table(study.trials), encoding="utf-8")
        if given.set:
            break
    print(table(study.trials), end="")


if __name__ == "__main__":
    main()
