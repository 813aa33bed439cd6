"""Rule build_pairs: mutants and real fixes as training, validation and test sets."""

import json
from pathlib import Path

from ctm.bugs.security.rules import security_rule
from ctm.pairs.build import PairSettings, build_pairs
from ctm.pairs.quality import QualitySettings
from ctm.pairs.splits import SplitSettings
from options import File, Files, ManyFiles, ManyTexts, Text, given, start


def main(
    mutants: Files,
    splits: Text,
    settings: Text,
    quality: Text,
    clean: File,
    train: File,
    validation: File,
    test: File,
    real: File,
    rejects: File,
    counts: File,
    fixes: ManyFiles = None,
    suite: ManyTexts = None,
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
        quality=given(QualitySettings, quality),
        suites={name: Path(path) for name, _, path in (text.partition("=") for text in suite or [])},
        joined=json.loads(clean.read_text(encoding="utf-8"))["joined"],
    )


if __name__ == "__main__":
    start(main)
