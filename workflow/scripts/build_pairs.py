"""Rule build_pairs: mutants and real fixes as training, validation and test sets."""

from ctm.bugs.security_rules import security_rule
from ctm.pairs.build import PairSettings, build_pairs
from ctm.pairs.splits import SplitSettings
from options import File, Files, ManyFiles, Text, given, start


def main(
    mutants: Files,
    splits: Text,
    settings: Text,
    train: File,
    validation: File,
    test: File,
    real: File,
    rejects: File,
    counts: File,
    fixes: ManyFiles = None,
) -> None:
    out = {"train": train, "validation": validation, "test": test, "real": real}
    build_pairs(
        mutants,
        fixes or [],
        given(SplitSettings, splits),
        given(PairSettings, settings),
        out,
        rejects,
        counts,
        security_rule,
    )


if __name__ == "__main__":
    start(main)
