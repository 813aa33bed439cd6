"""A security pair has one answer: equal buggy texts have equal fixed texts, and a slow pattern keeps its language."""

from __future__ import annotations

import ast
import itertools
import os
import re
import sys
import warnings
from pathlib import Path
from random import Random

import pytest

from ctm.bugs.registry import apply, registry
from ctm.bugs.security.names import NAMES
from ctm.bugs.security.rewrite import CHOICES, filled, holes_of
from ctm.bugs.security.write import SHAPES
from ctm.bugs.static_analysis.source import ParsedCode

registry()
DERIVED = {"env"}  # made of another hole's word
PATTERN_KINDS = ("regex_nested_repeat", "regex_overlap")
HOSTS = (
    "if re.match(r'[ab]+c', x): pass",
    "y = re.compile(r'^\\s+(\\d+)\\.\\w+$')",
    "y = re.sub(r'[a.]+,', '', x)",
)


def usual(*texts: str) -> dict[str, str]:
    """One word for each hole, the same for all texts."""
    words = {hole: CHOICES.get(hole) or NAMES.get(hole) or (hole,) for hole in holes_of(*texts)}
    return {hole: "PASSWORD" if hole == "env" else words[hole][0] for hole in words}


def test_equal_buggy_sides_have_equal_fixed_sides_in_all_kinds():
    """Each secure text that any kind knows is given to every kind, so that shapes and patterns meet each other."""
    secure_texts = {filled(s, usual(s, i)) for written, _ in SHAPES.values() for s, i in written}
    answers: dict[str, set[str]] = {}
    for written, _ in SHAPES.values():
        for secure, insecure in written:
            values = usual(secure, insecure)
            answers.setdefault(filled(insecure, values), set()).add(filled(secure, values))
    for text in sorted(secure_texts):
        source = ParsedCode(text)
        for name in SHAPES:
            kind = registry()[name]
            if kind.own and kind.own(source):
                for candidate in kind.mutator(source, Random(0)):
                    answers.setdefault(apply(text, candidate.buggy), set()).add(apply(text, candidate.fixed))
    unsure = {buggy: sorted(fixed) for buggy, fixed in answers.items() if len(fixed) > 1}
    assert not unsure, "two answers for one state: whoever learns them can only guess"


@pytest.mark.parametrize("name", list(SHAPES))
def test_no_part_of_an_answer_is_lost_in_the_buggy_side(name):
    written, rewrites = SHAPES[name]
    for secure, insecure in [*written, *((r.secure, r.insecure) for r in rewrites)]:
        assert set(holes_of(secure)) - set(holes_of(insecure)) <= DERIVED, (secure, insecure)


