"""Rule bundle: the folder that `ctm-repair` needs, with weights for torch and figures."""

from ctm.export.bundle import write_bundle
from options import File, Files, start


def main(
    stages: Files,
    onnx: File,
    weights: File,
    tokenizer: File,
    benchmark: File,
    out: File,
) -> None:
    write_bundle(onnx, weights, tokenizer, benchmark, stages, out)


if __name__ == "__main__":
    start(main)
