"""The final bundle: the folder that holds everything `ctm-repair` needs.

Every way in which it can be incomplete or mismatched is one BundleError with the path and what would be right.
The graph's checksum and the tokenizer's fingerprint stand in the config and are compared, so parts of two runs are
told apart even where their sizes agree; `SHA256SUMS`, where there is one, holds config and tokenizer byte by byte. That
protects from mistakes, not from whoever wrote all of them (SECURITY.md).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ctm.bundle_names import CONFIG, MODEL, TOKENIZER
from ctm.repair.confidence import ConfidenceCurve

if (
    TYPE_CHECKING
):  # what loading takes is imported by it: `fix` looks for a bundle before it knows whether it needs one
    from ctm.grid.tokenizer import CodeTokenizer
    from ctm.repair.bundle_config import BundleConfig
    from ctm.repair.candidates import Proposer
    from ctm.repair.odds import StrengthCurve
    from ctm.repair.passes import Repairer
    from ctm.repair.search import RepairSearchSettings

BUILT = Path("results/final")
"""Where the workflow leaves a bundle."""
VARIABLE = "CTM_BUNDLE"
PRETRAINED = Path(__file__).parents[1] / "pretrained"
"""The bundle that comes with the package; a checkout has one too, an editable installation uses it."""

MODEL_BYTES, TOKENIZER_BYTES = 1 << 30, 1 << 24
"""Largest files that are read: the full scale's have 77 MB and 0.3 MB."""
MAX_TICKS = 1024
"""Of a thought; the full scale has 64."""
MAX_VOCABULARY = 1 << 18
NEVER = 2.0
"""The tick threshold of models that never end a thought early."""
MAX_ODDS = 100.0
MAX_STRENGTH = 3.0
"""An edit's strength is its probability times (cells / 100) ** 0.25: at most 2.4 in a grid of 64 x 48."""


class BundleError(ValueError):
    """The bundle cannot be used; the message names the path and the reason."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a bundle that ships is called; models are numbered apart from the code (MODELS.md)."""

    name: str
    version: str
    cutoff: str
    """Day of the youngest data that it learned from, as 2026-11-28."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


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
    odds: StrengthCurve | None = None
    """How probable suggestions are; None where the bundle does not say."""
    confidence: ConfidenceCurve = ConfidenceCurve()
    """Makes a probability of the share that a repair of broken code has."""
    release: Release | None = None
    """None for a bundle of one's own."""
    unchecked: tuple[str, ...] = ()
    """Files that could not be compared with a checksum: bundles built before there was one are taken all the same."""

    def repairer(self, search: RepairSearchSettings | None = None) -> Repairer:
        """A new Repairer with the bundle's thresholds."""
        from ctm.repair.passes import Repairer

        return Repairer(
            self.proposer,
            self.tokenizer,
            self.threshold,
            further=self.further,
            search=search,
            confidence=self.confidence,
        )

    def with_threshold(self, threshold: float) -> Bundle:
        """The same bundle, more or less careful with code that compiles."""
        return replace(self, threshold=threshold)


def find_bundle(given: Path | None = None) -> Path:
    """`given`, or else $CTM_BUNDLE, or else the one that comes with the package. Raises BundleError without any.

    A bundle in the working folder is never taken unasked: a repository that was cloned could bring one.
    """
    if given is not None:
        return given
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if (PRETRAINED / MODEL).is_file():
        return PRETRAINED
    message = f"no bundle: name one with --bundle DIR or {VARIABLE}=DIR"
    if (BUILT / MODEL).is_file():
        raise BundleError(
            f"{message}. {BUILT} exists; use it with --bundle {BUILT} (it is not used by itself, since a cloned "
            "repository could bring one)"
        )
    raise BundleError(f"{message}, or build one (make demo)")


