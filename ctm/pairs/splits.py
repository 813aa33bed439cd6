"""Which split a project belongs to, decided by a hash of its name before anything is mutated.

A group is a project: its commits, releases, installed code and vendored copies. Nothing ever splits a group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ctm.bounds import Percent, Seed
from ctm.pairs.keys import key_of

STDLIB = "python-stdlib"


@dataclass(frozen=True)
class SplitSettings:
    """How projects are dealt to training, validation and test."""

    seed: Seed = 2915
    """Seed of the hash that deals projects to splits; the default gives validation and test of installed code at
    least five projects each, of which none is half of its set."""
    train: Percent = 90
    """Share of the projects that train, percent."""
    validation: Percent = 5
    """Share of the projects for choosing thresholds, percent."""
    test: Percent = 5
    """Share of the projects for testing, percent."""
    always_train: tuple[str, ...] = (
        STDLIB,
        "torch",
        "sympy",
        "numpy",
        "scipy",
        "pandas",
        "networkx",
        "sqlalchemy",
        "matplotlib",
    )
    """Projects that train whatever their hash says: one of them can be a fifth of all installed code."""

    def __post_init__(self) -> None:
        if min(self.train, self.validation, self.test) < 0 or self.train + self.validation + self.test != 100:
            raise ValueError(
                "train + validation + test must be 100 (percent), none below 0, but they are "
                f"{self.train} + {self.validation} + {self.test}"
            )


def project_name(name: str) -> str:
    """Normalized name of a distribution (PEP 503) or of a repository (the last part of its path or URL)."""
    last = re.split(r"[/\\:]", name.rstrip("/\\"))[-1].removesuffix(".git")
    return re.sub(r"[-_.]+", "-", last).strip("-").lower()


def split_of(group: str, settings: SplitSettings) -> str:
    """The split of a project: "train", "validation" or "test"."""
    if group in settings.always_train:
        return "train"
    place = key_of(f"{settings.seed}\0{group}") / 2**64 * 100
    if place < settings.train:
        return "train"
    return "validation" if place < settings.train + settings.validation else "test"
