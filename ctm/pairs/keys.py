"""64-bit keys of texts, for what is compared, drawn or dealt out by hash: the same in every process and machine."""

from __future__ import annotations

import hashlib


def key_of(text: str) -> int:
    """blake2b-8 of a text, 0 to 2^64 - 1; lone surrogates have one too."""
    return int.from_bytes(
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )
