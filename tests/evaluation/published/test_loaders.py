"""Loaders of published suites, on tiny copies of each layout that are made here: what is kept, and why not the rest."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
from ctm.evaluation.published.checksum import checksum
from ctm.evaluation.published.loading import (
    BROKEN_FIX,
    NO_FIX,
    NO_TEST,
    NOT_PYTHON,
    NOT_UTF8,
    SAME,
    TOO_LARGE,
    SuiteError,
)
from ctm.evaluation.published.registry import LAYOUTS, load_suite
from ctm.evaluation.published.settings import LayoutName, SuiteSettings
from ctm.repair.sandbox import run_test, unavailable

RIGHT = "def total(values):\n    return sum(values)\n"
WRONG = "def total(values):\n    return min(values)\n"
PYTHON_2 = "def total(values):\n    print values\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def lines(path: Path, *rows: Any) -> Path:
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


# --- QuixBugs -------------------------------------------------------------------------------------------------------


@pytest.fixture
def quix(tmp_path: Path) -> Path:
    """A program with tests, one without, one without a correction, one that is right already; a helper module."""
    for name, buggy, fixed in (
        ("total", WRONG, RIGHT),
        ("walk", "def walk(graph):\n    return 1\n", "def walk(graph):\n    return 2\n"),
        ("lonely", WRONG, None),
        ("same", RIGHT, RIGHT + "# a comment\n"),
        ("node", "class Node: pass\n", "class Node: pass\n"),
        ("walk_test", "print(1)\n", "print(2)\n"),
    ):
        write(tmp_path / f"python_programs/{name}.py", buggy)
        if fixed is not None:
            write(tmp_path / f"correct_python_programs/{name}.py", fixed)
    write(tmp_path / "json_testcases/total.json", "[[[1, 2, 3]], 6]\n\n[[[5]], 5]\n")
    return tmp_path


def test_quixbugs_programs_have_their_test_cases(quix: Path) -> None:
    loaded = quixbugs.load(quix)
    assert [(item.item_id, bool(item.test)) for item in loaded.items] == [("total", True), ("walk", False)]
    assert loaded.dropped == {NO_FIX: 1, SAME: 1} and loaded.notes == {NO_TEST: 2}
    assert loaded.items[0].category == "logic"


@pytest.mark.skipif(bool(unavailable()), reason="no sandbox here")
def test_the_tests_of_quixbugs_tell_right_from_wrong(quix: Path) -> None:
    item = quixbugs.load(quix).items[0]
    assert run_test(RIGHT, item.test).passed is True
    assert run_test(WRONG, item.test).passed is False


@pytest.mark.skipif(bool(unavailable()), reason="no sandbox here")
@pytest.mark.parametrize(
    ("name", "code", "cases", "passes"),
    [
        (
            "pairs",
            "def pairs(a, b):\n    yield (a, b)\n",
            "[[1, 2], [[1, 2]]]",
            True,
        ),  # generators and tuples
        ("double", "def double(x):\n    return 2 * x\n", "[3, 6]", True),  # one argument without a list
        ("sqrt", "def sqrt(x, e):\n    return 1.4\n", "[[2, 0.1], 1.41421356]", True),  # as near as it says
        ("sqrt", "def sqrt(x, e):\n    return 1.2\n", "[[2, 0.1], 1.41421356]", False),
    ],
)
def test_answers_are_compared_as_the_suites_own_tests_do(
    tmp_path: Path, name: str, code: str, cases: str, passes: bool
) -> None:
    write(tmp_path / f"python_programs/{name}.py", "def f():\n    pass\n")
    write(tmp_path / f"correct_python_programs/{name}.py", code)
    write(tmp_path / f"json_testcases/{name}.json", cases)
    assert run_test(code, quixbugs.load(tmp_path).items[0].test).passed is passes


def test_a_checkout_that_is_none_says_what_is_missing(quix: Path) -> None:
    with pytest.raises(SuiteError, match="no folder python_programs/ in it"):
        quixbugs.load(quix / "json_testcases")
    write(quix / "json_testcases/total.json", "[1, 2]\n[1, 2, 3]\n")
    with pytest.raises(SuiteError, match=r"total.json:2: expected \[arguments, expected\]"):
        quixbugs.load(quix)


# --- HumanEvalPack --------------------------------------------------------------------------------------------------

TASK = {
    "task_id": "Python/0",
    "declaration": "def total(values):\n",
    "buggy_solution": "    return min(values)\n",
    "canonical_solution": "    return sum(values)\n",
    "bug_type": "function misuse",
    "test": "def check(total):\n    assert total([1, 2]) == 3\n",
    "entry_point": "total",
}


def test_humanevalpack_puts_declaration_and_body_together_and_calls_the_check(tmp_path: Path) -> None:
    called = {**TASK, "task_id": "Python/1", "test": TASK["test"] + "\ncheck(total)"}
    rows = [TASK, called, {**TASK, "task_id": "Java/0"}, {**TASK, "task_id": "Python/2", "test": ""}]
    loaded = humanevalpack.load(lines(tmp_path / "python.jsonl", *rows))
    assert [item.item_id for item in loaded.items] == ["Python/0", "Python/1", "Python/2"]
    first, second, third = loaded.items
    assert (first.buggy, first.fixed, first.kind) == (WRONG, RIGHT, "function misuse")
    assert first.test.count("check(total)") == 2 == second.test.count("check(total)"), (
        "defined and called once"
    )
    assert third.test == "" and loaded.notes == {NO_TEST: 1} and loaded.dropped == {NOT_PYTHON: 1}


def test_a_field_that_is_missing_is_named_with_file_line_and_the_keys_there_are(tmp_path: Path) -> None:
    row = {key: value for key, value in TASK.items() if key != "buggy_solution"}
    path = lines(tmp_path / "python.jsonl", TASK, row)
    with pytest.raises(SuiteError) as caught:
        humanevalpack.load(path)
    assert str(caught.value).startswith(
        f'{path}:2: "buggy_solution" is missing; the keys there are task_id, decl'
    )


# --- the others -----------------------------------------------------------------------------------------------------


def test_condefects_takes_python_programs_and_groups_them_by_task(tmp_path: Path) -> None:
    for program, buggy, fixed in (("1", WRONG, RIGHT), ("2", WRONG, None), ("3", WRONG, PYTHON_2)):
        write(tmp_path / f"Code/abc001_a/Python/{program}/faultyVersion.py", buggy)
        if fixed is not None:
            write(tmp_path / f"Code/abc001_a/Python/{program}/correctVersion.py", fixed)
    write(tmp_path / "Code/abc001_a/Java/9/faultyVersion.java", "class A {}")
    loaded = condefects.load(tmp_path)
    assert [(item.item_id, item.project) for item in loaded.items] == [("abc001_a/1", "abc001_a")]
    assert loaded.dropped == {NOT_PYTHON: 1, NO_FIX: 1, BROKEN_FIX: 1}


def test_sven_keeps_python_and_takes_away_the_methods_indentation(tmp_path: Path) -> None:
    row = {
        "func_name": "run",
        "func_src_before": "    def run(self, name):\n        os.system('ls ' + name)\n",
        "func_src_after": "    def run(self, name):\n        subprocess.run(['ls', name])\n",
        "vul_type": "cwe-078",
        "file_name": "tool.py",
        "commit_link": "github.com/someone/tool/commit/0123abc",
    }
    lines(tmp_path / "train/cwe-078.jsonl", row, {**row, "file_name": "tool.c"})
    lines(tmp_path / "val/cwe-078.jsonl", {**row, "func_src_after": row["func_src_before"]})
    loaded = sven.load(tmp_path)
    (item,) = loaded.items
    assert (item.item_id, item.category, item.kind, item.project) == (
        "train/cwe-078/1", "security", "cwe-078", "someone/tool",
    )  # fmt: skip
    assert item.buggy.startswith("def run(self, name):\n    os.system")
    assert loaded.dropped == {NOT_PYTHON: 1, SAME: 1}


def test_debugbench_reads_lists_and_both_names_of_the_solution(tmp_path: Path) -> None:
    row = {
        "slug": "sum",
        "language": "python3",
        "subtype": "misused method",
        "buggy_code": "\n" + WRONG,
        "solution": RIGHT,
    }
    old = {"slug": "sum", "buggy_code": WRONG, "oracle_code": RIGHT}
    write(tmp_path / "all.json", json.dumps([row, {**row, "language": "cpp"}]))
    write(tmp_path / "python3_single.json", json.dumps([old]))
    loaded = debugbench.load(tmp_path)
    assert [(item.item_id, item.kind, item.project) for item in loaded.items] == [
        ("all/1", "misused method", "sum"),
        ("python3_single/1", "", "sum"),
    ]
    assert loaded.dropped == {NOT_PYTHON: 1}


def test_bifi_has_broken_code_without_a_fix_and_clean_code(tmp_path: Path) -> None:
    bad = {
        "7": {"code_string": "x = (1\n"},
        "8": {"code_string": "x = 1\n"},
        "9": {"code_string": "x = 1\n" * 20_000},
    }
    write(tmp_path / "data/orig_bad_code/orig.bad.json", json.dumps(bad))
    write(tmp_path / "data/orig_good_code/orig.good.json", json.dumps({"1": {"code_string": RIGHT}}))
    loaded = bifi.load(tmp_path)
    assert [(item.item_id, item.category, item.fixed) for item in loaded.items] == [
        ("bad/7", "syntax", ""),
        ("good/1", "clean", RIGHT),
    ]
    assert loaded.dropped == {bifi.PARSES: 1, TOO_LARGE: 1}


PATCH = """\
diff --git a/kit/count.py b/kit/count.py
index 1..2 100644
--- a/kit/count.py
+++ b/kit/count.py
@@ -10,4 +10,4 @@ def count(values):
     seen = set()
     for value in values:
