"""Rule report: one self-contained page from the artifacts of all phases."""

from ctm.pipeline.report import write_report
from options import File, Files, start


def main(artifacts: Files, out: File) -> None:
    write_report(artifacts, out)


if __name__ == "__main__":
    start(main)
