"""Rule collect_commits: bug fixes in git histories."""

from ctm.sources.git.collector import collect
from ctm.sources.git.commits import CommitSettings
from options import File, ManyNames, Number, OptionalFile, Text, given, part, start


def main(
    shard: Text,
    settings: Text,
    work: File,
    state: File,
    out: File,
    rejects: File,
    counts: File,
    threads: Number = 1,
    repositories: ManyNames = None,
    listed: OptionalFile = None,
) -> None:
    chosen = given(CommitSettings, settings)
    collect(repositories or [], listed, *part(shard), chosen, work, state, out, rejects, counts, threads)


if __name__ == "__main__":
    start(main)
