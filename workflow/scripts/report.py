"""Rule report: one self-contained page from the artefacts of all phases."""

from ctm.pipeline.report import write_report
from options import File, Files, start


def main(artefacts: Files, out: File) -> None:
    write_report(artefacts, out)


if __name__ == "__main__":
    start(main)
