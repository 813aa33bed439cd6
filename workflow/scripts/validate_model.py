"""Rule validate_model: shapes, gradients and probabilities of an untrained model; fails if one is wrong."""

import json

from ctm.evaluation.validate import validate
from options import File, Number, Text, start


def main(manifest: File, tokenizer: File, model: Text, threads: Number, out: File) -> None:
    validate(manifest, tokenizer, json.loads(model), threads, out)


if __name__ == "__main__":
    start(main)
