"""Writing loses nothing: no other's change, no metadata, no old content."""

from __future__ import annotations

import errno
import os
import stat
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.repair import cli, files
from ctm.repair.source import FileError, PythonFile, read_source
from ctm.repair.write import replace_file, write_source

BROKEN, FIXED = "def add(a, b)\n    return a + b\n", "def add(a, b):\n    return a + b\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "a.py"
    made.write_text(BROKEN)
    return made


def repaired(path: Path) -> tuple[PythonFile, PythonFile]:
    before = read_source(path)
    return before, before.splice(0, 1, ["def add(a, b):"])


def refused(path: Path, before: PythonFile, after: PythonFile, why: str) -> None:
    """The file is left as it is, and nothing is left beside it."""
    there, content, inode = sorted(os.listdir(path.parent)), path.read_bytes(), path.stat().st_ino
    with pytest.raises(FileError, match=why):
        write_source(path, before, after)
    assert sorted(os.listdir(path.parent)) == there, "no temporary file is left"
    assert path.read_bytes() == content and path.stat().st_ino == inode


def test_mode_and_links_stay(tmp_path: Path, path: Path):
    path.chmod(0o6754)
    link = tmp_path / "link.py"
    link.symlink_to(path)
    write_source(link, *repaired(link))
    assert link.is_symlink() and path.read_text() == FIXED
    assert stat.S_IMODE(path.stat().st_mode) == 0o6754
    assert sorted(os.listdir(tmp_path)) == ["a.py", "link.py"]


def test_a_name_as_long_as_names_can_be(tmp_path: Path):
    path = tmp_path / ("a" * 252 + ".py")
    path.write_text(BROKEN)
    write_source(path, *repaired(path))
    assert path.read_text() == FIXED


# --- lost updates ---------------------------------------------------------------------------------------------------


def test_a_file_that_changed_since_it_was_read_is_not_written(path: Path):
    before, after = repaired(path)
    path.write_text(BROKEN + "# another line\n")
    refused(path, before, after, "changed while ctm-repair was running")


def test_neither_is_another_file_of_the_same_content(path: Path):
    before, after = repaired(path)
    (path.parent / "new").write_text(BROKEN)
    (path.parent / "new").replace(path)
    refused(path, before, after, "changed")


def test_nor_one_that_is_gone_or_a_link_by_now(path: Path):
    before, after = repaired(path)
    path.rename(path.with_name("b.py"))
    with pytest.raises(FileError, match="changed"):
        write_source(path, before, after)
    assert os.listdir(path.parent) == ["b.py"]
    path.with_name("c.py").write_text(BROKEN)
    path.symlink_to("c.py")
    refused(path, before, after, "changed")


def test_the_file_is_read_again_right_before_the_rename(path: Path, monkeypatch):
    """A change while the new file is being written, after the first look, is seen too."""
    before, after = repaired(path)
    real = os.fsync

    def fsync(handle: int) -> None:
        real(handle)
        path.write_text("# saved just now\n")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(FileError, match="changed"):
        write_source(path, before, after)
    assert path.read_text() == "# saved just now\n" and os.listdir(path.parent) == ["a.py"]


# --- metadata -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o444, 0o464, 0o555])
def test_a_read_only_file_is_left_alone(path: Path, mode: int):
    before, after = repaired(path)
    path.chmod(mode)
    refused(path, before, after, "read-only")


def test_a_file_with_two_names_is_left_alone(path: Path):
    os.link(path, path.with_name("b.py"))
    refused(path, *repaired(path), "2 hard links")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays(path: Path):
    os.chown(path, 1234, 4321)
    path.chmod(0o4755)
    write_source(path, *repaired(path))
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321) and path.read_text() == FIXED
    assert stat.S_IMODE(status.st_mode) == 0o4755, "a change of owner takes the set-user bit away"


