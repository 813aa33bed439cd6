"""Makes the bundle that ships with the command: two thirds of the bytes, quick to open, and the same answers.

The graph is prepared once instead of at every start: onnxruntime's basic optimizations (standard operators only), and
weights as float16 with a cast before their first use. It is kept only where it answers nearly all of many test items
as the bundle's own graph does. `python -m ctm.export.shipping BUNDLE PAIRS --name N --version V --cutoff DATE`
(`make ship`) replaces the bundle in `ctm/pretrained/`.
"""

from __future__ import annotations

import argparse
import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from ctm.bundle_names import CARD, CONFIG, MODEL, TOKENIZER, WEIGHTS
from ctm.files import replacing, sha256_of, write_sums, write_text
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.record import read_pairs
from ctm.repair.bundle import PRETRAINED, Release, load_bundle
from ctm.repair.candidates import CodeState, Proposal, Proposer, make_state
from ctm.runtime import ort

log = logging.getLogger(__name__)
SMALLEST = 256
"""Weights of a tensor from which it is worth a cast."""
MAX_BYTES = 20_000_000
"""Of the graph that ships."""
MAX_CHANGED = 0.005
"""Share of the items that may be answered otherwise."""
ITEMS = 2000


class ShippingError(ValueError):
    """The bundle cannot ship; the message says why."""


def ship(bundle: Path, pairs: Path, release: Release, out: Path, items: int = ITEMS) -> tuple[int, int]:
    """Write what ships of a bundle into folder `out`; (items that are answered otherwise, items).

    pairs: the run's test set, whose buggy texts are asked about. Raises ShippingError where the bundle has no card, or
    the prepared graph is too large or answers too many items otherwise, and BundleError where the bundle cannot be
    used; `out` is then as it was.
    """
    original = load_bundle(bundle)
    if not (bundle / CARD).is_file():
        raise ShippingError(
            f"{bundle}: no {CARD}; rule model_card writes it (ctm-pipeline run results/final/{CARD})"
        )
    new = out.with_name(f".{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        prepare(bundle / MODEL, new / MODEL)
        for name in (TOKENIZER, CARD):
            shutil.copyfile(bundle / name, new / name)
        content = yaml.safe_load((bundle / CONFIG).read_text(encoding="utf-8"))
        content = {
            "release": {**asdict(release), "weights_sha256": sha256_of(bundle / WEIGHTS)},
            **content,
            "model_sha256": sha256_of(new / MODEL),
            "is_prepared": True,
        }
        write_text(new / CONFIG, yaml.safe_dump(content, sort_keys=False))
        size = (new / MODEL).stat().st_size
        if size > MAX_BYTES:
            raise ShippingError(f"{bundle / MODEL}: prepared, it has {size:,} bytes, over {MAX_BYTES:,}")
        states = _states(pairs, original.tokenizer, items)
        changed = count_changed(original.proposer, load_bundle(new).proposer, states)
        if changed > MAX_CHANGED * len(states):
            raise ShippingError(
                f"{bundle}: the prepared graph answers {changed} of {len(states)} items otherwise, more than "
                f"{MAX_CHANGED:.1%}; keep the bundle as it is, or train another"
            )
        for path in sorted(new.iterdir()):
            with replacing(out / path.name) as temporary:
                shutil.copyfile(path, temporary)
        write_sums(out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    log.info("%s: %.1f MB; %d of %d items are answered otherwise", out, size / 1e6, changed, len(states))
    return changed, len(states)


def prepare(graph: Path, out: Path) -> None:
    """A graph, optimized by onnxruntime with standard operators and its weights rounded to float16, as `out`."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    options.log_severity_level = 3
    ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    model = onnx.load(out)
    weights = [
        tensor
        for tensor in model.graph.initializer
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= SMALLEST
    ]
    casts = []
    for tensor in weights:
        half = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}_half"
        )
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(half)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    original = onnx.load(graph, load_external_data=False)
    del model.metadata_props[:]
    model.metadata_props.extend(original.metadata_props)
    model.producer_name, model.producer_version = original.producer_name, original.producer_version
    onnx.save(model, str(out))
    onnx.checker.check_model(str(out), full_check=True)


def count_changed(one: Proposer, other: Proposer, states: Sequence[CodeState]) -> int:
    """States whose best candidate (span and units) is not the same from both."""
    return sum(_best(a) != _best(b) for a, b in zip(one.propose(states), other.propose(states), strict=True))


def _best(answer: Proposal) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(best.start, best.end, best.units) for best in answer.candidates[:1]]


def _states(pairs: Path, codec: CodeTokenizer, items: int) -> list[CodeState]:
    """Of buggy texts, drawn alike from all that fit the grid."""
    texts = [pair.buggy for pair in read_pairs(pairs, ("buggy",))]
    states: list[CodeState] = []
    for place in np.random.default_rng(0).permutation(len(texts)):
        if len(states) < items and (state := make_state(texts[place], codec)) is not None:
            states.append(state)
    if not states:
        raise ShippingError(f"{pairs}: no text that fits the grid, so nothing can be compared")
    return states


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Prepare a bundle and put it into the package.")
    parser.add_argument("bundle", type=Path, help="results/final of a run")
    parser.add_argument("pairs", type=Path, help="results/pairs/test.parquet of the same run")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--cutoff", required=True, help="day of the youngest data, as 2026-11-28")
    parser.add_argument("--out", type=Path, default=PRETRAINED)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        ship(given.bundle, given.pairs, Release(given.name, given.version, given.cutoff), given.out)
    except ValueError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
