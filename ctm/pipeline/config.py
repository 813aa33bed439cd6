"""The workflow's configuration, read and checked before anything is planned, and handed on to the programs as JSON.

Its keys are in `sections.py`. What is wrong is refused in the words of `config_errors.py`.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ctm.pipeline.config_errors import (
    ConfigError,
    mistaken_truths,
    unknown_keys,
    value_at,
    without_retired_keys,
    wrong_values,
)
from ctm.pipeline.demand import demands
from ctm.pipeline.given import Given
from ctm.pipeline.sections import Config, Training
from ctm.pipeline.steps import table
from ctm.pipeline.targets import Targets
from ctm.strict_yaml import EXPONENT, Place
from ctm.training.settings import StageRun, stage_of_any, stage_of_ctm, training_of_any

_ADAPTER: TypeAdapter[Config] = TypeAdapter(Config)


def parse_config(values: Mapping[str, Any], given: Given | None = None) -> Config:
    """The checked configuration of merged `values`.

    given: what they were merged from, to say where a bad value stands. A value of null stands for the default. Raises
    ConfigError.
    """
    given = given or Given()
    _check_nulls(values, given)
    values = without_retired_keys(_plain(values), given.where)
    try:
        config = _ADAPTER.validate_python(values)
    except ValidationError as error:
        raise ConfigError("\n".join(wrong_values(error, values, given.where))) from None
    known = plain(config)
    if wrong := [
        *unknown_keys(values, known, given.where),
        *mistaken_truths(values, known, given.where),
    ]:
        raise ConfigError("\n".join(wrong))
    whole = {name: step.demand for name, step in table(config).items()}
    resources = demands(whole, config.resources, values.get("resources", {}))
    return dataclasses.replace(config, resources=resources)


def read_config(files: Sequence[Path]) -> Config:
    """The checked configuration of YAML files, the later ones laid over the earlier ones (as Snakemake does)."""
    given = Given(files)
    return parse_config(merged(given), given)


def merged(given: Given) -> dict[str, Any]:
    """The values of files laid over each other."""
    values: dict[str, Any] = {}
    for document in given.documents:
        overlay(values, document.values)
    return values


def overlay(base: dict[str, Any], top: Mapping[str, Any]) -> None:
    """Lay `top` over `base`, in place: mappings are merged, everything else is replaced."""
    for key, value in top.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            overlay(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def section(config: Config, path: str) -> Any:
    """The plain value (dicts, lists, scalars) of a dotted path, such as "training.stages.stage1".

    "training.*" is a mapping less what other steps depend on (`order`, `stages`; of a stage `milestones`).
    """
    return section_of(plain(config), path)


def section_of(values: Mapping[str, Any], path: str) -> Any:
    """`section` of values that `plain` made."""
    value: Any = values
    *parents, last = path.split(".")
    for name in parents:
        value = value[name]
    if last == "*":
        return {key: item for key, item in value.items() if key not in ("order", "stages", "milestones")}
    return value[last]


def settings_json(config: Config, path: str) -> str:
    """A step's settings as JSON that its program reads: the section, less what only the workflow uses."""
    value: Any = config
    for name in path.split("."):
        value = value[name] if isinstance(value, Mapping) else getattr(value, name)
    kind = type(value)
    own = (
        kind.__mro__[1]
        if kind.__module__ == Config.__module__ and dataclasses.is_dataclass(kind.__mro__[1])
        else kind
    )
    names = {f.name for f in dataclasses.fields(own)}
    plain = TypeAdapter(kind).dump_python(value, mode="json")
    return json.dumps({k: v for k, v in plain.items() if k in names}, sort_keys=True)


def from_checkout(config: Config, root: Path) -> Config:
    """The configuration with the paths of its sections made absolute, as programs run in another folder.

    Only what travels within a section: files that a step names are made so by its rule. Not for lineage, which does not
    depend on where the checkout `root` lies.
    """
    installed = config.sources.installed
    paths = tuple(str(root / path) for path in installed.paths)
    sources = dataclasses.replace(config.sources, installed=dataclasses.replace(installed, paths=paths))
    return dataclasses.replace(config, sources=sources)


def stage_json(config: Config, stage: str) -> str:
    """Everything that the trainer of one stage needs (StageRun), as JSON."""
    return _run_json(
        stage_of_ctm(stage, config.training.stages[stage], config.training, section(config, "model"))
    )


def trm_json(config: Config) -> str:
    """Everything that the trainer of the baseline needs (StageRun), as JSON."""
    training = dataclasses.replace(training_of_any(config.training), ema=config.trm.ema)
    sizes = {**section(config, "trm.model"), "architecture": "trm"}
    return _run_json(StageRun("trm", stage_of_any(config.trm.stage), training, sizes))


def targets_of(config: Config) -> dict[str, Targets]:
    """What the milestones of each stage of the curriculum ask for, by stage, in their order."""
    return {stage: section(config, f"training.stages.{stage}.milestones") for stage in config.training.order}


def _run_json(run: StageRun) -> str:
    return json.dumps(TypeAdapter(StageRun).dump_python(run, mode="json"), sort_keys=True)


def model_json(config: Config) -> str:
    """Sizes of the model as the last stage leaves it, as JSON."""
    last = config.training.stages[config.training.order[-1]]
    return json.dumps(
        {**section(config, "model"), "ticks": last.ticks, "memory": last.memory}, sort_keys=True
    )


def plain(config: Config) -> dict[str, Any]:
    """A configuration as dicts, lists and scalars."""
    values: dict[str, Any] = _ADAPTER.dump_python(config, mode="json")
    return values


def _check_nulls(values: Mapping[str, Any], given: Given) -> None:
    """Refuse a section that is null: a key with nothing below it would take away all that is said in other files."""
    if empty := next(_null_sections(values, Config, ()), None):
        raise ConfigError(
            f"{given.where(empty)}: {'.'.join(empty)} has nothing below it (null), which would take away all that the "
            "files below say of it; delete the line, or write what it should have"
        )
    order = value_at(values, ("training", "order")) or Training.order
    stages = value_at(values, ("training", "stages"))
    for name in order if isinstance(order, (list, tuple)) and isinstance(stages, Mapping) else ():
        if name in stages and stages[name] is None:
            raise ConfigError(
                f"{given.where(('training', 'stages', name))}: training.stages.{name} is null, but training.order "
                "names it; write its settings, or take it out of training.order"
            )


def _null_sections(values: Any, kind: type, place: Place) -> Iterator[Place]:
    """Places of sections (dataclasses) whose value is null."""
    for name, inner in typing.get_type_hints(kind).items() if isinstance(values, Mapping) else ():
        if name in values and dataclasses.is_dataclass(inner) and isinstance(inner, type):
            if values[name] is None:
                yield (*place, name)
            yield from _null_sections(values[name], inner, (*place, name))


def _plain(values: Any) -> Any:
    """Values as they are meant, whoever read the YAML: a day is text, 1e-3 is a number, and null is as good as absent:
    an overlay takes a mapping of the file below away with it."""
    if isinstance(values, Mapping):
        return {key: _plain(value) for key, value in values.items() if value is not None}
    if isinstance(values, (list, tuple)):
        return [_plain(value) for value in values]
    if isinstance(values, datetime.date) and not isinstance(values, datetime.datetime):
        return values.isoformat()
    if isinstance(values, str) and EXPONENT.fullmatch(values):
        return float(values)
    return values