def check_bundle(path: Path) -> None:
    """Whether a folder can be a bundle, by what its files are: none is read. Raises BundleError."""
    try:
        if not path.is_dir():
            raise BundleError(f"{path}: no such bundle (a folder with {MODEL}, {TOKENIZER} and {CONFIG})")
        for name, limit in ((MODEL, MODEL_BYTES), (TOKENIZER, TOKENIZER_BYTES), (CONFIG, None)):
            if not (path / name).is_file():
                raise BundleError(f"{path}: the bundle has no {name}; build it again or name another")
            if not os.access(path / name, os.R_OK):
                raise BundleError(f"{path / name}: permission denied")
            if limit is not None and (path / name).stat().st_size > limit:
                raise BundleError(
                    f"{path / name}: more than the {limit:,} bytes that this file of a bundle may have; "
                    "is it the right file?"
                )
    except OSError as error:
        raise BundleError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def load_bundle(path: Path, threads: int = 1) -> Bundle:
    """Read a bundle; `threads` for onnxruntime. Raises BundleError."""
    check_bundle(path)
    try:
        return _load(path, threads)
    except ValueError as error:  # ConfigError too
        raise BundleError(str(error)) from error
    except OSError as error:
        raise BundleError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def _load(path: Path, threads: int) -> Bundle:
    from ctm.files import SUMS, is_as_summed, sha256_of
    from ctm.grid.tokenizer import CodeTokenizer
    from ctm.repair.bundle_config import BundleConfig
    from ctm.repair.onnx_proposer import OnnxProposer

    for name in (CONFIG, TOKENIZER):
        if not is_as_summed(path / name):
            raise BundleError(
                f"{path / name}: damaged (its checksum is not that of {SUMS}); copy or build the bundle again. Where "
                f"it was changed on purpose, delete {path / SUMS}"
            )
    config = BundleConfig(
        path / CONFIG
    )  # with the graph's checksum, and the fingerprint of what the tokenizer does
    tick = config.number("thresholds", "tick", low=0.0, high=NEVER)
    edit = config.number("thresholds", "edit", low=0.0, high=MAX_STRENGTH)
    further = config.number("thresholds", "further", low=0.0, high=1.0, default=0.0)
    ticks = config.whole("model", "ticks", low=1, high=MAX_TICKS)
    vocabulary = config.whole("model", "vocabulary", low=1, high=MAX_VOCABULARY)
    tokenizer = CodeTokenizer.load(path / TOKENIZER)
    if vocabulary != tokenizer.vocab_size:
        raise BundleError(
            f"{path}: {TOKENIZER} has {tokenizer.vocab_size} tokens and the model {vocabulary}; "
            "they are not from the same run"
        )
    fingerprint, checksum = config.text("tokenizer", "fingerprint"), config.text("model_sha256")
    if fingerprint is not None and fingerprint != tokenizer.fingerprint:
        raise _differs(path, TOKENIZER)
    if checksum is not None and checksum != sha256_of(path / MODEL):
        raise _differs(path, MODEL)
    unchecked = tuple(name for name, said in ((TOKENIZER, fingerprint), (MODEL, checksum)) if said is None)
    is_prepared = config.section("is_prepared") is True
    proposer = OnnxProposer(path / MODEL, tick, ticks, threads, is_prepared=is_prepared)
    odds, confidence = _odds(config), _confidence(config)
    return Bundle(path, tokenizer, proposer, edit, further, odds, confidence, _release(config), unchecked)


def read_release(path: Path) -> Release | None:
    """The release of the bundle in a folder, without loading it. Raises BundleError."""
    from ctm.repair.bundle_config import BundleConfig, BundleConfigError

    try:
        return _release(BundleConfig(path / CONFIG))
    except BundleConfigError as error:
        raise BundleError(str(error)) from error


def _release(config: BundleConfig) -> Release | None:
    if config.section("release") is None:
        return None
    return Release(*(config.text("release", key) or "" for key in ("name", "version", "cutoff")))


def _odds(config: BundleConfig) -> StrengthCurve | None:
    """None where the bundle has none: it is from before there were any, or there was no working code."""
    from ctm.repair.odds import read_odds

    content = config.section("suggestions")
    if content is None:
        return None
    try:
        return read_odds(content)
    except ValueError as error:
        raise BundleError(f"{config.path}: suggestions: {error}") from error


def _confidence(config: BundleConfig) -> ConfidenceCurve:
    """The share itself where the bundle has no curve."""
    if config.section("confidence") is None:
        return ConfidenceCurve()
    intercept = config.number("confidence", "intercept", low=-MAX_ODDS, high=MAX_ODDS)
    slope = config.number("confidence", "slope", low=0.0, high=MAX_ODDS)
    real = config.number("confidence", "real_intercept", low=-MAX_ODDS, high=MAX_ODDS, default=0.0)
    real_slope = config.number("confidence", "real_slope", low=0.0, high=MAX_ODDS, default=1.0)
    knowable = config.number("confidence", "knowable", low=0.0, high=1.0, default=1.0)
    return ConfidenceCurve(intercept, slope, real, real_slope, knowable)


def _differs(path: Path, name: str) -> BundleError:
    return BundleError(
        f"{path}: {name} is not the one that {CONFIG} was written with (its checksum differs): damaged, or from "
        "another run; copy or build the bundle again"
    )
