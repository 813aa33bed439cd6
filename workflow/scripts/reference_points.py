"""Rule reference_points: what is reached without a model on the frozen test sets, and by one tick, and by the TRM."""

from ctm.evaluation.references import reference_points
from ctm.evaluation.settings import ReferenceSettings
from options import File, Number, Text, given, start


def main(
    train: File,
    test: File,
    real: File,
    answers: File,
    compared: File,
    settings: Text,
    threads: Number,
    out: File,
    learned: File,
) -> None:
    chosen = given(ReferenceSettings, settings)
    reference_points(train, test, real, answers, compared, chosen, threads, out, learned)


if __name__ == "__main__":
    start(main)
