"""A page to judge random pairs by hand, and what the answers say: how many of a source are true fixes.

The page is one file without any network: answers stay in the browser's storage until they are saved as JSON. Pairs are
hostile text: the template escapes them, and the page's policy lets no script run but its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctm.pairs.record import Pair
from ctm.pipeline.diffs import DiffLine, diff_lines, link, visible

TEMPLATE = Path(__file__).with_name("audit.html.j2")
SCRIPT = Path(__file__).with_name("audit.js.j2")
FORMAT = "ctm.audit"
VERDICTS = {"fix": "true fix", "not": "not a fix", "unsure": "unsure"}
Z95 = 1.959964
"""Quantile of the normal distribution for 95 %."""


class AnswersError(ValueError):
    """A file that is not a page's answers; the message names it and what is wrong."""


@dataclass(frozen=True)
class Precision:
    """What was answered, and the share of true fixes among what was decided with its 95 % interval (Wilson)."""

    fix: int
    not_fix: int
    unsure: int
    share: float | None
    low: float
    high: float


def wilson(hits: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a share of `hits` in `n` (E. B. Wilson, 1927); (0, 1) where n is 0."""
    if not n:
        return 0.0, 1.0
    share, square = hits / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def audit_page(pairs: Sequence[Pair], source: str, seed: int) -> str:
    """The page for these pairs."""
    from jinja2 import Environment

    script = SCRIPT.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    name = hashlib.blake2b("".join(pair.pair_id for pair in pairs).encode(), digest_size=6).hexdigest()
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        cards=[_card(pair) for pair in pairs],
        source=source,
        seed=seed,
        name=name,
        format=FORMAT,
        script=script,
        digest=digest,
        answers=VERDICTS,
    )


def _card(pair: Pair) -> dict[str, str | list[DiffLine] | list[tuple[str, str]]]:
    return {
        "id": pair.pair_id,
        "lines": diff_lines(pair.buggy, pair.fixed),
        "facts": facts(pair),
        "link": link(pair),
    }


def facts(pair: Pair) -> list[tuple[str, str]]:
    """(name, value) of what is known of a pair and its origin, without empty ones."""
    origin = pair.origin
    versions = " to ".join(filter(None, (origin.version_from, origin.version_to)))
    rows = [
        ("category", f"{pair.category}, {pair.kind}" if pair.category else pair.kind),
        ("source", pair.source),
        ("split", pair.split),
        ("project", f"{origin.project} (group {pair.group})" if pair.group != origin.project else pair.group),
        ("path", f"{origin.path}:{origin.line}" if origin.line else origin.path),
        ("in", origin.qualname),
        ("commit", origin.commit),
        ("parent", origin.parent),
        ("versions", versions),
        ("date", origin.date),
        ("url", origin.url),
        ("author", origin.author_url),
        (
            "license",
            f"{origin.license} ({origin.license_source})" if origin.license_source else origin.license,
        ),
        ("filters", pair.filters),
    ]
    return [(name, visible(value)) for name, value in rows if value]


def precision(path: Path) -> Precision:
    """What the answers in a file say. Raises AnswersError, OSError."""
    try:
        content: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise AnswersError(f"{path}: not JSON ({error}); save the answers from the page again") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise AnswersError(f'{path}: not the answers of an audit page ("format" is not "{FORMAT}")')
    answers = content.get("answers")
    if not isinstance(answers, dict):
        raise AnswersError(f'{path}: "answers" must be an object of pair and answer')
    for name, answer in answers.items():
        if answer not in VERDICTS:
            raise AnswersError(f"{path}: answer {answer!r} of pair {name}; known are {', '.join(VERDICTS)}")
    given = list(answers.values())
    fix, no, unsure = (given.count(name) for name in VERDICTS)
    low, high = wilson(fix, fix + no)
    return Precision(fix, no, unsure, fix / (fix + no) if fix + no else None, low, high)
