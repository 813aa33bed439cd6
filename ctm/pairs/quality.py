"""What data may be used: licenses that are allowed, suites and repositories that stay unseen, near duplicates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ctm.pairs.near_duplicates import NearSettings
from ctm.pairs.splits import project_name

PERMISSIVE = (
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC-BY-SA-2.5",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "HPND",
    "ISC",
    "LicenseRef-BSD",
    "LicenseRef-Public-Domain",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Python-2.0",
    "Unlicense",
    "Zlib",
)
"""CC-BY-SA is Stack Overflow's: a source that is off until a user accepts its terms."""


@dataclass(frozen=True)
class LicenseSettings:
    """Under which licenses code is used."""

    allowed: tuple[str, ...] = PERMISSIVE
    """SPDX identifiers. Code is used where its expression holds with these alone ("A OR B" needs one of them, "A AND B"
    both); code of other and of unknown licenses is dropped and counted."""


@dataclass(frozen=True)
class DecontaminationSettings:
    """What no training pair may be a copy of."""

    suites: dict[str, str] = field(default_factory=dict)
    """Suites by name: files of JSON lines as `ctm-repair evaluate` reads them, relative to the checkout."""
    repositories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Projects by the name of the suite that is made of them; nothing of theirs trains. A URL or path counts by its
    last part."""

    def __post_init__(self) -> None:
        if both := set(self.suites) & set(self.repositories):
            raise ValueError(f"{min(both)!r} is both in suites and in repositories; rename one of the two")

    def suite_of(self, *projects: str) -> str:
        """The suite that one of these projects belongs to, "" where none does."""
        names = {project_name(project) for project in projects}
        for suite, repositories in self.repositories.items():
            if not names.isdisjoint(map(project_name, repositories)):
                return suite
        return ""


@dataclass(frozen=True)
class QualitySettings:
    """What is dropped of all data, whatever its source."""

    licenses: LicenseSettings = LicenseSettings()
    """Licenses."""
    duplicates: NearSettings = NearSettings()
    """Near duplicates and vendored copies."""
    decontamination: DecontaminationSettings = DecontaminationSettings()
    """Suites that stay unseen."""


@lru_cache(1024)
def license_reject_reason(expression: str, settings: LicenseSettings) -> str:
    """Why code under an SPDX expression is not used, "" where it is.

    "no license stated" for an empty one; "license not allowed" also for one that is no SPDX expression.
    """
    if not expression:
        return "no license stated"
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    try:
        holds = _either(tokens, frozenset(settings.allowed))
    except (IndexError, RecursionError):
        holds = False
    return "" if holds and not tokens else "license not allowed"


def _either(tokens: list[str], allowed: frozenset[str]) -> bool:
    holds = _both(tokens, allowed)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        holds = _both(tokens, allowed) or holds
    return holds


def _both(tokens: list[str], allowed: frozenset[str]) -> bool:
    holds = _one(tokens, allowed)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        holds = _one(tokens, allowed) and holds
    return holds


def _one(tokens: list[str], allowed: frozenset[str]) -> bool:
    name = tokens.pop(0)
    if name == "(":
        holds = _either(tokens, allowed)
        return tokens.pop(0) == ")" and holds
    if tokens and tokens[0] == "WITH":
        name = f"{name} WITH {tokens[1]}"
        del tokens[:2]
    return name in allowed
