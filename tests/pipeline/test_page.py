"""The pages as a reader meets them: well formed, in plain words, with captions and links, light and dark, offline."""

from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from ctm.pairs.record import Reject, write_rejects
from ctm.pipeline import page as page_module
from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.checkout import code_version
from ctm.pipeline.data_card import write_data_card
from ctm.pipeline.opening import Opening
from ctm.pipeline.report import PHASES, Phase, of, phases, write_report
from ctm.pipeline.svg import drawing
from ctm.pipeline.tables import Block, Section, Table, cell
from helpers.ledger import make_ledger_run, provenance_of
from helpers.report_run import make_run, page_of, pair_of

VOID = {"meta", "br", "img", "hr", "input", "link", "path", "use", "rect", "line", "circle"}
AS_WRITTEN = {"code", "pre", "style", "dl"}
"""Elements whose text is a name or code as it is written (dl: the facts, which have commands and names)."""


class Reader(HTMLParser):
    """Text outside of code, attributes, identities, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.faults: list[str] = []
        self.levels: list[int] = []
        self.unbound: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag, _ in self.open]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self._note(tag, given)
        scrolls = any("scroll" in name.split() for _, name in self.open)
        self.unbound += [tag] if tag in ("table", "svg") and not scrolls else []
        if tag not in VOID:
            self.open.append((tag, given.get("class", "")))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._note(tag, {name: value or "" for name, value in attributes})

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop()[0] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes another element")

    def handle_data(self, data: str) -> None:
        if not any(tag in AS_WRITTEN or "code" in name.split() for tag, name in self.open):
            self.text.append(data)

    def _note(self, tag: str, given: dict[str, str]) -> None:
        self.links += [given["href"]] if "href" in given and tag == "a" else []
        self.sources += [given[name] for name in ("src", "srcset", "data", "poster") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        self.levels += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []


def write_card(run: Path) -> Path:
    """The data card of the run's pairs, with one that could not be encoded."""
    results = run / "results"
    lost = Reject("encode", "more than 8 edits", pair_of(2).pair_id, "kit", "commit")
    write_rejects(results / "grids/01-of-01.rejects.parquet", [lost])
    (results / "clean/counts.json").write_text(
        '{"rejects": {"near_duplicate": 5}, "masked": {"url_password": 3}}'
    )
    (results / "pairs/counts.json").write_text('{"rejects": [], "masked": []}')
    page = results / "reports/data_card.html"
    write_data_card(
        [results / "pairs/test.parquet", results / "pairs/real.parquet"],
        results / "pairs/counts.json",
        results / "clean/counts.json",
        [],
        [results / "grids/01-of-01.rejects.parquet"],
        page,
        results / "reports/croissant.json",
    )
    return page