def patterns(code: str) -> list[str]:
    """First arguments of the calls of `re` in a text."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [c.args[0].value for c in calls if ast.unparse(c.func).startswith("re.")]


def regex_pairs() -> list[tuple[str, str]]:
    pairs = []
    for name in PATTERN_KINDS:
        for secure, insecure in SHAPES[name][0]:
            values = usual(secure, insecure)
            pairs.append((filled(insecure, values), filled(secure, values)))
        for text in HOSTS:
            made = registry()[name].mutator(ParsedCode(text), Random(1))
            pairs.extend((apply(text, c.buggy), apply(text, c.fixed)) for c in made)
    return [(b, f) for buggy, fixed in pairs for b, f in zip(patterns(buggy), patterns(fixed), strict=True)]


@pytest.mark.parametrize(("buggy", "fixed"), regex_pairs())
def test_a_slow_pattern_takes_the_same_texts_as_its_repair(buggy, fixed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slow, fast = re.compile(buggy), re.compile(fixed)
    signs = "a1 .@-#:,c"
    for length in range(5):
        for text in map("".join, itertools.product(signs, repeat=length)):
            for how in ("fullmatch", "match"):
                one, other = getattr(slow, how)(text), getattr(fast, how)(text)
                assert (one and one.span()) == (other and other.span()), (buggy, fixed, text, how)


def sides(kind: str) -> list[tuple[str, str]]:
    """(fixed, buggy) of the statements that a kind writes, with usual words."""
    return [tuple(filled(text, usual(*pair)) for text in pair) for pair in SHAPES[kind][0]]


def accepts(statement: str, base: str, name: str) -> bool:
    """Whether a statement of `unchecked_path` lets a name pass."""
    scope = {"os": os, "Path": Path, "abort": sys.exit, usual("$folder")["folder"]: base,
             usual("$file")["file"]: name}  # fmt: skip
    try:
        exec(statement, scope)
    except (ValueError, PermissionError, SystemExit):
        return False
    return True


@pytest.mark.parametrize("fixed", [fixed for fixed, _ in sides("unchecked_path")])
def test_a_checked_path_takes_every_name_in_its_folder_and_no_other(fixed, tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    for base in ("real", "./real", "link", str(tmp_path / "link"), str(tmp_path / "real")):
        assert accepts(fixed, base, "a.txt"), f"a name in {base} is refused"
        assert not accepts(fixed, base, "../a.txt") and not accepts(fixed, base, "../real2/a.txt")
    assert accepts(fixed, "/", "etc"), "the root is a folder as well"


def own_pairs(kind: str, text: str) -> list[tuple[str, str]]:
    """(buggy, fixed) of some draws."""
    made = [c for seed in range(20) for c in registry()[kind].mutator(ParsedCode(text), Random(seed))]
    return [(apply(text, c.buggy), apply(text, c.fixed)) for c in made]


@pytest.mark.parametrize("kind", ["md5_hash", "sha1_hash"])
def test_no_hash_of_a_password_is_called_mended(kind):
    for name in ("password", "user_pwd", "passwd", "userPassword", "client_secret", "pass_"):
        assert not own_pairs(kind, f"h = hashlib.sha256({name}.encode()).hexdigest()"), name
        assert not own_pairs(kind, f"def f({name}):\n    return {name}"), "nor written in beside one"
    assert not own_pairs(kind, 'h = hashlib.sha256(form["password"])')
    assert own_pairs(kind, "def f(passes, compass):\n    return hashlib.sha256(compass)"), (
        "words with `pass` in them"
    )
    assert not any("secret" in text or "password" in text for pair in sides(kind) for text in pair)


def test_a_fixed_name_is_opened_or_made():
    for fixed, buggy in sides("fixed_temporary_name"):
        assert re.search(r"\bopen\(|makedirs\(", buggy), buggy
        assert ("makedirs(" in buggy) == ("mkdtemp(" in fixed), "a folder for a folder, a file for a file"


@pytest.mark.parametrize("kind", ["mktemp", "fixed_temporary_name"])
def test_a_temporary_file_is_closed_and_kept_where_the_buggy_side_keeps_it(kind):
    for fixed, buggy in sides(kind):
        assert "mkstemp" not in fixed or "os.close(fd)" in fixed, "a descriptor that nobody closes"
        assert "with" not in buggy or "delete=False" in fixed or "mkdtemp" in fixed, "nobody could read it"


def test_rights_to_search_are_kept_for_folders_and_programs_alone():
    for kind in ("world_writable", "wide_creation_mode"):
        for fixed, _ in sides(kind):
            assert "0o755" not in fixed or re.search(r"mkdir\(|makedirs\(", fixed), fixed
    wide = {}
    for text in (
        "os.chmod(path, 0o755)",
        "os.chmod(filename, 0o755)",
        "path.chmod(0o755)",
        "os.chmod(out_dir, 0o755)",
        "Path(script).chmod(0o755)",
        "os.makedirs(path)\nos.chmod(path, 0o755)",
    ):
        wide[text] = {buggy for buggy, _ in own_pairs("world_writable", text)}
    given = [text for text in wide if text.replace("0o755", "0o777") in wide[text]]
    assert given == [
        "os.chmod(out_dir, 0o755)",
        "Path(script).chmod(0o755)",
        "os.makedirs(path)\nos.chmod(path, 0o755)",
    ]
    assert not {
        b for b, _ in own_pairs("wide_creation_mode", "go(a, mode=0o755)") if "go(a, mode=0o777)" in b
    }


class Log:
    """A log that keeps its texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def info(self, text: str) -> None:
        self.texts.append(text)

    warning = error = info


@pytest.mark.parametrize("fixed", [fixed for fixed, _ in sides("log_line_ends")])
def test_a_logged_text_has_no_line_end_of_either_sort(fixed):
    log = Log()
    values = {usual(f"${hole}")[hole]: "a\r\nb" for hole in ("user", "value")}
    exec(fixed, values | {usual("$log")["log"]: log})
    assert "\r" not in log.texts[0] and "\n" not in log.texts[0]
