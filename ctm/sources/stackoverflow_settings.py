"""How a Stack Overflow dump is read; apart from its reader, so that the configuration needs no parser."""

from __future__ import annotations

from dataclasses import dataclass

from ctm.sources.pairing import PairingLimits

TERMS = (
    "accept_dump_terms must be true: read the terms that came with the dump (at present they exclude training large "
    "language models; the content is CC BY-SA and asks for attribution), and set it only if you accept them"
)


@dataclass(frozen=True)
class StackOverflowSettings(PairingLimits):
    """How a dump is read."""

    accept_dump_terms: bool = False
    """That you have read and accept the terms under which you got the dump; nothing is read without it."""
    tags: tuple[str, ...] = ("python",)
    """Questions with one of these tags are read."""
    site: str = "https://stackoverflow.com"
    """Where the posts stand, for their addresses."""
    max_body: int = 200_000
    """Longest body of a post that is searched for code, characters."""
    target: int = 100_000
    """Pairs hoped for: at each quarter of it the log gives the pairs an hour."""
