"""Rule baseline: accuracy, time and memory of an untrained model."""

import json

from ctm.evaluation.baseline import baseline
from options import File, Number, Text, start


def main(manifest: File, tokenizer: File, model: Text, threads: Number, out: File) -> None:
    baseline(manifest, tokenizer, json.loads(model), threads, out)


if __name__ == "__main__":
    start(main)