def test_an_owner_that_cannot_be_kept_is_a_reason_not_to_write(path: Path, monkeypatch):
    real = os.fstat

    def fstat(handle: int) -> os.stat_result:
        status = real(handle)
        if status.st_ino == path.stat().st_ino:
            fields = list(status)
            fields[stat.ST_UID] += 1
            return os.stat_result(fields)
        return status

    def fchown(handle: int, user: int, group: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    before, after = repaired(path)
    monkeypatch.setattr(os, "fstat", fstat)
    monkeypatch.setattr(os, "fchown", fchown)
    refused(path, before, after, "owner")


def set_attribute(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except (AttributeError, OSError) as error:
        pytest.skip(f"no {name} here: {error}")


def access_list(user: int) -> bytes:
    """acl(5) as Linux stores it: version 2, then tag, permissions, id: owner, a user, group, mask, others."""
    nobody = 0xFFFFFFFF
    entries = [(1, 6, nobody), (2, 6, user), (4, 4, nobody), (16, 6, nobody), (32, 4, nobody)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_attributes_and_access_lists_stay(path: Path):
    set_attribute(path, "user.note", b"keep")
    set_attribute(path, "system.posix_acl_access", access_list(1234))
    mode = path.stat().st_mode
    write_source(path, *repaired(path))
    assert path.read_text() == FIXED
    assert os.getxattr(path, "user.note") == b"keep"
    assert os.getxattr(path, "system.posix_acl_access") == access_list(1234)
    assert path.stat().st_mode == mode


def test_the_access_list_that_a_folder_gives_to_new_files_is_not_taken_over(path: Path):
    set_attribute(path.parent, "system.posix_acl_default", access_list(1234))
    path.chmod(0o600)
    write_source(path, *repaired(path))
    assert path.read_text() == FIXED and "system.posix_acl_access" not in os.listxattr(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_attribute_that_cannot_be_kept_is_a_reason_not_to_write(path: Path, monkeypatch):
    set_attribute(path, "user.note", b"keep")

    def setxattr(*arguments: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    before, after = repaired(path)
    monkeypatch.setattr(os, "setxattr", setxattr)
    refused(path, before, after, r"attribute user\.note")


# --- a half file ----------------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch):
    def fsync(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before, after = repaired(path)
    monkeypatch.setattr(os, "fsync", fsync)
    refused(path, before, after, "no space left")


def test_no_link_can_be_laid_where_the_temporary_file_will_be(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda size: "known")
    (tmp_path / "victim").write_text("old")
    (tmp_path / ".ctm-repair-known.tmp").symlink_to("victim")
    with pytest.raises(FileExistsError):
        replace_file(tmp_path / "out", b"new")
    assert (tmp_path / "victim").read_text() == "old" and not (tmp_path / "out").exists()


def test_the_folder_is_written_to_disk_after_the_rename(path: Path, monkeypatch):
    synced: list[bool] = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(stat.S_ISDIR(os.fstat(handle).st_mode)), real(handle))
    )
    write_source(path, *repaired(path))
    assert synced == [False, True]


# --- the command ----------------------------------------------------------------------------------------------------


def fix(*arguments: str | Path):
    return CliRunner().invoke(cli.app, ["fix", *map(str, arguments)])


def test_write_says_what_it_wrote_unless_told_not_to(colon_bundle: Path, path: Path):
    path.with_name("clean.py").write_text(FIXED)
    done = fix(path.parent, "--write", "--bundle", colon_bundle)
    assert (done.exit_code, done.stdout) == (1, "") and path.read_text() == FIXED
    assert done.stderr == f"ctm-repair: repaired {path}: 1 change\n"
    path.write_text(BROKEN)
    assert fix(path, "--write", "-q", "--bundle", colon_bundle).stderr == ""
    assert path.read_text() == FIXED


def test_what_is_not_written_is_one_line_and_status_2_and_the_next_file_is_handled(
    colon_bundle: Path, path: Path, monkeypatch
):
    """The file changes while the model thinks."""
    other = path.with_name("b.py")
    other.write_text(BROKEN)
    real = files.fix_source

    def slow(source: PythonFile, repairer, **options):
        fixed = real(source, repairer, **options)
        path.write_text(BROKEN + "# typed meanwhile\n")
        return fixed

    monkeypatch.setattr(files, "fix_source", slow)
    done = fix(path, other, "--write", "--bundle", colon_bundle)
    assert done.exit_code == 2 and path.read_text() == BROKEN + "# typed meanwhile\n"
    assert other.read_text() == FIXED
    assert done.stderr.splitlines() == [
        f"ctm-repair: {path}: not written: the file changed while ctm-repair was running; run it again",
        f"ctm-repair: repaired {other}: 1 change",
    ]
