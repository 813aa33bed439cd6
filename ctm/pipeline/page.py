"""Writes pages of figures from their templates, which share colors, tables and captions (page.html.j2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ctm.pipeline.diffs import visible

TEMPLATES = Path(__file__).parent


def render(template: str, **content: Any) -> str:
    """Text of a page. All of `content` is escaped but drawings, which are ours.

    Signs that reorder or hide what stands beside them are written out wherever they come from: names of suites, kinds
    and projects are other people's.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return visible(environment.get_template(template).render(**content))
