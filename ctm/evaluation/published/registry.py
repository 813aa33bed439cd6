"""The layouts by name: which loader reads one, what an item of it is, and where the suite comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ctm.evaluation.published import (
    bifi,
    bugsinpy,
    condefects,
    debugbench,
    humanevalpack,
    json_lines,
    quixbugs,
    sven,
)
from ctm.evaluation.published.checksum import checksum, links_below
from ctm.evaluation.published.loading import Loaded, SuiteError, without_unusable
from ctm.evaluation.published.settings import SuiteSettings


@dataclass(frozen=True)
class Layout:
    """A published layout."""

    load: Callable[[Path], Loaded]
    item: str
    """What one item is."""
    license: str
    """Of the suite, as its authors state it; check your copy."""
    url: str
    citation: str
    has_fix: bool = True
    """Whether somebody's repair is known, so that answers can be compared with it."""


LAYOUTS: Mapping[str, Layout] = {
    "json_lines": Layout(
        json_lines.load, "a line: buggy and fixed text", "yours to state", "", "docs/measures.md"
    ),
    "quixbugs": Layout(
        quixbugs.load,
        "a program with a bug in one line, with tests",
        "MIT",
        "https://github.com/jkoppel/QuixBugs",
        "Lin, Koppel, Chen, Solar-Lezama: QuixBugs, SPLASH Companion 2017",
    ),
    "humanevalpack": Layout(
        humanevalpack.load,
        "a function with an implanted bug, with tests",
        "MIT",
        "https://huggingface.co/datasets/bigcode/humanevalpack",
        "Muennighoff et al.: OctoPack, arXiv 2308.07124",
    ),
    "condefects": Layout(
        condefects.load,
        "a program of a contest and its author's correction",
        "CC BY-SA 4.0 (data), MIT (code)",
        "https://github.com/appmlk/ConDefects",
        "Wu et al.: ConDefects, arXiv 2310.16253",
    ),
    "sven": Layout(
        sven.load,
        "a function with a weakness and the commit's repair",
        "MIT",
        "https://github.com/eth-sri/sven",
        "He, Vechev: Large Language Models for Code: Security Hardening and Adversarial Testing, arXiv 2302.05319",
    ),
    "bugsinpy": Layout(
        bugsinpy.load,
        "a hunk of a bug's patch that parses by itself (not a function, not a whole bug)",
        "none stated for the patches; each project's own",
        "https://github.com/soarsmu/BugsInPy",
        "Widyasari et al.: BugsInPy, ESEC/FSE 2020",
    ),
    "debugbench": Layout(
        debugbench.load,
        "a solution of LeetCode with bugs that GPT-4 put in",
        "Apache-2.0",
        "https://huggingface.co/datasets/Rtian/DebugBench",
        "Tian et al.: DebugBench, arXiv 2401.04621",
    ),
    "bifi": Layout(
        bifi.load,
        "a snippet that does not parse, without a fix",
        "of each repository that it was taken from",
        "https://github.com/michiyasunaga/BIFI",
        "Yasunaga, Liang: Break-It-Fix-It, arXiv 2106.06600",
        has_fix=False,
    ),
}


def load_suite(name: str, suite: SuiteSettings) -> Loaded:
    """The items of a suite whose path is absolute. Raises SuiteError where it is not there, is another, or has none."""
    path = Path(suite.path)
    if not path.exists():
        raise SuiteError(
            f"real_suites.{name}: {path}: no such file or folder; correct the path or take it out"
        )
    try:
        found = checksum(path)
    except OSError as error:
        raise SuiteError(f"real_suites.{name}: {path}: cannot be read ({error.strerror})") from None
    if found != suite.sha256:
        raise SuiteError(
            f"real_suites.{name}: {path} has the sha256 {found}, not {suite.sha256}: it is another suite, or it was "
            f"changed. Bring the right one, or correct real_suites.{name}.sha256"
        )
    if path.is_dir() and (links := links_below(path)):
        raise SuiteError(
            f"real_suites.{name}: {links[0]} is a link; what it leads to is not in the sha256, so nothing is read "
            "through it. Put the files there, or delete the link"
        )
    loaded = without_unusable(LAYOUTS[suite.layout].load(path))
    if not loaded.items:
        why = ", ".join(f"{n} {reason}" for reason, n in loaded.dropped.most_common()) or "nothing was found"
        raise SuiteError(f"real_suites.{name}: {path} has no items of layout {suite.layout} ({why})")
    return loaded
