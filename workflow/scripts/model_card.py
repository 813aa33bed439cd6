"""Rule model_card: what the bundled model is, what it reaches, and which milestones of its training were missed."""

import json

from ctm.pipeline.model_card import write_card
from options import File, Files, Text, start


def main(
    stages: Files, config: File, metrics: File, check: File, counts: File, targets: Text, out: File
) -> None:
    write_card(config, metrics, stages, counts, check, json.loads(targets), out)


if __name__ == "__main__":
    start(main)
