"""Rule collect_installed: snippets of the standard library and of installed packages."""

from ctm.sources.clean_code.installed import InstalledSettings, collect
from options import File, Text, given, part, start


def main(shard: Text, settings: Text, out: File, rejects: File, counts: File) -> None:
    collect(*part(shard), given(InstalledSettings, settings), out, rejects, counts)


if __name__ == "__main__":
    start(main)
