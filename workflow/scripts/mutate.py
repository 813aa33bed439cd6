"""Rule mutate: synthetic bugs of one shard of the snippets, with a worker process a thread."""

from dataclasses import replace

from ctm.bugs.generation.mutate import mutate_shard
from ctm.bugs.settings import MutationSettings
from options import File, Number, Text, given, part, start


def main(
    snippets: File,
    shard: Text,
    quotas: File,
    settings: Text,
    threads: Number,
    out: File,
    rejects: File,
    counts: File,
) -> None:
    chosen = replace(given(MutationSettings, settings), workers=threads)
    mutate_shard(snippets, *part(shard), chosen, quotas, out, rejects, counts)


if __name__ == "__main__":
    start(main)