@pytest.fixture(params=["report", "data card", "provenance"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "provenance":
        return provenance_of(make_ledger_run(tmp_path))
    run = make_run(tmp_path / "demo")
    if request.param == "data card":
        return write_card(run)
    page_of(run)
    return run / "results/report.html"


def test_it_is_well_formed_and_has_a_title(page: Path) -> None:
    text = page.read_text()
    found = Reader(text)
    assert not found.faults, found.faults
    assert len(set(found.ids)) == len(found.ids), "no two places of one name, those of drawings included"
    title = text.split("<title>")[1].split("</title>")[0]
    assert "demo" in title and len(title) > 20
    assert found.levels[0] == 1 and found.levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(found.levels)), "headings skip no level"


def test_no_key_of_an_artifact_is_left_on_it(page: Path) -> None:
    found = " ".join(Reader(page.read_text()).text)
    names = r"some_kit|click_-8|\S+/\S+\.py"  # of projects, releases and files
    assert "_" not in re.sub(names, "", found), re.findall(r"\S*_\S*", found)


def test_links_lead_to_files_that_are_there_and_to_places_of_the_page(page: Path) -> None:
    found = Reader(page.read_text())
    assert len(found.links) > 3
    for link in found.links:
        if link.startswith("#"):
            assert link[1:] in found.ids, link
        elif not link.startswith("https://pypi.org/"):  # where code is from
            assert not Path(link).is_absolute() and (page.parent / unquote(link)).exists(), link


def test_every_table_and_picture_has_a_caption_and_a_file(page: Path) -> None:
    text = page.read_text()
    for section in re.split("<h[23]", text)[1:]:
        said = re.search(r"</h[23]>\s*<p>.{15,}</p>", section)
        for figure in section.split("<figure")[1:]:
            caption = figure.split("<figcaption>")[1].split("</figcaption>")[0]
            words = re.sub(r"<b>.*?</b>|<a .*?</a>|<[^>]*>|File:|[\d,]+ rows\.", "", caption).strip()
            picture = "<svg" in figure or "<img" in figure
            assert len(words) > 15 or (said and not picture), f"says what to see: {caption}"
            assert 'href="' in caption, f"says where its figures stand: {caption}"


def test_it_needs_no_network_and_no_script(page: Path) -> None:
    text = page.read_text()
    found = Reader(text)
    assert all(source.startswith("data:") for source in found.sources), found.sources
    assert not re.search(r"<script|<link|<iframe|@import|url\((?!#)|\son\w+=", text)
    assert "default-src 'none'" in text, "a browser would refuse it"


def test_it_shrinks_to_a_phone_and_prints(page: Path) -> None:
    text = page.read_text()
    assert '<meta name="viewport" content="width=device-width' in text
    assert "@media print" in text and "@media (max-width" in text
    assert not Reader(text).unbound, "what is wide lies in what scrolls by itself, so that the page does not"


def luminance(color: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2)."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colors, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01), "the usual example of not enough"


@pytest.mark.parametrize("where", ["light", "dark", "print"])
def test_text_stands_out_from_what_it_lies_on(where: str) -> None:
    style = (page_module.TEMPLATES / "page.html.j2").read_text()
    before = {"light": "<style>", "dark": "@media (prefers-color-scheme: dark)", "print": "@media print"}[
        where
    ]
    root = style.split(before)[1].split(":root {")[1].split("}")[0]
    colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", root))
    assert {"page", "card", "text", "muted", "link", "yes", "no", "del", "add"} <= colors.keys()
    for text, grounds in (
        ("text", ("page", "card", "del", "add")),
        ("muted", ("page", "card")),
        ("link", ("page", "card")),
        ("yes", ("page", "card")),
        ("no", ("page", "card")),
    ):
        for ground in grounds:
            reached = contrast(colors[text], colors[ground])
            assert reached >= 4.5, f"{where}: {text} on {ground} has {reached:.1f} to 1"
    assert "opacity" not in style, "what is half transparent has another contrast than was computed"


def test_drawings_take_the_colors_of_the_page(tmp_path: Path) -> None:
    text = page_of(make_run(tmp_path / "demo"))
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 4 + 5, "curves of training and panels of the ticks, each small enough for a phone"
    for one in drawings:
        assert "#ffffff" not in one and "#000000" not in one and "currentColor" in one
        assert float(one.split('width="')[1].split("pt")[0]) <= 360, "points"
        assert "purl.org" not in one
    twice = drawing('<svg id="a"><use xlink:href="#a"/></svg>\n<svg id="a"><g clip-path="url(#a)"/></svg>')
    first, second = re.findall(r'id="(.*?)"', twice)
    assert first != second and f'href="#{first}"' in twice and f"url(#{second})" in twice


def test_a_part_is_one_line_and_without_its_artifacts_there_is_none(tmp_path: Path) -> None:
    file, picture = (tmp_path / "results/reports" / name for name in ("extra.json", "extra.png"))
    file.parent.mkdir(parents=True)
    file.write_text('{"n": 3}')
    picture.write_bytes(b"a picture")
    run = RunArtifacts([file, picture], tmp_path / "results/report.html")

    def section_of(extra: dict[str, int], png: str) -> Section:
        return Section("Extra", [Block(f"n {extra['n']}", "A note."), Block("Drawn", "Seen.", png=png)])

    section = of(section_of, "extra", "extra.png")(run)
    assert section is not None
    assert [(block.title, block.file) for block in section.blocks] == [
        ("n 3", "reports/extra.json"),
        ("Drawn", "reports/extra.png"),
    ]
    assert of(section_of, "extra", "missing.png")(run) is None
    assert list(PHASES)[:5] == ["Answers", "Data", "Model", "Training", "Evaluation"]


def test_words_alone_and_what_moves_have_their_place() -> None:
    blocks = [Block("Does it?", "It does."), Block("A thought", "It turns.", png="R0lGODlhAQAB", fold=True)]
    phase = Phase("Analysis", [Section("More", blocks)])
    text = page_module.render(
        "report.html.j2", run="x", opening=Opening([], None, None, None, []), phases=[phase]
    )
    assert not Reader(text).faults
    assert "<b>Does it?</b><p>It does.</p>" in text
    assert "data:image/gif;base64,R0lGODlhAQAB" in text.split("<details>")[1], "it moves where it is asked to"


def test_names_of_others_neither_act_nor_hide_anything() -> None:
    """As those of a suite's kinds: no tag, no sign that turns a line around, and half a surrogate pair can be saved."""
    name = "\u202e<script>alert(1)</script>\ud800"
    blocks = [Block(name, name, Table([name], [[cell(name)]]), file=f"reports/{name}")]
    text = page_module.render(
        "report.html.j2",
        run=name,
        opening=Opening([(name, name)], None, None, None, [name]),
        phases=[Phase("Evaluation", [Section(name, blocks, name)])],
    )
    text.encode()
    assert not Reader(text).faults and "<script" not in text and "\u202e" not in text
    assert "<td>\\u202e&lt;script&gt;alert(1)&lt;/script&gt;\\ud800</td>" in text


def test_it_is_made_of_whatever_there_is(tmp_path: Path) -> None:
    run = make_run(tmp_path / "demo")
    kept = [run / "results/pairs/counts.json", run / "results/training/stage1/summary.json"]
    out = run / "results/report.html"
    for artifacts in ([], kept, [*kept, run / "results/final/final_metrics.json"]):
        write_report(artifacts, {}, out)
        assert not Reader(out.read_text()).faults
    assert [phase.title for phase in phases(RunArtifacts([], out))] == ["Costs"], (
        "which says that there is no ledger"
    )


def test_the_commit_and_changes_of_the_checkout_are_said(tmp_path: Path) -> None:
    assert "no checkout of git" in code_version(tmp_path)
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]

    def git(*arguments: str) -> None:
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "a.py").write_text("a = 1\n")
    git("add", ".")
    git("commit", "-q", "-m", "One")
    assert "nothing changed since" in code_version(tmp_path)
    (tmp_path / "a.py").write_text("a = 2\n")
    assert re.match(r"[0-9a-f]{7,} of \d{4}-\d\d-\d\d, with changes", code_version(tmp_path))


def test_examples_of_the_data_card_are_named_by_project_and_kind(tmp_path: Path) -> None:
    text = write_card(make_run(tmp_path / "demo")).read_text()
    names = re.findall(r'<details class="example"[^>]*><summary>(.*?)</summary>', text)
    assert names == ["some_kit: missing colon"] * 4
    assert all(re.search(rf"<small>.*<code>{pair_of(n).pair_id}</code></small>", text) for n in range(4))
