"""Rule working_windows: parts of working code of projects that never train, as suggestions meet them."""

import json

from ctm.evaluation.settings import WorkingSettings
from ctm.evaluation.working import working_windows, write_counts
from ctm.pairs.quality import QualitySettings
from ctm.pairs.splits import SplitSettings
from ctm.sources.installed import InstalledSettings
from options import File, Text, given, start


def main(
    train: File,
    clean: File,
    installed: Text,
    splits: Text,
    quality: Text,
    settings: Text,
    out: File,
    rejects: File,
    counts: File,
) -> None:
    done = working_windows(
        given(InstalledSettings, installed),
        given(SplitSettings, splits),
        given(QualitySettings, quality),
        given(WorkingSettings, settings),
        json.loads(clean.read_text())["joined"],
        train,
        out,
        rejects,
    )
    write_counts(counts, done)


if __name__ == "__main__":
    start(main)
