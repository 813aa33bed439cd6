"""What git leaves out, said by git itself."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from ctm.repair.gitignore import IgnoreRules, parse_pattern, read_patterns, rules_above

GIT = shutil.which("git")
needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")


def ours(root: Path) -> set[str]:
    """Files of a repository that its rules leave in."""
    found: set[str] = set()

    def walk(folder: bytes, rules: IgnoreRules) -> None:
        rules = rules.below(folder)
        for entry in os.scandir(folder):
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name == b".git" or rules.leave_out(entry.path, is_folder):
                continue
            if is_folder:
                walk(entry.path, rules)
            else:
                found.add(os.fsdecode(os.path.relpath(entry.path, os.fsencode(root))))

    walk(os.fsencode(root), IgnoreRules())
    return found


def gits(root: Path) -> set[str]:
    if not (root / ".git").exists():
        subprocess.run(["git", "init", "-q", str(root)], check=True)
    command = ["git", "-c", f"core.excludesFile={os.devnull}", "ls-files", "-z", "-o", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True)
    return {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


@needs_git
@pytest.mark.parametrize(
    ("files", "left"),
    [
        (
            {".gitignore": "build/\n", "build/a.py": "", "b.py": "", "sub/build/c.py": "", "x/build": ""},
            "b.py",
        ),
        ({".gitignore": "/a.py\n", "a.py": "", "sub/a.py": ""}, "sub/a.py"),
        ({".gitignore": "data/**\n!data/keep.py\n", "data/a.py": "", "data/keep.py": ""}, "data/keep.py"),
        ({".gitignore": "/*\n!/src/\n!.gitignore\n", "a.py": "", "src/b.py": ""}, "src/b.py"),
        ({".gitignore": "*.py\n", "sub/.gitignore": "!a.py\n", "a.py": "", "sub/a.py": ""}, "sub/a.py"),
        ({".gitignore": "sub/\n", "sub/.gitignore": "!a.py\n", "sub/a.py": "", "b.py": ""}, "b.py"),
        ({".gitignore": "a/**/c.py\n", "a/c.py": "", "a/b/b/c.py": "", "a/d.py": ""}, "a/d.py"),
        ({".gitignore": "\\#a.py\n\\!b.py\n#c.py\n", "#a.py": "", "!b.py": "", "#c.py": ""}, "#c.py"),
        ({".gitignore": "a.py  \nb.py\\ \n", "a.py": "", "b.py ": "", "b.py": ""}, "b.py"),
        ({".gitignore": "\ufeffa.py\r\nb?.py\r\n", "a.py": "", "b1.py": "", "b.py": ""}, "b.py"),
        (
            {
                ".gitignore": "[a-c]*.py\n[!x].py\nx[[:digit:]].py",
                "b1.py": "",
                "d.py": "",
                "x1.py": "",
                "xy.py": "",
            },
            "xy.py",
        ),
        ({".gitignore": "[\n[a-\n\\\n[[:no:]]\n!\n/\n", "a.py": ""}, "a.py"),
        ({".gitignore": "caf\xe9.py\n", "caf\xe9.py": "", "cafe.py": ""}, "cafe.py"),
    ],
)
def test_as_git_has_it(tmp_path: Path, files: dict[str, str], left: str):
    tree(tmp_path, files)
    expected = gits(tmp_path)
    assert ours(tmp_path) == expected
    assert {name for name in expected if not name.endswith((".gitignore", "x/build"))} == {left}


@needs_git
def test_random_patterns_as_git_has_them(tmp_path: Path):
    draw = random.Random(0)
    names = ["a", "b", "ab", "x.py", "y.py", "a b", "-", "]", "!k", "#h", "a*b"]
    bits = [
        "a",
        "b",
        "*.py",
        "*",
        "**",
        "?",
        "[ab]",
        "[!a]",
        "[a-c]*",
        "[]-]",
        "[[:alpha:]]*",
        "\\!k",
        "\\#h",
    ]
    bits += ["a\\*b", "*b", "a**", "**b", "[", "[a-", "\\", "a b", "[--a]*", "x.py", "[\\]]"]

    def pattern() -> str:
        middle = "/".join(draw.choice(bits) for _ in range(draw.choice([1, 1, 2, 3])))
        before, after = draw.choice(["", "", "!", "/", "!/"]), draw.choice(["", "", "/", " ", "/**", "\\ "])
        return before + middle + after

    for case in range(60):  # each a folder of its own: one call of git for all
        for first in draw.sample(names, 3):
            for second in draw.sample(names, 3):
                tree(tmp_path, {f"{case}/{first}/{second}/{draw.choice(names)}": ""})
        patterns = "\n".join(pattern() for _ in range(draw.randint(1, 4)))
        tree(tmp_path, {f"{case}/.gitignore": patterns, f"{case}/{first}/.gitignore": pattern()})
    expected = gits(tmp_path)
    everything = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    everything = {name for name in everything if not name.startswith(".git/")}
    assert 100 < len(expected) < len(everything) - 100, "both kinds must be there for this to say anything"
    assert ours(tmp_path) == expected


@needs_git
def test_the_exclude_file_and_where_a_repository_ends(tmp_path: Path):
    tree(tmp_path, {".gitignore": "a.py\n", "sub/a.py": "", "inner/a.py": "", "inner/b.py": ""})
    gits(tmp_path)
    tree(tmp_path, {".git/info/exclude": "b.py\n", "b.py": ""})
    assert ours(tmp_path) == gits(tmp_path) == {".gitignore", "inner/b.py"} - {"inner/b.py"}
    subprocess.run(["git", "init", "-q", str(tmp_path / "inner")], check=True)
    assert ours(tmp_path) == {".gitignore", "inner/a.py", "inner/b.py"}, (
        "a repository inside has its own rules"
    )


@needs_git
def test_a_worktree_has_the_exclude_file_of_its_repository(tmp_path: Path):
    main, other = tmp_path / "main", tmp_path / "other"
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", "init", "-q", str(main)], check=True)
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "x"], cwd=main, check=True)
    subprocess.run(["git", "worktree", "add", "-q", str(other)], cwd=main, check=True, capture_output=True)
    tree(main, {".git/info/exclude": "a.py\n"})
    tree(other, {"a.py": "", "b.py": ""})
    assert ours(other) - {".git"} == gits(other) == {"b.py"}


def test_rules_of_the_folders_above(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    tree(
        tmp_path,
        {".gitignore": "out/\ngen*.py\n", "src/.gitignore": "x.py\n", "src/deep/a.py": "", "out/in/a.py": ""},
    )
    top = os.fsencode(os.path.realpath(tmp_path))
    deep = top + b"/src/deep"
    assert rules_above(deep).leave_out(deep + b"/gen1.py", False)
    assert rules_above(deep).leave_out(deep + b"/x.py", False)
    assert not rules_above(deep).leave_out(deep + b"/a.py", False)
    inside = top + b"/out/in"
    assert not rules_above(inside).leave_out(inside + b"/gen1.py", False), (
        "who names a folder left out means it"
    )
    (tmp_path / ".git").rmdir()
    assert rules_above(deep) == IgnoreRules() or os.path.lexists("/.git"), (
        "no repository, no rules from above"
    )


def test_a_link_is_no_gitignore(tmp_path: Path):
    tree(tmp_path, {"rules": "*\n"})
    (tmp_path / ".gitignore").symlink_to("rules")
    assert IgnoreRules().below(os.fsencode(tmp_path)) == IgnoreRules()


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"*a" * 200 + b"b", b"a" * 255),
        (b"**/a/" * 400 + b"b", b"a/" * 2000 + b"a"),
        (b"**/*a*a*a/" * 20 + b"b", (b"a" * 100 + b"/") * 40 + b"aaa"),
        (b"*[a]?" * 80 + b"b", b"a" * 255),
    ],
)
def test_no_pattern_takes_long(line: bytes, path: bytes):
    """A cloned repository brings patterns and names; tried in all ways these would take years."""
    pattern = parse_pattern(line)
    assert pattern is not None and not pattern.regex.fullmatch(path)
    assert pattern.regex.fullmatch(path + b"b") or pattern.regex.fullmatch(path + b"/b"), (
        "it matches what it should"
    )


def test_a_git_file_may_lead_to_a_name_that_cannot_be(tmp_path: Path):
    """It comes with a copied tree, and one such file must not end a run over many folders."""
    tree(tmp_path, {".git": "gitdir: a\0b\n", ".gitignore": "x\n"})
    assert len(IgnoreRules().below(os.fsencode(tmp_path)).levels) == 2


@pytest.mark.parametrize("line", [b"", b"#", b" ", b"!", b"/", b"[", b"a[b", b"\\", b"[[:x:]]", b"[a-"])
def test_a_pattern_that_matches_nothing_is_none(line: bytes):
    assert parse_pattern(line) is None


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"*a" * 50 + b"*b", b"a" * 250),
        (b"**/a/" * 50 + b"b", b"a/" * 1000 + b"c"),
        (b"*?" * 50 + b"b", b"a" * 250),
    ],
)
def test_a_hostile_pattern_takes_no_time(pattern: bytes, path: bytes):
    """A cloned repository brings its patterns; five stars took four seconds for one name."""
    begin = time.monotonic()
    assert parse_pattern(pattern).regex.fullmatch(path) is None
    assert time.monotonic() - begin < 1


def test_stars_match_what_they_did_without_that():
    """Held against every way to split a text at the stars, which is what they mean."""
    draw = random.Random(3)
    for _ in range(3000):
        pattern = bytes(draw.choices(b"*ab?", k=draw.randint(1, 7)))
        text = bytes(draw.choices(b"ab", k=draw.randint(0, 8)))
        slow = re.compile(re.sub(rb"[*]+", b".*", pattern).replace(b"?", b"."))
        found = parse_pattern(pattern)
        assert bool(found.regex.fullmatch(text)) is bool(slow.fullmatch(text)), (pattern, text)
    for _ in range(3000):
        parts = draw.choices([b"**", b"a", b"b", b"*"], k=draw.randint(2, 5))
        text = b"/".join(draw.choices([b"a", b"b", b"ab"], k=draw.randint(1, 6)))
        pattern = b"/".join(parts)
        slow = b""
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            if part == b"**":
                slow += b".+" if last else b"(?:.*/)?"
            else:
                slow += part.replace(b"*", b"[^/]*") + b"/" * (not last)
        found = parse_pattern(b"/" + pattern)
        assert bool(found.regex.fullmatch(text)) is bool(re.fullmatch(slow, text)), (pattern, text)


def test_an_endless_file_of_patterns_is_an_error(tmp_path: Path):
    """A cloned repository brings it: reading 100 MB of patterns would take minutes."""
    (tmp_path / ".gitignore").write_bytes(b"a\n" * (1 << 18))
    with pytest.raises(OSError, match="more than 262,144 bytes of patterns"):
        read_patterns(os.fsencode(tmp_path / ".gitignore"))
