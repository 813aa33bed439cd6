"""Rule collect_packages: snippets of pinned packages."""

from ctm.sources.clean_code.packages import PackageSettings, collect
from options import File, Text, given, part, start


def main(
    corpus: File, shard: Text, settings: Text, work: File, out: File, rejects: File, counts: File
) -> None:
    collect(corpus, *part(shard), given(PackageSettings, settings), work, out, rejects, counts)


if __name__ == "__main__":
    start(main)
