"""Rule collect_stackoverflow: corrections from a Stack Overflow dump, or from the API."""

from pathlib import Path

from ctm.sources.stackoverflow.collector import collect, collect_from_api
from ctm.sources.stackoverflow.settings import StackOverflowSettings
from options import File, OptionalFile, Text, given, part, start


def main(
    shard: Text,
    settings: Text,
    work: File,
    out: File,
    rejects: File,
    counts: File,
    posts: OptionalFile = None,
    history: OptionalFile = None,
    users: OptionalFile = None,
    state: OptionalFile = None,
    etags: Path = Path("etags.sqlite"),
) -> None:
    options = given(StackOverflowSettings, settings)
    if state is not None:
        collect_from_api(options, state, etags, work, out, rejects, counts)
    elif posts is not None:
        collect(posts, *part(shard), options, work, out, rejects, history, users, counts)


if __name__ == "__main__":
    start(main)
