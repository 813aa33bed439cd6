"""Rule export_onnx: a checkpoint as an ONNX graph."""

from ctm.export.onnx import export
from options import File, start


def main(weights: File, out: File) -> None:
    export(weights, out)


if __name__ == "__main__":
    start(main)
