"""Valid syntax of a newer Python: named with its version and place, never edited; slips stay broken code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from ctm.python.compiling import compiles
from ctm.python.newer_syntax import OLDEST, RUNNING, TOO_NEW, in_older_words, newer_constructs
from ctm.repair.admit import refuse_or_skip
from ctm.repair.source import FileError, PythonFile, parse_source
from ctm.repair.versions import parse_target, too_new_for

NEWER = {
    "type Pair = tuple[int, int]\n": (3, 12),
    "class Outer:\n    type Rows[T] = list[\n        T\n    ]\n": (3, 12),
    "class Box[T: (int, str), *Ts, **P]:\n    pass\n": (3, 12),
    "def first[T](rows: list[T]) -> T:\n    return rows[0]\n": (3, 12),
    "print(f'{row['name']:>{sizes['name']}}')\n": (3, 12),
    "print(f\"{'\\n'.join(rows)} {len(rows)}\")\n": (3, 12),
    "x = ('a' f'{\n    n  # how many\n}')\n": (3, 12),
    "async def f():\n    return f'{await g(f'{x['y']}')!r}'\n": (3, 12),
    "class Box[T = int]:\n    pass\n": (3, 13),
    "def f[*Ts = *tuple[int], **P = [int]]():\n    pass\n": (3, 13),
    "x = t'hello {row['name']}'\n": (3, 14),
    "try:\n    f()\nexcept A, B, C:\n    pass\n": (3, 14),
    "try:\n    f()\nexcept* A, B:\n    pass\n": (3, 14),
    "class Box[T]:\n    pass\ntry:\n    f()\nexcept A, B:\n    pass\n": (3, 14),
    "rows = [*row for row in table]\n": (3, 15),
    "import os\nlazy from json import loads\n": (3, 15),
}
MATCH = "match x:\n    case 1:\n        pass\n"
GROUP = "try:\n    f()\nexcept* A:\n    pass\n"
SLIPS = [
    "def f(a)\n    return a\n",
    "print 'x'\n",
    "try:\n    f()\nexcept IOError, error:\n    print error\n",
    "try:\n    f()\nexcept IOError, error:\n    print(f'{error}')\n",
    "print(f'it's {a}')\n",
    "print(f'{a['b'}')\n",
    "print(f'{}')\n",
    "print f'{row['name']}'\n",
    "x = format'{row['name']}'\n",
    "class Box[]:\n    pass\n",
    "class Box[1]:\n    pass\n",
    "type = = int\n",
    "print(f'{row['name']}'\n",
]


def source(text: str) -> PythonFile:
    return parse_source(text.encode())


@pytest.mark.parametrize(("text", "since"), NEWER.items())
def test_newer_syntax_is_named_with_its_version(text: str, since: tuple[int, int]):
    if since <= RUNNING:
        pytest.skip("this Python takes it")
    with pytest.raises(FileError, match=rf"valid for Python 3\.{since[1]} and later \(.*line \d"):
        refuse_or_skip(source(text), "a.py")


@pytest.mark.parametrize(("text", "since"), NEWER.items())
def test_a_target_that_takes_it_has_nothing_to_repair(text: str, since: tuple[int, int]):
    if since <= RUNNING:
        pytest.skip("this Python takes it")
    fixed = refuse_or_skip(source(text), "a.py", since)
    assert fixed is not None and fixed.status == "clean" and fixed.after is fixed.before


@pytest.mark.parametrize("text", SLIPS)
def test_slips_stay_broken_code(text: str):
    assert not compiles(text)
    assert refuse_or_skip(source(text), "a.py") is None


def test_a_syntax_error_beside_newer_f_strings_is_repaired():
    assert refuse_or_skip(source("x = f'{row['name']}'\ndef f(a)\n    return a\n"), "a.py") is None


@pytest.mark.skipif(RUNNING >= (3, 12), reason="this Python takes it")
def test_a_file_for_a_newer_python_that_is_broken_elsewhere_is_not_touched():
    with pytest.raises(FileError, match=r"type parameters, line 1.*broken elsewhere.*Python 3\.12"):
        refuse_or_skip(source("class Box[T]:\n    pass\ndef f(a)\n    return a\n"), "a.py")


@pytest.mark.skipif(RUNNING >= (3, 12), reason="this Python takes it")
def test_quotes_in_an_f_string_are_a_slip_for_a_named_older_target_only():
    text = source("print(f'{row['name']}')\n")
    with pytest.raises(FileError, match=r"nothing to repair; --target-version 3\.11 repairs it"):
        refuse_or_skip(text, "a.py")
    assert refuse_or_skip(text, "a.py", (3, 11)) is None
    with pytest.raises(FileError, match=r"the target is Python 3\.10: nothing to repair$"):
        refuse_or_skip(source("type X = int\n"), "a.py", (3, 10))


def test_two_names_behind_except_are_python_2_unless_the_text_cannot_be():
    assert not newer_constructs("try:\n    f()\nexcept IOError, error:\n    pass\n", (3, 8))
    assert newer_constructs("try:\n    f()\nexcept IOError, f():\n    pass\n", (3, 8))


def test_assigning_to_an_attribute_of_a_type_is_no_alias():
    assert not newer_constructs("type(a).b = c\ntype(a)[0] = c\ntype(a.b).c = \\\n    d\n", (3, 8))


def test_the_oldest_python_is_that_of_the_package():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={OLDEST[0]}.{OLDEST[1]}"
    assert TOO_NEW.endswith(f"{OLDEST[0]}.{OLDEST[1]}")


@pytest.mark.parametrize(
    ("text", "target", "words"),
    [
        (MATCH, (3, 9), "valid for Python 3.10 and later (pattern matching, line 1)"),
        (MATCH, (3, 10), ""),
        (GROUP, (3, 10), "valid for Python 3.11 and later (exception groups, line 1)"),
        ("x = 1\n", (3, 8), ""),
    ],
)
def test_what_is_too_new_for_an_older_target_is_named(text: str, target: tuple[int, int], words: str):
    assert too_new_for(text, target) == words
    if words and target < RUNNING:
        with pytest.raises(FileError, match="nothing is edited"):
            refuse_or_skip(source(text), "a.py", target)


def test_stand_ins_keep_the_rest_of_the_text():
    text = "# é\nclass Box[T]:\n    pass\n\n\ntype X = Box[int]  # later\n"
    assert in_older_words(text, newer_constructs(text, (3, 11))) == (
        "# é\nclass Box:\n    pass\n\n\nX = Box[int]  # later\n"
    )


def test_a_target_is_a_version():
    assert parse_target("3.12") == (3, 12)
    for wrong in ("3", "2.7", "3.7", "py312", "3.12.1", "3.123", ""):
        with pytest.raises(ValueError, match=r"a version such as 3\.12, from Python 3\.8 on"):
            parse_target(wrong)


@pytest.mark.parametrize(
    "text",
    ["type X = " + "(" * 100_000, "f'{" * 100_000, "x = f'" + "{1" + "+1" * 50_000 + "}'"],
    ids=["brackets", "f-strings", "terms"],
)
def test_hostile_texts_take_no_time(text: str):
    begin = time.process_time()
    newer_constructs(text)
    assert time.process_time() - begin < 5, "linear: some tenths of a second"


def test_the_command_names_it_and_writes_nothing(colon_bundle: Path, tmp_path: Path):
    if RUNNING >= (3, 14):
        pytest.skip("this Python takes it")
    path = tmp_path / "a.py"
    path.write_text("x = t'hello {name}'\n")

    def fix(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ctm.repair.cli", "fix", str(path), "--bundle", str(colon_bundle)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run([*command, *options], capture_output=True, text=True, env=environment)

    done = fix("--write")
    assert done.returncode == 2 and path.read_text() == "x = t'hello {name}'\n"
    assert done.stderr.startswith(f"ctm-repair: {path}: valid for Python 3.14 and later (t-string, line 1)")
    done = fix("--write", "--target-version", "3.14")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = fix("--target-version", "2.7")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "--target-version" in done.stderr
