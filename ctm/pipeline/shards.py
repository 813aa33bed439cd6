"""Names of shards: "03-of-64". They carry the count, so that another number of shards makes other files."""

from __future__ import annotations


def shard_names(shards: int) -> list[str]:
    """Names of all shards, "01-of-NN" to "NN-of-NN"."""
    width = max(2, len(str(shards)))
    return [f"{i:0{width}d}-of-{shards:0{width}d}" for i in range(1, shards + 1)]


def shard_number(name: str) -> tuple[int, int]:
    """(number from 0, count) of a shard's name. Raises ValueError."""
    number, found, count = name.partition("-of-")
    if not (found and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise ValueError(f"{name!r} is not a shard; shards are named like 03-of-64")
    return int(number) - 1, int(count)
