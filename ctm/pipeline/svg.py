"""Drawings of matplotlib within a page: they take its colors, light or dark, and bring no id that another one has."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BEFORE = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>", re.DOTALL)
_BLACK = re.compile(r"#000000\b|#000\b|(?<=[ :\"])black\b")
_WHITE = re.compile(r"#ffffff\b|#fff\b|(?<=[ :\"])white\b", re.IGNORECASE)


def svg_of(figures: Sequence[Figure]) -> str:
    """Text of figures, one behind the other. Letters stay letters: they can be read aloud, and are a tenth the size."""
    import matplotlib

    texts = []
    for figure in figures:
        text = io.StringIO()
        with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ctm"}):
            figure.savefig(text, format="svg", metadata={"Date": None})
        texts.append(text.getvalue())
    return "".join(texts)


def drawing(svg: str) -> str:
    """SVGs as they stand in a page: black is its text's color, white its background's, ids are of this drawing only."""
    return "".join(
        _one(text, place) for place, text in enumerate(re.split(r"(?<=</svg>)", svg)) if "<svg" in text
    )


def _one(svg: str, place: int) -> str:
    name = hashlib.blake2b(f"{place}{svg}".encode(), digest_size=4).hexdigest()
    svg = _BEFORE.sub("", svg).strip()
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\g<1>#{name}-", svg)
    return _WHITE.sub("var(--page)", _BLACK.sub("currentColor", svg))