-        seen = value
+        seen.add(value)
     return len(seen)
@@ -30,3 +30,3 @@ def other():
         first(
-            1,
+            2,
             3,
diff --git a/tests/test_count.py b/tests/test_count.py
--- a/tests/test_count.py
+++ b/tests/test_count.py
@@ -1 +1 @@
-x = 1
+x = 2
diff --git a/setup.cfg b/setup.cfg
--- a/setup.cfg
+++ b/setup.cfg
@@ -1 +1 @@
-a = 1
+a = 2
"""


def test_bugsinpy_has_hunks_that_parse_by_themselves_in_a_function_where_they_return(tmp_path: Path) -> None:
    write(tmp_path / "projects/kit/bugs/3/bug_patch.txt", PATCH)
    loaded = bugsinpy.load(tmp_path)
    (item,) = loaded.items
    assert (item.item_id, item.project) == ("kit/3#1", "kit")
    assert item.fixed == (
        "async def hunk(self):\n    seen = set()\n    for value in values:\n        seen.add(value)\n"
        "    return len(seen)\n"
    )
    assert loaded.dropped == {bugsinpy.CUT: 1, bugsinpy.OF_A_TEST: 1, NOT_PYTHON: 1}


def test_a_patch_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "projects/kit/bugs/3/bug_patch.txt", "+++ b/a.py\n@@ -1,9 +1,9 @@\n x = 1\n")
    with pytest.raises(SuiteError, match=r"bug_patch.txt: the last hunk has fewer lines than it says"):
        bugsinpy.load(tmp_path)


# --- the registry ---------------------------------------------------------------------------------------------------


def test_every_layout_of_the_config_has_a_loader_and_says_where_it_is_from() -> None:
    assert set(LAYOUTS) == set(LayoutName.__args__)  # type: ignore[attr-defined]
    for name, layout in LAYOUTS.items():
        assert layout.item and layout.license and layout.citation, name


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (humanevalpack.load, "{"),
        (sven.load, "[1, 2]"),
        (debugbench.load, '"text"'),
        (bifi.load, "3"),
        (json_lines.load, '{"id": 1}'),
    ],
)
def test_what_is_another_layout_is_refused_with_the_file(
    tmp_path: Path, load: Callable[[Path], object], text: str
) -> None:
    path = write(tmp_path / "orig.bad.jsonl", text)
    with pytest.raises(SuiteError, match=r"orig\.bad\.jsonl"):
        load(path)


def test_a_folders_sum_is_what_the_documented_command_prints(tmp_path: Path) -> None:
    write(tmp_path / "b/two.py", "2\n")
    write(tmp_path / "B.py", "3\n")
    write(tmp_path / "b.txt", "1\n")
    write(tmp_path / ".git/index", "other in every clone")
    command = (
        "find . -type f -not -path './.git/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    )
    printed = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert checksum(tmp_path) == printed.stdout.split()[0]
    write(tmp_path / ".git/index", "changed")
    assert checksum(tmp_path) == printed.stdout.split()[0]
    write(tmp_path / "b.txt", "changed")
    assert checksum(tmp_path) != printed.stdout.split()[0]


def test_another_content_a_missing_path_and_a_bad_sum_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = lines(tmp_path / "mine.jsonl", {"id": 1, "buggy": WRONG, "fixed": RIGHT})
    right = SuiteSettings(str(path), "json_lines", checksum(path))
    assert len(load_suite("mine", right).items) == 1
    with pytest.raises(
        SuiteError, match=f"has the sha256 {checksum(path)}, not 0000.*real_suites.mine.sha256"
    ):
        load_suite("mine", SuiteSettings(str(path), "json_lines", "0" * 64))
    with pytest.raises(SuiteError, match=r"real_suites\.mine: .*nowhere: no such file or folder"):
        load_suite("mine", SuiteSettings(str(tmp_path / "nowhere"), "json_lines", "0" * 64))
    with pytest.raises(ValueError, match="must be 64 hexadecimal digits in lower case"):
        SuiteSettings(str(path), "json_lines", "A" * 64)


def test_a_suite_without_items_says_what_became_of_them(tmp_path: Path) -> None:
    row = {**TASK, "task_id": "Java/0"}
    path = lines(tmp_path / "java.jsonl", row, row)
    with pytest.raises(SuiteError, match=r"no items of layout humanevalpack \(2 not Python\)"):
        load_suite("java", SuiteSettings(str(path), "humanevalpack", checksum(path)))


@pytest.mark.parametrize("link", ["mine.jsonl", "sub"])
def test_nothing_is_read_that_the_sum_does_not_hold(tmp_path: Path, link: str) -> None:
    """Else a suite could be changed, or hold what trained, and keep its sum."""
    row = {"func_src_before": WRONG, "func_src_after": RIGHT, "vul_type": "cwe-1", "file_name": "a.py"}
    outside = lines(tmp_path / "outside/mine.jsonl", row)
    suite = lines(tmp_path / "suite/own.jsonl", row).parent
    lines(suite / ".git/more.jsonl", row)
    os.mkfifo(suite / "never_ends.jsonl")
    settings = SuiteSettings(str(suite), "sven", checksum(suite))
    assert [item.item_id for item in load_suite("mine", settings).items] == ["suite/own/1"]
    (suite / link).symlink_to(outside if link.endswith("l") else outside.parent)
    assert checksum(suite) == settings.sha256
    with pytest.raises(SuiteError, match=rf"real_suites\.mine: .*/suite/{link} is a link.*delete the link"):
        load_suite("mine", settings)


def test_a_name_that_is_not_utf_8_has_a_sum(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.py")).write_text("1")
    (tmp_path / ".git").write_text("gitdir: where the worktree's is")
    command = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    printed = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert checksum(tmp_path) == printed.stdout.split()[0]


def test_what_no_file_can_hold_or_nobody_reads_is_counted_in_every_layout(tmp_path: Path) -> None:
    """Half a surrogate pair would stop the rule when it writes, after the model was asked about everything."""
    good = {"id": 1, "buggy": WRONG, "fixed": RIGHT}
    half = [{**good, name: "\ud800"} for name in ("id", "buggy", "kind", "project", "category")]
    huge = {**good, "buggy": "x = 1\n" * 20_000, "category": "logic"}
    path = lines(tmp_path / "mine.jsonl", good, *half, huge)
    loaded = load_suite("mine", SuiteSettings(str(path), "json_lines", checksum(path)))
    assert len(loaded.items) == 1 and loaded.dropped == {NOT_UTF8: 5, TOO_LARGE: 1}


def test_one_file_that_is_not_utf_8_does_not_stop_a_suite(tmp_path: Path, quix: Path) -> None:
    for number, comment in enumerate((b"", b"# \x93\xfa\x96\x7b\n")):
        folder = tmp_path / f"contest/Code/abc/Python/{number}"
        write(folder / "faultyVersion.py", WRONG)
        (write(folder / "correctVersion.py", "")).write_bytes(comment + RIGHT.encode())
    write(tmp_path / "contest/Code/abc/Python/README.md", "beside the programs")
    loaded = condefects.load(tmp_path / "contest")
    assert len(loaded.items) == 1 and loaded.dropped == {NOT_UTF8: 1}
    (tmp_path / "projects/p/bugs/1").mkdir(parents=True)
    (tmp_path / "projects/p/bugs/1/bug_patch.txt").write_bytes(b"\xff")
    assert bugsinpy.load(tmp_path / "projects").dropped == {NOT_UTF8: 1}
    before = len(quixbugs.load(quix).items)
    (quix / "python_programs/other.py").write_bytes(b"\xff")
    write(quix / "correct_python_programs/other.py", RIGHT)
    loaded = quixbugs.load(quix)
    assert len(loaded.items) == before and loaded.dropped[NOT_UTF8] == 1


def test_a_patch_that_is_elsewhere_or_counts_in_5000_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="not at projects/PROJECT/bugs/NUMBER/"):
        bugsinpy.load(write(tmp_path / "bug_patch.txt", ""))
    patch = write(tmp_path / "projects/p/bugs/1/bug_patch.txt", f"@@ -1,{'9' * 5000} +1,2 @@\n x\n")
    with pytest.raises(SuiteError, match="a count of 5,000 digits"):
        bugsinpy.load(patch)
