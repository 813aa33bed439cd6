"""Rule report: one self-contained page from the artifacts of all phases."""

import json

from ctm.pipeline.report import write_report
from options import File, Files, Text, start


def main(artifacts: Files, targets: Text, out: File) -> None:
    write_report(artifacts, json.loads(targets), out)


if __name__ == "__main__":
    start(main)
