"""Rule clean_snippets: all snippets with their split, without duplicates."""

from ctm.files import write_json
from ctm.pairs.clean import clean_snippets
from ctm.pairs.quality import QualitySettings
from ctm.pairs.splits import SplitSettings
from options import File, Files, Text, given, start


def main(raw: Files, settings: Text, quality: Text, out: File, rejects: File, counts: File) -> None:
    done = clean_snippets(raw, given(SplitSettings, settings), out, rejects, given(QualitySettings, quality))
    write_json(counts, done, end="")


if __name__ == "__main__":
    start(main)
