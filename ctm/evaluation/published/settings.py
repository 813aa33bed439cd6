"""A suite as the configuration names it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ctm.bounds import Amount, Seconds

LayoutName = Literal[
    "json_lines", "quixbugs", "humanevalpack", "condefects", "sven", "bugsinpy", "debugbench", "bifi"
]
"""The layouts that there are loaders for (`registry.LAYOUTS` has the same names)."""


@dataclass(frozen=True)
class SuiteSettings:
    """A suite of real bugs that the final model is judged on. You bring it: none ships, and none is for tuning."""

    path: str
    """File or folder, relative to the checkout."""
    layout: LayoutName
    """How it is laid out."""
    sha256: str
    """Of the file, or of a folder's content (docs/suites.md has the command). Another content is another suite, and is
    refused."""
    license: str = ""
    """Under which license you have it; shown beside the figures."""
    published: str = ""
    """Entry of config/published.yaml whose figures stand beside; empty: the layout's."""
    items: Amount = 0
    """Most items that are asked about, drawn at random with a fixed seed; 0: all."""
    test_seconds: Seconds = 3600
    """Longest that tests of the suite run, shared equally by the model and the reference points. Items whose tests are
    not reached, the longest ones, are counted and left out of `pass_at_k` for all of them."""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path is empty; it must name the file or folder of the suite")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(
                f"sha256 is {self.sha256!r}; it must be 64 hexadecimal digits in lower case (sha256sum FILE; for a "
                "folder see docs/suites.md)"
            )
