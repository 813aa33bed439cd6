"""Rule export_onnx: a checkpoint as an ONNX graph."""

from ctm.export.onnx import export
from options import File, Text, start


def main(weights: File, tokenizer: File, lineage: Text, out: File) -> None:
    export(weights, tokenizer, lineage, out)


if __name__ == "__main__":
    start(main)
