"""A bundle on real syntax errors as Tidyparse counts them: names, numbers and texts erased, short code, 1 to 3 edits.

    .venv/bin/python benchmarks/real/erased.py SUITE [--bundle DIR] [--json FILE]

A suite is JSON lines as `ctm-repair evaluate` reads them. Both sides are read as lexical tokens; names that are no
keywords become NAME, numbers NUMBER, texts STRING. Items count whose broken side has less than 80 tokens and is 1 to 3
edits (Levenshtein over tokens) away from the fixed one. Our repair is made on the text as it stands; it is right where
its erased tokens are those of the fixed side. Tidyparse sees the erased tokens only, so the task is not quite the same:
ours may look at names, theirs has its own lexer and its own choice of items.
"""

from __future__ import annotations

import argparse
import json
import keyword
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

from ctm.pipeline.audit import wilson
from ctm.python.lexical import lenient_tokens
from ctm.repair.bundle import find_bundle, load_bundle
from ctm.repair.passes import Repair

TOKENS, EDITS, RANKS = 80, 3, (1, 5, 10)
BATCH = 100


def erased(text: str) -> tuple[str, ...]:
    """The lexical tokens of a text without what its author chose."""
    return tuple(_erased(token) for token in lenient_tokens(text))


def _erased(token: str) -> str:
    if token.isidentifier():
        return token if keyword.iskeyword(token) else "NAME"
    if token[:1].isdigit() or (token[:1] == "." and token[1:2].isdigit()):
        return "NUMBER"
    if len(token) > 1 and token[-1] in "'\"":
        return "STRING"
    return token


def measure(pairs: Sequence[tuple[str, str]], bundle: Path | None) -> dict[str, Any]:
    """Shares of (broken, fixed) pairs repaired at each rank, by number of edits and together."""
    model = load_bundle(find_bundle(bundle))
    chosen = [
        (edits, broken, fixed)
        for broken, fixed in pairs
        if len(tokens := erased(broken)) < TOKENS and 1 <= (edits := _edits(tokens, fixed)) <= EDITS
    ]
    ranks: dict[str, list[int | None]] = defaultdict(list)
    for begin in range(0, len(chosen), BATCH):
        batch = chosen[begin : begin + BATCH]
        repairs = model.repairer().repair([broken for _, broken, _ in batch], top_k=max(RANKS))
        for (edits, _, fixed), repair in zip(batch, repairs, strict=True):
            rank = _rank(repair, erased(fixed))
            for name in (str(edits), "1 to 3"):
                ranks[name].append(rank)
    return {
        "items": len(pairs),
        "left_out": len(pairs) - len(chosen),
        "by_edits": {name: _shares(found) for name, found in sorted(ranks.items())},
    }


def _edits(tokens: tuple[str, ...], fixed: str) -> int:
    return Levenshtein.distance(tokens, erased(fixed))


def _rank(repair: Repair, wanted: tuple[str, ...]) -> int | None:
    """Place of the first answer that is right, from 1."""
    answers = (repair, *repair.alternatives)
    return next((number for number, answer in enumerate(answers, 1) if erased(answer.text) == wanted), None)


def _shares(found: Sequence[int | None]) -> dict[str, Any]:
    right = {rank: sum(place is not None and place <= rank for place in found) for rank in RANKS}
    return {
        "n": len(found),
        **{f"at_{rank}": [count / len(found), *wilson(count, len(found))] for rank, count in right.items()},
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Real syntax errors with names erased.")
    parser.add_argument("suite", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.suite.read_text().splitlines()]
    figures = measure([(row["buggy"], row["fixed"]) for row in rows], given.bundle)
    print("| edits | n | at 1 | at 5 | at 10 |\n|---|---|---|---|---|")
    for name, row in figures["by_edits"].items():
        cells = (
            f"{share:.1%} ({low:.1%} to {high:.1%})" for share, low, high in (row[f"at_{r}"] for r in RANKS)
        )
        print(f"| {name} | {row['n']:,} | {' | '.join(cells)} |")
    print(f"\n{figures['left_out']:,} of {figures['items']:,} items are longer or other edits away.")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
