"""Rule check_onnx: the ONNX graph answers as torch does."""

from ctm.export.check import check_onnx
from ctm.export.settings import ExportSettings
from options import File, Number, Text, given, start


def main(
    onnx: File, weights: File, tokenizer: File, pairs: File, settings: Text, threads: Number, out: File
) -> None:
    check_onnx(onnx, weights, tokenizer, pairs, given(ExportSettings, settings), threads, out)


if __name__ == "__main__":
    start(main)
