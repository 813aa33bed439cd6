"""Hooks of the site (`make docs`): pages from outside `docs/`, the list of logs, and a check that nothing is fetched.

README, MODELS, SECURITY, CONTRIBUTING and CHANGELOG stay at the root, where people and GitHub look for them. Here
they become pages, and links to and from them are turned. The logs' part of the navigation is every page of
`docs/log/`, newest month first. A built page that would load anything from another host fails the build.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FROM_ROOT = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "MODELS.md": "models.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files of the root that are pages of the site, and the page's name there."""
PLAIN = ("LICENSE", "CITATION.cff", "Makefile")
"""Files of the root that pages link to and that are copied as they are, with .txt as their suffix."""
LOGS = "log/"
"""Stands in the navigation of mkdocs.yml where the logs go."""

_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_DATE_BEFORE = re.compile(r"^(?:\d{4}-\d\d(?:-\d\d)?|[A-Z][a-z]+ \d{4}): +")
_DATE_BEHIND = re.compile(r"(?:,| \(|:) *(?:\d{1,2} [^()]*)?(?:[A-Z][a-z]+ )?\d{4}(?:-\d\d(?:-\d\d)?)?\)?$")
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//[^\s"'>]+"""
    r"""|<link\b[^>]*\brel=["']?(?:stylesheet|icon|preconnect|preload)\b[^>]*\bhref=["']?(?:https?:)?//[^\s"'>]+"""
)
_log = logging.getLogger("mkdocs.hooks.site")


def short_title(page: Path) -> str:
    """The heading of a log page without its date, which would fill the navigation."""
    title = page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
    title = _DATE_BEHIND.sub("", _DATE_BEFORE.sub("", title))
    return title[:1].upper() + title[1:]


def _logs() -> list[dict[str, str]]:
    """Pages of docs/log with their titles, newest month first, by name within a month."""
    pages = sorted((ROOT / "docs/log").glob("*.md"))
    pages.sort(key=lambda page: page.name[:7], reverse=True)
    return [{short_title(page): f"log/{page.name}"} for page in pages]


def _filled(nav: list[Any]) -> list[Any]:
    """The navigation with every `log/` replaced by the pages there."""
    filled: list[Any] = []
    for item in nav:
        if item == LOGS:
            filled += _logs()
        elif isinstance(item, dict):
            filled.append({k: _filled(v) if isinstance(v, list) else v for k, v in item.items()})
        else:
            filled.append(item)
    return filled


def on_config(config: Any) -> Any:
    """Fills in the logs."""
    config.nav = _filled(config.nav)
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds the files of the root."""
    from mkdocs.structure.files import File

    for name, page in FROM_ROOT.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text(encoding="utf-8")))
    for name in PLAIN:
        files.append(File.generated(config, f"{name}.txt", content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def turned(target: str, page: str) -> str:
    """Where a relative link of a page leads on the site.

    `target` is as written, without its anchor; `page` the page's name on the site. Links of pages in docs/ to one
    another stay.
    """
    from_root = page in FROM_ROOT.values()
    folder = ROOT if from_root else (ROOT / "docs" / page).parent
    try:
        file = (folder / target).resolve().relative_to(ROOT)
    except ValueError:
        return target
    up = "" if from_root else "../" * page.count("/")
    if str(file) in FROM_ROOT:
        return up + FROM_ROOT[str(file)]
    if str(file) in PLAIN:
        return f"{up}{file}.txt"
    if from_root and file.parts[0] == "docs":
        return str(file.relative_to("docs"))
    return target


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turns links between the root and docs/."""

    def turn(match: re.Match[str]) -> str:
        begin, target, anchor, end = match.groups()
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            return match.group()
        return f"{begin}{turned(target, page.file.src_uri)}{anchor or ''}{end}"

    return _LINK.sub(turn, markdown)


def on_post_build(config: Any) -> None:
    """Warns, which fails a strict build, of pages that would load something from another host."""
    for path in sorted(Path(config.site_dir).rglob("*.html")):
        for found in _FETCHED.findall(path.read_text(encoding="utf-8")):
            _log.warning("%s would load something from another host: %s", path, found[:160])
