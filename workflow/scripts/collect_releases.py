"""Rule collect_releases: bug fixes between consecutive releases of pinned packages."""

from ctm.sources.releases.collector import ReleaseSettings, collect
from options import File, Text, given, part, start


def main(pins: File, shard: Text, settings: Text, work: File, out: File, rejects: File, counts: File) -> None:
    collect(pins, *part(shard), given(ReleaseSettings, settings), work, out, rejects, counts)


if __name__ == "__main__":
    start(main)
