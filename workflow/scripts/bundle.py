"""Rule bundle: the folder that `ctm-repair` needs, with weights for torch, figures and a card."""

from ctm.export.bundle import write_bundle
from options import File, Files, start


def main(
    stages: Files,
    onnx: File,
    check: File,
    weights: File,
    tokenizer: File,
    benchmark: File,
    counts: File,
    out: File,
) -> None:
    write_bundle(onnx, check, weights, tokenizer, benchmark, counts, stages, out)


if __name__ == "__main__":
    start(main)
