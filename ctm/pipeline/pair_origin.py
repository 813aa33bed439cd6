"""From a pair back to the code that people wrote: the set it stands in, how it was made, and where that was found.

The steps are looked up in the run's own files, each by what the step before says: a pair's identity leads to the mutant
or the raw fix, a mutant's fixed side to its clean snippet, and the origin that each of them carries to a file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctm.bugs.registry import CLEAN, MULTI_ERROR_SYNTAX, registry
from ctm.pairs.record import Origin, Pair, Snippet, read_pairs, read_snippets, snippet_id
from ctm.pipeline.checkout import ROOT
from ctm.pipeline.diffs import link, pairs_named, sets_of, visible
from ctm.pipeline.origins import archives, pins_of
from ctm.pipeline.run_records import RunRecords

CLEAN_FILE = "results/clean/snippets.parquet"
MADE = "mutation"
"""Source of the pairs whose bug was made."""
CODE = ("packages", "installed")
"""Sources of clean code, by their folders of results/raw/."""


@dataclass(frozen=True)
class Step:
    """One step of the way: what it is, the file of the run that has it ("": none), and what is known."""

    title: str
    path: str
    facts: list[tuple[str, str]]


def way_back(records: RunRecords, name: str, checkout: Path = ROOT) -> list[Step]:
    """The way from the pair whose identity begins with `name`, nearest step first.

    Raises ValueError where no pair or more than one is named so, FileNotFoundError where the run has no pairs.
    """
    pair, path = _find(records.run, name)
    steps = [Step(f"pair {pair.pair_id}", path, _pair_facts(pair))]
    origin, raw = pair.origin, ""
    if pair.source == MADE:
        steps.append(_mutant(records.run, pair))
        snippet = _snippet(records.run, pair)
        if snippet is None:
            lost = "no clean snippet of results/clean/snippets.parquet has its fixed side or its origin"
            steps.append(Step("clean snippet", "", [("missing", lost)]))
        else:
            steps.append(
                Step(f"clean snippet {snippet.snippet_id}", CLEAN_FILE, _snippet_facts(pair, snippet))
            )
            raw = _raw_code(records.run, snippet)
    else:
        raw = _raw_fix(records.run, pair)
    if raw:
        steps.append(Step("raw dump", raw, []))
    steps.append(Step(_where(origin), "", list(_origin_facts(records, pair, raw, checkout))))
    return [
        Step(step.title, step.path, [(key, visible(value)) for key, value in step.facts]) for step in steps
    ]


NO_AUTHOR = "not on record: only answers of Stack Overflow carry one, as their license asks for it"


def _find(run: Path, name: str) -> tuple[Pair, str]:
    found: dict[str, tuple[Pair, str]] = {}
    for path in (*sets_of(run), *_dumps(run, "mutants"), *_raw(run, fixes=True)):
        for pair in pairs_named(path, name):
            found.setdefault(pair.pair_id, (pair, path.relative_to(run).as_posix()))
        if found and path.parent.name == "pairs":
            continue  # an id may stand in two sets: `real` holds fixes of the test split
        if found:
            break
    if not found:
        raise ValueError(
            f"no pair in {run} has an id that begins with {name!r}; ids are in results/pairs/*.parquet"
        )
    if len(found) > 1:
        raise ValueError(
            f"{name}: {len(found)} pairs begin with that, such as {' and '.join(sorted(found)[:2])}"
        )
    [one] = found.values()
    return one


def _mutant(run: Path, pair: Pair) -> Step:
    path = next((path for path in _dumps(run, "mutants") if any(pairs_named(path, pair.pair_id))), None)
    where = path.relative_to(run).as_posix() if path else ""
    facts = [] if path else [("missing", "no file of results/mutants/ has it: mutate has run again since")]
    if pair.kind == CLEAN:
        return Step("clean sample: nothing was changed", where, facts)
    if pair.kind == MULTI_ERROR_SYNTAX:
        return Step(
            f"mutant of kind {pair.kind}: two or three syntax errors",
            where,
            [("mutator", "ctm/bugs/generation/, of several kinds of syntax errors"), *facts],
        )
    kind = registry().get(pair.kind)
    if kind is None:
        return Step(f"mutant of kind {pair.kind}", where, [("mutator", "of no kind there is today"), *facts])
    module = f"{kind.mutator.__module__.replace('.', '/')}.py"
    return Step(f"mutant of kind {pair.kind}: {kind.doc}", where, [("mutator", module), *facts])


def _snippet(run: Path, pair: Pair) -> Snippet | None:
    """The snippet that a mutant was made of: the one with its fixed side, else one of its origin."""
    path = run / CLEAN_FILE
    if not path.is_file():
        return None
    wanted, place = snippet_id(pair.fixed), None
    for snippet in read_snippets(path):
        if snippet.snippet_id == wanted:
            return snippet
        if place is None and snippet.origin == pair.origin:
            place = snippet
    return place


def _snippet_facts(pair: Pair, snippet: Snippet) -> list[tuple[str, str]]:
    same = snippet.text == pair.fixed
    how = "is the fixed side as it stands" if same else "the fixed side is this snippet, reshaped"
    return [("text", how), ("shape", snippet.shape), ("split", snippet.split)]


def _raw_code(run: Path, snippet: Snippet) -> str:
    """The raw dump of clean code that a snippet came from; "" where none has its project."""
    for path in _raw(run, fixes=False):
        if any(one.snippet_id == snippet.snippet_id for one in read_snippets(path, ["snippet_id"])):
            return path.relative_to(run).as_posix()
    return ""


def _raw_fix(run: Path, pair: Pair) -> str:
    """The raw dump of fixes that has a pair, or, where masking has changed its text, one with its origin; "": none."""
    paths = _raw(run, fixes=True)
    for path in paths:
        if any(pairs_named(path, pair.pair_id)):
            return path.relative_to(run).as_posix()
    for path in paths:
        if any(one.origin == pair.origin for one in read_pairs(path)):
            return path.relative_to(run).as_posix()
    return ""


def _where(origin: Origin) -> str:
    file = f"{origin.path}:{origin.line}" if origin.line else origin.path
    inside = f" in {origin.commit[:12]}" if origin.commit else ""
    return visible(f"{origin.project or 'unknown project'}, {file or 'unknown file'}{inside}")


def _pair_facts(pair: Pair) -> list[tuple[str, str]]:
    kind = ", ".join(dict.fromkeys(filter(None, (pair.category, pair.kind))))
    return [("category", kind), ("source", pair.source), ("split", pair.split)]


def _origin_facts(records: RunRecords, pair: Pair, raw: str, checkout: Path) -> Iterator[tuple[str, str]]:
    origin = pair.origin
    entry = records.latest.get(raw)
    pins, notes = pins_of(records, entry, checkout) if entry else ({}, [])
    releases = [] if origin.commit else archives(origin, pins)
    for number, (release, digest) in enumerate(releases):
        label = "release" if number == len(releases) - 1 else "release before"
        yield label, f"{release}, {f'sha256 {digest} of its archive' if digest else 'sum not known'}"
    if origin.commit:
        yield "commit", f"{origin.commit}, parent {origin.parent or 'not known'}"
    for label, value in (("in", origin.qualname), ("date", origin.date)):
        if value:
            yield label, value
    source = f" (from {origin.license_source})" if origin.license_source else ""
    yield "license", f"{origin.license or 'not known'}{source}"
    author = " ".join(filter(None, (origin.author, origin.author_url)))
    yield "author", author or NO_AUTHOR
    yield "page", link(pair) or origin.url or "none: it was read from a local copy"
    for note in notes:
        yield "note", note


def _dumps(run: Path, folder: str) -> list[Path]:
    return _whole(sorted((run / "results" / folder).glob("*-of-*.parquet")))


def _raw(run: Path, fixes: bool) -> list[Path]:
    found = _whole(sorted((run / "results" / "raw").glob("*/*-of-*.parquet")))
    return [path for path in found if (path.parent.name in CODE) != fixes]


def _whole(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if not path.name.endswith(".rejects.parquet")]
