"""Which files a command looks at, and that it says what it did not look at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.repair.cli import app
from ctm.repair.discover import TWICE, Discovery

BROKEN = "def add(a, b)\n    return a + b\n"


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(BROKEN)
    return root


def found(*paths: str | Path) -> tuple[list[str], dict[str, int]]:
    """Paths to look at as they are shown, and what was left out; there must be no problem."""
    discovery = Discovery()
    files = list(discovery.files(map(str, paths)))
    assert all(problem == "" for _, problem in files)
    return [path for path, _ in files], dict(+discovery.left_out)


def test_python_files_in_order_and_nothing_else(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(
        tree(tmp_path, "b.py", "a.py", "sub/c.pyi", "a/d.py", "e.txt", "f.pyc", "x.py/g.py", "py")
    )
    assert found(".") == (["a.py", "b.py", "a/d.py", "sub/c.pyi", "x.py/g.py"], {})
    assert found("sub", "./a/")[0] == ["sub/c.pyi", "a/d.py"]


@pytest.mark.parametrize(
    "name", ["venv", "env", "build", "dist", "node_modules", "site-packages", "__pycache__"]
)
def test_folders_that_tools_fill_are_left_out_at_any_depth_and_counted(tmp_path: Path, name: str):
    tree(tmp_path, f"{name}/a.py", f"src/{name}/deep/b.py", "src/c.py", f"{name}.py")
    files, left_out = found(tmp_path)
    assert [Path(path).name for path in files] == [f"{name}.py", "c.py"]
    assert left_out == {f"folders named {name}": 2}


def test_hidden_folders_and_virtual_environments_of_any_name(tmp_path: Path):
    tree(tmp_path, ".venv/a.py", "mine/lib/b.py", "conda/c.py", "d.py")
    (tmp_path / "mine" / "pyvenv.cfg").touch()
    (tmp_path / "conda" / "conda-meta").mkdir()
    files, left_out = found(tmp_path)
    assert files == [str(tmp_path / "d.py")]
    assert left_out == {"hidden folders": 1, "virtual environments": 2}


def test_what_is_named_is_looked_at_whatever_its_place(tmp_path: Path):
    tree(tmp_path, "venv/a.py", "build/sub/b.py", ".hidden/c.py", "d.txt")
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / ".git").mkdir()
    named = [tmp_path / name for name in ("venv/a.py", "d.txt", "build", ".hidden", "venv")]
    files, left_out = found(*named)
    shown = [str(Path(path).relative_to(tmp_path)) for path in files]
    assert shown == ["venv/a.py", "d.txt", "build/sub/b.py", ".hidden/c.py"]
    assert left_out == {TWICE: 1}


def test_what_git_leaves_out_is_left_out(tmp_path: Path):
    tree(tmp_path, "a.py", "gen/b.py", "src/c.py", "src/d.py", "src/deep/e.py", "local.py")
    tree(tmp_path, ".git/info/exclude", ".git/hooks/f.py")
    (tmp_path / ".git/info/exclude").write_text("local.py\n")
    (tmp_path / ".gitignore").write_text("/gen/\nd.py\n")
    (tmp_path / "src" / "deep" / ".gitignore").write_text("e.py\n")
    left_out = {"files that git leaves out": 3, "folders that git leaves out": 1, "hidden folders": 1}
    assert found(tmp_path) == ([str(tmp_path / "a.py"), str(tmp_path / "src/c.py")], left_out)
    assert found(tmp_path / "src")[0] == [str(tmp_path / "src/c.py")], (
        "the rules of the folders above hold too"
    )


def test_links_are_not_followed_and_lead_to_no_circle(tmp_path: Path):
    outside = tree(tmp_path / "outside", "x.py", "y.py")
    inside = tree(tmp_path / "inside", "a.py", "sub/b.py")
    (inside / "x.py").symlink_to(outside / "x.py")
    (inside / "out").symlink_to(outside)
    (inside / "sub" / "up").symlink_to("..")
    (inside / "loop.py").symlink_to("loop.py")
    (inside / "gone.py").symlink_to("nowhere")
    (inside / "again.py").symlink_to("a.py")
    files, left_out = found(inside)
    assert files == [str(inside / "a.py"), str(inside / "sub/b.py")]
    assert left_out == {"links, which are not followed": 6}


def test_the_same_file_is_looked_at_once(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tree(tmp_path, "a.py", "sub/b.py"))
    (tmp_path / "link.py").symlink_to("a.py")
    os.link(tmp_path / "a.py", tmp_path / "hard.py")
    assert found("link.py", "a.py", "./sub/../a.py", "hard.py", "-", "-") == (["link.py", "-"], {TWICE: 4})
    files, left_out = found("sub", ".", tmp_path)
    assert files == ["sub/b.py", "a.py"] and left_out[TWICE] == 5
    assert found("none.py", "none.py") == (["none.py"], {TWICE: 1}), "reading it says that it is not there"


def test_a_file_that_was_replaced_meanwhile_is_still_the_same(tmp_path: Path):
    tree(tmp_path, "a.py", "new")
    walk = Discovery().files([str(tmp_path / "a.py")] * 2)
    assert next(walk)[0] == str(tmp_path / "a.py")
    (tmp_path / "new").replace(tmp_path / "a.py")
    assert list(walk) == []


def test_a_pipe_is_left_out_of_a_folder(tmp_path: Path):
    tree(tmp_path, "a.py")
    os.mkfifo(tmp_path / "b.py")
    assert found(tmp_path) == ([str(tmp_path / "a.py")], {"devices, pipes and sockets": 1})


def test_a_folder_that_cannot_be_read_is_named_and_the_rest_is_looked_at(tmp_path: Path, monkeypatch):
    tree(tmp_path, "a.py", "closed/b.py", "sub/c.py")
    real = os.scandir

    def scandir(path: str):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert list(Discovery().files([str(tmp_path)])) == [
        (str(tmp_path / "a.py"), ""),
        (str(tmp_path / "closed"), "permission denied"),
        (str(tmp_path / "sub/c.py"), ""),
    ]


def test_a_gitignore_that_cannot_be_read_is_no_reason_to_look_at_everything(tmp_path: Path, monkeypatch):
    from ctm.repair import gitignore

    tree(tmp_path, "a.py", "sub/.gitignore", "sub/b.py")
    real = gitignore.read_patterns

    def read(path: bytes):
        if path.endswith(b"sub/.gitignore"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(gitignore, "read_patterns", read)
    assert list(Discovery().files([str(tmp_path)])) == [
        (str(tmp_path / "a.py"), ""),
        (str(tmp_path / "sub/.gitignore"), "permission denied"),
    ]


def test_names_that_are_not_utf_8(tmp_path: Path):
    name = os.fsdecode(b"\xff.py")
    try:
        tree(tmp_path, name)
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    (tmp_path / ".gitignore").write_bytes(b"no\xff.py\n")
    assert found(tmp_path)[0] == [str(tmp_path / name)]
    (tmp_path / ".gitignore").write_bytes(b"\xff.py\n")
    assert found(tmp_path)[0] == []


def test_the_command_counts_what_was_left_out_and_names_a_folder_with_nothing(
    colon_bundle: Path, tmp_path: Path
):
    tree(tmp_path, "a/venv/a.py", "a/build/b.py", "a/c/build/d.py", "e.py")
    runner = CliRunner()
    done = runner.invoke(app, ["fix", str(tmp_path / "a"), "--bundle", str(colon_bundle), "-v"])
    assert done.exit_code == 0 and done.stdout == ""
    assert [line for line in done.stderr.splitlines() if "checksums" not in line] == [
        f"ctm-repair: {tmp_path / 'a'}: no Python files to look at",
        "ctm-repair: skipped 2: folders named build",
        "ctm-repair: skipped 1: folders named venv",
    ]
    done = runner.invoke(app, ["fix", str(tmp_path), "--bundle", str(colon_bundle)])
    assert done.exit_code == 1 and done.stderr == "" and done.stdout.count("+++ ") == 1
