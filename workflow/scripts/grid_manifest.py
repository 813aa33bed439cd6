"""Rule grid_manifest: checksums and sizes of a split's shards."""

from ctm.grid.store import write_manifest
from options import File, Files, start


def main(shards: Files, out: File) -> None:
    write_manifest(shards, out)


if __name__ == "__main__":
    start(main)
