"""Rule discover_repositories: lists repositories by GitHub's search or from a CSV file."""

from ctm.sources.git.github import RepositorySearchSettings
from ctm.sources.git.repositories import discover
from options import File, OptionalFile, Text, given, start


def main(
    settings: Text,
    state: File,
    etags: File,
    out: File,
    rejects: File,
    counts: File,
    listed: OptionalFile = None,
) -> None:
    discover(given(RepositorySearchSettings, settings), listed, state, etags, out, rejects, counts)


if __name__ == "__main__":
    start(main)
