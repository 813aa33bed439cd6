"""Rule encode_shard: the pairs of one shard as grids in Zarr."""

from ctm.grid.store import write_shard
from options import File, Text, part, start


def main(pairs: File, tokenizer: File, shard: Text, out: File, sidecar: File, rejects: File) -> None:
    write_shard(pairs, tokenizer, *part(shard), out, sidecar, rejects)


if __name__ == "__main__":
    start(main)
