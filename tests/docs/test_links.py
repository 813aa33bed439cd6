"""Pages: every link leads somewhere, reference pages stay short, lines stay narrow, and what pages name exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MOST_LINES = 150
WIDEST = 120

GENERATED = {"config.md", "reruns.md", "bugs.md", "bug_figures.md"}
"""Pages that a command writes; their lines and length are the command's."""
LONG_LISTS = {"specification.md"}
"""Pages that may be long: a list with one item per line of the specification."""
NOT_YET_SPLIT: set[str] = set()
"""Pages that are still too long or too wide. Take a page off this list once it is not."""

REFERENCE = sorted(path for path in DOCS.glob("*.md") if path.name not in GENERATED | NOT_YET_SPLIT)
FRONT = [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "MODELS.md")]
LOGS = sorted((DOCS / "log").glob("*.md"))
PAGES = [*FRONT, *sorted(DOCS.rglob("*.md"))]
READ = {".py", ".smk", ".yaml", ".j2", ".md", ".toml"}
CODE = ("ctm", "rules", "workflow", "benchmarks", "config", "tests", "profiles", "envs")

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4,}(?![ \t]*(?:[-*+]|\d+\.) ).*\n)+")
SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
NAMED_FILE = re.compile(
    r"`((?:ctm|rules|workflow|benchmarks|config|tests|profiles|envs)/[\w/.-]+?\.(?:py|smk|ya?ml|csv))\b"
)
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b")
NAMED_PAGE = re.compile(r"\bdocs/[\w./-]*?\w\.md\b")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """The text without code: fences and indented blocks blank, so that line numbers stay."""

    def blank(match: re.Match[str]) -> str:
        return "\n" * match.group().count("\n")

    return INDENTED.sub(blank, FENCE.sub(blank, text))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that GitHub gives the headings of a page."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.+?)\s*$", prose(page.read_text(encoding="utf-8")), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        again = sum(one == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", one) is not None for one in found)
        found.append(f"{slug}-{again}" if again else slug)
    return frozenset(found)


def relative_links(page: Path) -> list[str]:
    """Where the links of a page lead, those to other sites aside."""
    targets: list[str] = LINK.findall(SPAN.sub("", prose(page.read_text(encoding="utf-8"))))
    return [target for target in targets if not re.match(r"[a-z][a-z0-9+.-]*:", target)]


def broken_links(page: Path) -> list[str]:
    """Each relative link of a page that leads nowhere, with the reason."""
    found = []
    for target in relative_links(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists():
            found.append(f"{target}: there is no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            found.append(f"{target}: that page has no heading with this anchor")
    return found


def wide_lines(page: Path) -> list[str]:
    """Lines over the width, but for tables, code, headings, and what cannot be broken."""
    found = []
    for number, line in enumerate(prose(page.read_text(encoding="utf-8")).split("\n"), 1):
        is_free = line.lstrip().startswith(("|", "#", "!["))
        could_break = len(re.split(r"(?<=\S) +", line.strip())) > 1 and " " in line.strip()[:WIDEST]
        if len(line) > WIDEST and not is_free and could_break:
            found.append(f"line {number} has {len(line)} characters: {line[:50]}...")
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """A reader who follows a link must not land on nothing: pages are split and headings renamed often."""
    assert not broken_links(page), f"{name_of(page)} has links that lead nowhere"


def test_every_page_can_be_reached_from_the_readme():
    """A page that no other page names is found by nobody."""
    found, left = set(), [ROOT / "README.md"]
    while left:
        page = left.pop()
        if page not in found and page.suffix == ".md":
            found.add(page)
            left += [(page.parent / target.partition("#")[0]).resolve() for target in relative_links(page)]
    alone = [name_of(page) for page in PAGES if page not in found]
    assert not alone, "no way leads from README.md to these pages"


@pytest.mark.parametrize("page", REFERENCE, ids=name_of)
def test_reference_pages_are_short(page):
    """A page that nobody reads to its end says nothing: two ideas are two pages, dated figures go to docs/log/."""
    lines = len(page.read_text(encoding="utf-8").splitlines())
    assert page.name in LONG_LISTS or lines <= MOST_LINES, f"{name_of(page)} has {lines} lines: split it"


@pytest.mark.parametrize("page", [*FRONT, *REFERENCE, *LOGS], ids=name_of)
def test_lines_are_narrow(page):
    """A change of one word must not show as a change of 500 characters."""
    assert not wide_lines(page), f"{name_of(page)}: wrap it at {WIDEST}"


def test_the_list_of_pages_to_split_names_pages():
    """An entry whose page is gone would hide the next page of that name."""
    assert all(
        (DOCS / name).exists() or (ROOT / name).exists() for name in NOT_YET_SPLIT | LONG_LISTS | GENERATED
    ), "a list of this test names a page that does not exist"


def test_pages_that_code_points_to_exist():
    """Docstrings and settings send readers to pages; a page that was renamed takes them along."""
    files, missing = [ROOT / name for name in ("Snakefile", "Makefile", "pyproject.toml")], []
    for folder in CODE:
        files += [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in READ]
    for path in files:
        named = NAMED_PAGE.findall(path.read_text(encoding="utf-8"))
        missing += [f"{name_of(path)}: {name}" for name in named if not (ROOT / name).exists()]
    assert not missing, "these name pages that do not exist"


@pytest.mark.parametrize("page", [page for page in PAGES if page not in LOGS], ids=name_of)
def test_files_that_pages_name_exist(page):
    """A page leads into the code by its paths; a module that moves must take them along. Logs keep their time's."""
    text = page.read_text(encoding="utf-8")
    missing = [
        name
        for name in NAMED_FILE.findall(text)
        if not (ROOT / name).exists()
        and not (ROOT / "tests" / name).exists()
        and not PLACEHOLDER.search(name)
    ]
    assert not missing, f"{name_of(page)} names files that do not exist"


def test_tests_that_the_specification_names_exist():
    """The page says what shows each line; a test that was renamed would leave a claim without its proof."""
    file, missing = ROOT, []
    text = (DOCS / "specification.md").read_text(encoding="utf-8")
    for path, function in re.findall(r"`(?:([a-z_/]+/(?:test|check)_\w+\.py))?(?:(?:::)?(test_\w+))?`", text):
        if path:
            file = ROOT / "tests" / path
        if not file.is_file():
            missing.append(path)
        elif function and not re.search(rf"def {function}\b", file.read_text(encoding="utf-8")):
            missing.append(f"{name_of(file)}::{function}")
    assert not missing, "docs/specification.md names tests that do not exist"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a](missing.md)\n", "missing.md: there is no such file"),
        ("[a](#not-here)\n", "#not-here: that page has no heading with this anchor"),
        ("# Here `it` is!\n\n[a](#here-it-is) [b](https://example.com/x) `[c](gone.md)`\n", None),
        ("```\n[a](missing.md)\n```\n\n    [b](missing.md)\n", None),
        ("[two\nlines](missing.md)\n", "missing.md: there is no such file"),
    ],
)
def test_a_broken_link_is_found(tmp_path, text, said):
    """The check itself: links in code are none, and a link over two lines is one."""
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert broken_links(page) == ([said] if said else []), "exactly the broken link is reported"
