"""The workflow's configuration, read and checked before anything is planned, and handed on to the programs as JSON.

Its keys are in `sections.py`. What is wrong is refused in the words of `config_errors.py`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from ctm.pipeline.config_errors import ConfigError, unknown_keys, without_retired_keys, wrong_values
from ctm.pipeline.demand import demands
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import table
from ctm.training.settings import StageRun, stage_of_ctm, training_of_any

_ADAPTER: TypeAdapter[Config] = TypeAdapter(Config)


def parse_config(values: Mapping[str, Any], files: Sequence[Path] = ()) -> Config:
    """The checked configuration of merged `values`.

    `files` are the files they came from, in order; they are read again only to say where a bad value stands. A value
    of null stands for the default. Raises ConfigError.
    """
    values = without_retired_keys(_without_nulls(values), files)
    try:
        config = _ADAPTER.validate_python(values)
    except ValidationError as error:
        raise ConfigError("\n".join(wrong_values(error, values, files))) from None
    if unknown := unknown_keys(values, _dump(config), files):
        raise ConfigError("\n".join(unknown))
    whole = {name: step.demand for name, step in table(config).items()}
    given = values.get("resources", {})
    return dataclasses.replace(config, resources=demands(whole, config.resources, given))


def read_config(files: Sequence[Path]) -> Config:
    """The checked configuration of YAML files, the later ones laid over the earlier ones (as Snakemake does)."""
    merged: dict[str, Any] = {}
    for file in files:
        overlay(merged, yaml.safe_load(file.read_text()) or {})
    return parse_config(merged, files)


def overlay(base: dict[str, Any], top: Mapping[str, Any]) -> None:
    """Lay `top` over `base`, in place: mappings are merged, everything else is replaced."""
    for key, value in top.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            overlay(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def section(config: Config, path: str) -> Any:
    """The plain value (dicts, lists, scalars) of a dotted path, such as "training.stages.stage1".

    "training.*" is a mapping less the sections that have steps of their own (`order`, `stages`).
    """
    value: Any = _dump(config)
    *parents, last = path.split(".")
    for name in parents:
        value = value[name]
    if last == "*":
        return {key: item for key, item in value.items() if key not in ("order", "stages")}
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
    return _run_json(StageRun("trm", config.trm.stage, training, sizes))


def _run_json(run: StageRun) -> str:
    return json.dumps(TypeAdapter(StageRun).dump_python(run, mode="json"), sort_keys=True)


def model_json(config: Config) -> str:
    """Sizes of the model as the last stage leaves it, as JSON."""
    last = config.training.stages[config.training.order[-1]]
    return json.dumps(
        {**section(config, "model"), "ticks": last.ticks, "memory": last.memory}, sort_keys=True
    )


def _dump(config: Config) -> dict[str, Any]:
    plain: dict[str, Any] = _ADAPTER.dump_python(config, mode="json")
    return plain


def _without_nulls(values: Any) -> Any:
    """A key with the value null is as good as absent: an overlay takes a mapping of the file below away with it."""
    if not isinstance(values, Mapping):
        return values
    return {key: _without_nulls(value) for key, value in values.items() if value is not None}
