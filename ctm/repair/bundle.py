"""The final bundle: the folder that holds everything `ctm-repair` needs.

Every way in which it can be incomplete or mismatched is one BundleError with the path and what would be right.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ctm.grid.tokenizer import CodeTokenizer
from ctm.repair.candidates import Proposer
from ctm.repair.odds import Odds, read_odds
from ctm.repair.onnx_proposer import OnnxProposer
from ctm.repair.passes import Repairer
from ctm.repair.search import SearchSettings

MODEL, TOKENIZER, CONFIG = "ctm.onnx", "tokenizer.json", "final_config.yaml"
DEFAULT = Path("results/final")
VARIABLE = "CTM_BUNDLE"


class BundleError(ValueError):
    """The bundle cannot be used; the message names the path and the reason."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A loaded model, ready to repair."""

    path: Path
    tokenizer: CodeTokenizer
    proposer: Proposer
    threshold: float
    """That the strength (ctm.repair.passes) of an edit of code that compiles must exceed."""
    further: float = 0.0
    """Probability that it must exceed too where an edit was made before; 0 in bundles from before there was one."""
    odds: Odds | None = None
    """How probable suggestions are; None where the bundle does not say."""

    def repairer(self, search: SearchSettings | None = None) -> Repairer:
        """A new Repairer with the bundle's thresholds."""
        return Repairer(self.proposer, self.tokenizer, self.threshold, further=self.further, search=search)

    def with_threshold(self, threshold: float) -> Bundle:
        """The same bundle, more or less careful with code that compiles."""
        return replace(self, threshold=threshold)


def find_bundle(given: Path | None = None) -> Path:
    """`given`, or else ./results/final where it is one, or else $CTM_BUNDLE. Raises BundleError where none is named."""
    if given is not None:
        return given
    if (DEFAULT / MODEL).is_file():
        return DEFAULT
    if named := os.environ.get(VARIABLE):
        return Path(named)
    raise BundleError(f"no bundle: name one with --bundle DIR or {VARIABLE}=DIR, or build one (make demo)")


def load_bundle(path: Path, threads: int = 1) -> Bundle:
    """Read a bundle; `threads` for onnxruntime. Raises BundleError."""
    if not path.is_dir():
        raise BundleError(f"{path}: no such bundle (a folder with {MODEL}, {TOKENIZER} and {CONFIG})")
    for name in (MODEL, TOKENIZER, CONFIG):
        if not (path / name).is_file():
            raise BundleError(f"{path}: the bundle has no {name}; build it again or name another")
    config = _read_config(path / CONFIG)
    tick = _number(config, ("thresholds", "tick"), path)
    edit = _number(config, ("thresholds", "edit"), path)
    has_further = "further" in config["thresholds"]
    further = _number(config, ("thresholds", "further"), path) if has_further else 0.0
    ticks = int(_number(config, ("model", "ticks"), path))
    try:
        tokenizer = CodeTokenizer.load(path / TOKENIZER)
        proposer = OnnxProposer(path / MODEL, tick, ticks, threads)
    except (ValueError, OSError) as error:
        raise BundleError(str(error)) from error
    vocabulary = int(_number(config, ("model", "vocabulary"), path))
    if vocabulary != tokenizer.vocabulary:
        raise BundleError(
            f"{path}: {TOKENIZER} has {tokenizer.vocabulary} tokens and the model {vocabulary}; "
            "they are not from the same run"
        )
    return Bundle(path, tokenizer, proposer, edit, further, _odds(config, path))


def _odds(config: dict[str, Any], path: Path) -> Odds | None:
    """None where the bundle has none: it is from before there were any, or there was no working code."""
    if config.get("suggestions") is None:
        return None
    try:
        return read_odds(config["suggestions"])
    except ValueError as error:
        raise BundleError(f"{path / CONFIG}: suggestions: {error}") from error


def _read_config(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise BundleError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from error
    if not isinstance(content, dict):
        raise BundleError(f"{path}: not a mapping of sections")
    return content


def _number(config: dict[str, Any], keys: tuple[str, ...], path: Path) -> float:
    value: Any = config
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BundleError(f"{path / CONFIG}: {'.'.join(keys)} must be a number, not {value!r}")
    return float(value)
