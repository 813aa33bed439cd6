"""The site: its navigation has every page, and links between the root and docs/ lead somewhere on it too."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def _hooks():
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs/assets/hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOOKS = _hooks()


class _Loader(yaml.SafeLoader):
    """mkdocs.yml names functions by tags, which no test needs."""


_Loader.add_multi_constructor("", lambda loader, suffix, node: None)


def pages_in(nav: list) -> list[str]:
    """Names of pages in a navigation, depth first."""
    found = []
    for item in nav:
        values = item.values() if isinstance(item, dict) else [item]
        for value in values:
            found += pages_in(value) if isinstance(value, list) else [value]
    return found


def test_every_page_is_in_the_navigation_once():
    """A page that is left out of the navigation is not found by a reader, and fails the strict build."""
    config = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Loader)
    pages = pages_in(HOOKS._filled(config["nav"]))
    there = [str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(pages) == sorted([*there, *HOOKS.FROM_ROOT.values()]), (
        "nav of mkdocs.yml differs from docs/"
    )


@pytest.mark.parametrize(
    ("target", "page", "leads"),
    [
        ("docs/repair.md", "index.md", "repair.md"),
        ("docs/img/rules.svg", "index.md", "img/rules.svg"),
        ("SECURITY.md", "index.md", "security.md"),
        ("LICENSE", "index.md", "LICENSE.txt"),
        ("../SECURITY.md", "repair.md", "security.md"),
        ("../../README.md", "log/2026-11-harm.md", "../index.md"),
        ("model.md", "grid.md", "model.md"),
        ("../performance.md", "log/2026-11-harm.md", "../performance.md"),
    ],
)
def test_links_are_turned(target, page, leads):
    """The same link has to work on GitHub, where README lies above docs/, and on the site, where it does not."""
    assert HOOKS.turned(target, page) == leads


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("# Accuracy of the demo, 23 to 28 November 2026", "Accuracy of the demo"),
        ("# 2026-11-28: shapes of real syntax errors", "Shapes of real syntax errors"),
        ("# The trainer on a GPU (26 November 2026)", "The trainer on a GPU"),
        ("# Search: what each step gave (2026-11-28)", "Search: what each step gave"),
        ("# Working code: proposals and time", "Working code: proposals and time"),
    ],
)
def test_titles_of_logs_have_no_date(tmp_path, heading, title):
    """Dates in every second line would hide what the pages are about."""
    page = tmp_path / "page.md"
    page.write_text(f"{heading}\n\nText.\n", encoding="utf-8")
    assert HOOKS.short_title(page) == title


@pytest.mark.parametrize(
    ("html", "is_fetched"),
    [
        ('<script src="https://unpkg.com/x"></script>', True),
        ('<link rel="stylesheet" href="//fonts.example/css">', True),
        ('<img alt="a" src="img/rules.svg">', False),
        ('<a href="https://arxiv.org/abs/2505.05522">CTM</a>', False),
    ],
)
def test_what_a_page_would_fetch_is_seen(html, is_fetched):
    """A page opened on a plane, or by someone whose reading is nobody's business, asks no other host."""
    assert bool(HOOKS._FETCHED.findall(html)) == is_fetched


def test_pins_of_the_site_are_exact():
    """Two builds of one commit must give one site."""
    lines = (ROOT / "envs/docs.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin) for pin in pins), (
        "docs.lock has a line that is no pin"
    )
    assert any(pin.startswith("mkdocs-material==") for pin in pins), "docs.lock lacks the theme"
