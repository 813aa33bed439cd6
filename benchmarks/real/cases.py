"""Single reports with their right fix: how many end as it, and what the others lose.

    .venv/bin/python benchmarks/real/cases.py CASES --bundle runs/demo/results/final

CASES is a folder: index.jsonl, lines {"id", "category"}, and ID.buggy.py and ID.fixed.py of each. A case is right if
its repaired file has the syntax tree of the fixed one; of the category "tooling", the same bytes.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections import Counter
from pathlib import Path

from ctm.repair.admit import refuse_or_skip
from ctm.repair.bundle import Bundle, load_bundle
from ctm.repair.files import fix_source
from ctm.repair.source import FileError, parse_source
from ctm.repair.text_loss import text_loss

BUNDLE = Path(__file__).parents[2] / "runs" / "demo" / "results" / "final"
NEEDLESS = 5


def tree(raw: bytes) -> str | None:
    """The syntax tree of a file, None where it has none."""
    try:
        return ast.dump(ast.parse(raw))
    except (SyntaxError, ValueError):
        return None


def look_at(folder: Path, case: dict[str, str], bundle: Bundle) -> tuple[bool, str]:
    """Whether a case ends as its right fix, and what became of it in a few words."""
    buggy, fixed = ((folder / f"{case['id']}.{side}.py").read_bytes() for side in ("buggy", "fixed"))
    try:
        source = parse_source(buggy)
        result = refuse_or_skip(source, "") or fix_source(source, bundle.repairer())
    except FileError as error:
        return False, f"refused: {error}"
    after = result.after.encode()
    right = after == fixed if case["category"] == "tooling" else tree(after) == tree(fixed) is not None
    gone, wanted = (text_loss(buggy.decode(), side.decode()).words for side in (after, fixed))
    needless = len(gone) - len(wanted)
    lost = f", loses {needless} words needlessly" if needless > NEEDLESS and not right else ""
    return right, f"{result.status}{lost}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", type=Path)
    parser.add_argument("--bundle", type=Path, default=BUNDLE)
    given = parser.parse_args()
    bundle = load_bundle(given.bundle)
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in (given.cases / "index.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        is_right, what = look_at(given.cases, case, bundle)
        total[case["category"]] += 1
        right[case["category"]] += is_right
        print(f"{'right' if is_right else '-':6} {case['id']:40} {what}")
    for category, count in total.items():
        print(f"{category}: {right[category]} of {count}")


if __name__ == "__main__":
    main()
