"""Rule working_windows: parts of working code of projects that never train, as suggestions meet them."""

import json

from ctm.evaluation.settings import WorkingSettings
from ctm.evaluation.working import working_windows
from ctm.files import write_json
from ctm.pairs.quality import QualitySettings
from ctm.pairs.splits import SplitSettings
from ctm.sources.clean_code.choice import CleanCode
from ctm.sources.clean_code.installed import InstalledSettings
from ctm.sources.clean_code.packages import PackageSettings
from options import File, OptionalFile, Text, given, start


def main(
    train: File,
    clean: File,
    splits: Text,
    quality: Text,
    settings: Text,
    out: File,
    rejects: File,
    counts: File,
    installed: Text = "",
    packages: Text = "",
    corpus: OptionalFile = None,
    archives: OptionalFile = None,
) -> None:
    done = working_windows(
        CleanCode(
            given(InstalledSettings, installed) if installed else None,
            given(PackageSettings, packages) if packages else None,
            corpus,
            archives,
        ),
        given(SplitSettings, splits),
        given(QualitySettings, quality),
        given(WorkingSettings, settings),
        json.loads(clean.read_text(encoding="utf-8"))["joined"],
        train,
        out,
        rejects,
    )
    write_json(counts, done)


if __name__ == "__main__":
    start(main)
