"""Rule collect_stackoverflow: corrections from a Stack Overflow dump."""

from ctm.sources.stackoverflow import collect
from ctm.sources.stackoverflow_settings import StackOverflowSettings
from options import File, OptionalFile, Text, given, part, start


def main(
    posts: File,
    shard: Text,
    settings: Text,
    work: File,
    out: File,
    rejects: File,
    counts: File,
    history: OptionalFile = None,
    users: OptionalFile = None,
) -> None:
    options = given(StackOverflowSettings, settings)
    collect(posts, *part(shard), options, work, out, rejects, history, users, counts)


if __name__ == "__main__":
    start(main)
