"""How a dump is read, or the API asked; apart from their reader, so that the configuration needs no parser."""

from __future__ import annotations

from dataclasses import dataclass

from ctm.bounds import Address, Amount, Count
from ctm.sources.rest.client import RestSettings
from ctm.sources.rest.days import day_seconds
from ctm.sources.stackoverflow.pairing import PairingLimits

TERMS = (
    "accept_dump_terms must be true: read the terms that came with the dump (at present they exclude training large "
    "language models; the content is CC BY-SA and asks for attribution), or those of the API, and set it only "
    "if you accept them"
)


@dataclass(frozen=True)
class ApiSettings(RestSettings):
    """How the Stack Exchange API is asked, in place of a dump, for a small number of questions."""

    questions: Amount = 0
    """Questions asked for, the first of the period with an accepted answer; 0: the API is not used."""
    address: Address = "https://api.stackexchange.com/2.3"
    """Address of the API. A key is read from the environment variable STACKEXCHANGE_KEY; it works without, with a
    quota of 300 requests a day (of 100 questions or answers each) in place of 10,000."""
    created_from: str = "2015-01-01"
    """First day of questions."""
    created_to: str = "2023-12-31"
    """Last day of questions."""

    def __post_init__(self) -> None:
        first, last = (day_seconds(getattr(self, key), key) for key in ("created_from", "created_to"))
        if first > last:
            raise ValueError(
                f"created_from {self.created_from} must not be after created_to {self.created_to}"
            )


@dataclass(frozen=True)
class StackOverflowSettings(PairingLimits):
    """How a dump is read."""

    accept_dump_terms: bool = False
    """That you have read and accept the terms of the dump, or of the API; nothing is read without it."""
    tags: tuple[str, ...] = ("python",)
    """Questions with one of these tags are read."""
    site: Address = "https://stackoverflow.com"
    """Where the posts stand, for their addresses."""
    max_body: Count = 200_000
    """Longest body of a post that is searched for code, characters."""
    target: Count = 100_000
    """Pairs hoped for: at each quarter of it the log gives the pairs an hour."""
    api: ApiSettings = ApiSettings()
    """The API in place of a dump."""
