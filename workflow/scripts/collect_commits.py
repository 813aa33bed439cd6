"""Rule collect_commits: bug fixes in git histories."""

from ctm.sources.commits import CommitSettings, collect
from options import File, Names, Text, given, part, start


def main(repositories: Names, shard: Text, settings: Text, work: File, out: File, rejects: File) -> None:
    collect(repositories, *part(shard), given(CommitSettings, settings), work, out, rejects)


if __name__ == "__main__":
    start(main)
