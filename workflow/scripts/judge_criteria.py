"""Rule judge_criteria: every criterion and expected figure of the specification beside what the run found."""

from ctm.analysis.verdict.judge import judge_criteria
from options import File, Files, start


def main(artifacts: Files, root: File, out: File, page: File) -> None:
    judge_criteria(artifacts, root, out, page)


if __name__ == "__main__":
    start(main)
