"""Exports the CTM to ONNX with torch's dynamo exporter: float32, any batch size, any number of cells.

The example batch has two samples of different length, because sizes of 0 and 1 are special to the exporter;
weights lie inside the file, and so does what the model is (`metadata`), since a file travels without its bundle.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import onnx
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass

from ctm import __version__
from ctm.bundle_names import OUTPUTS
from ctm.export.graph import ExportedCTM
from ctm.files import replacing
from ctm.grid.layout import COLS, ROWS
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.model.weights import load_ctm

log = logging.getLogger(__name__)
OPSET = 20
TITLE, LICENSE = "ctm-code-repair", "Apache-2.0"


def export(weights: Path, tokenizer: Path, lineage: str, out: Path) -> None:
    """Write the model of a checkpoint as `out` (ctm.onnx), in one rename.

    tokenizer: the one that it was trained with. lineage: of the rule (ctm.pipeline.lineage). Raises ValueError where
    tokenizer and model do not belong together, onnx.checker.ValidationError for a graph that is no valid ONNX.
    """
    model, codec = load_ctm(weights), CodeTokenizer.load(tokenizer)
    if codec.vocab_size != model.config.vocabulary:
        raise ValueError(
            f"{tokenizer} has {codec.vocab_size} tokens, but the model in {weights} was trained with "
            f"{model.config.vocabulary}; they are not from the same run"
        )
    export_model(model, metadata(model, codec, lineage), out)


def metadata(model: CTM, codec: CodeTokenizer, lineage: str) -> dict[str, str]:
    """The facts of the model card that need no measurement, as the file's metadata_props."""
    parameters = model.parameter_counts()
    return {
        "title": TITLE,
        "version": __version__,
        "lineage": lineage,
        "license": LICENSE,
        "tokenizer_fingerprint": codec.fingerprint,
        "vocabulary": str(codec.vocab_size),
        "opset": str(OPSET),
        "ticks": str(model.config.ticks),
        "parameters_body": str(parameters["body"]),
        "parameters_embedding": str(parameters["embedding"]),
    }


def export_model(model: CTM, facts: dict[str, str], out: Path) -> None:
    """Write `model` as `out`, with `facts` as metadata_props; inputs and outputs as in `ExportedCTM.forward`."""
    batch, cells = torch.export.Dim("batch"), torch.export.Dim("cells", max=ROWS * COLS + 1)
    dynamic = {
        **{name: {0: batch, 1: cells} for name in ("tokens", "rows", "cols")},
        **{name: {0: batch} for name in ("lengths", "diagnosis")},
        "threshold": {},
        "max_ticks": {},
    }
    example = example_inputs()
    for chatty in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of axis names, of deprecations inside torch
        program = torch.onnx.export(
            ExportedCTM(model).eval(),
            (),
            kwargs=example,
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            input_names=list(example),
            output_names=list(OUTPUTS),
            verbose=False,
        )
    assert program is not None
    # the exporter notes stack traces at every node: an eighth of the file, and the paths of this machine
    ClearMetadataAndDocStringPass()(program.model)
    program.model.metadata_props.update(facts)
    program.model.producer_name, program.model.producer_version = TITLE, __version__
    with replacing(out) as temporary:
        program.save(str(temporary), external_data=False)
        onnx.checker.check_model(str(temporary), full_check=True)
    log.info("%s: %.1f MB, opset %d", out, out.stat().st_size / 1e6, OPSET)


def example_inputs() -> dict[str, torch.Tensor]:
    """Two samples of 24 and 17 cells; their values do not matter, only their shapes and types."""
    tokens = torch.full((2, 24), 5)
    return {
        "tokens": tokens,
        "rows": torch.zeros_like(tokens),
        "cols": torch.zeros_like(tokens),
        "lengths": torch.tensor([24, 17]),
        "diagnosis": torch.tensor([[3, 1], [-1, 0]]),
        "threshold": torch.tensor(0.5),
        "max_ticks": torch.tensor(4),
    }
