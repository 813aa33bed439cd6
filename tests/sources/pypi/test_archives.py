"""Wheels and source distributions are read as data, whatever is in them."""

from __future__ import annotations

import io
import random
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from ctm.sources.pypi import archives
from ctm.sources.pypi.archives import PackageArchiveError, read_archive
from helpers.fake_index import sdist, wheel

FILES = {"pack/core.py": "x = 1\n", "examples/hello.py": "print('hello')\n", "README.md": "# pack\n"}


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "name"),
    [(sdist("pack", FILES), "pack-1.0.tar.gz"), (wheel("pack", FILES), "pack-1.0-py3-none-any.whl")],
)
def test_python_files_and_metadata_come_out(tmp_path: Path, content: bytes, name: str) -> None:
    archive = read_archive(saved(tmp_path, content), name, 1000)
    assert archive.files == {"pack/core.py": b"x = 1\n", "examples/hello.py": b"print('hello')\n"}
    assert archive.metadata["License"] == "MIT"


def test_a_file_that_is_too_large_shows_it_and_costs_no_more_memory(tmp_path: Path) -> None:
    content = sdist("pack", {"big.py": "x = 1\n" * 1000})
    assert len(read_archive(saved(tmp_path, content), "pack-1.0.tar.gz", 100).files["big.py"]) == 101


def test_paths_that_lead_out_and_links_are_left_out(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in ("pack-1.0/../../evil.py", "pack-1.0/good.py", "outside.py"):
            info = tarfile.TarInfo(name)
            info.size = 6
            archive.addfile(info, io.BytesIO(b"x = 1\n"))
        link = tarfile.TarInfo("pack-1.0/link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert set(read_archive(saved(tmp_path, buffer.getvalue()), "pack-1.0.tar.gz", 100).files) == {"good.py"}


def test_an_archive_that_is_none_or_a_trap_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PackageArchiveError, match=r"pack-1\.0\.tar\.gz"):
        read_archive(saved(tmp_path, b"no archive"), "pack-1.0.tar.gz", 100)
    whole = sdist("pack", FILES)
    with pytest.raises(PackageArchiveError, match=r"pack-1\.0\.tar\.gz"):
        read_archive(saved(tmp_path, whole[: len(whole) // 2]), "pack-1.0.tar.gz", 100)
    monkeypatch.setattr(archives, "MOST_BYTES", 10)
    for content, name in ((whole, "pack-1.0.tar.gz"), (wheel("pack", FILES), "pack-1.0-py3-none-any.whl")):
        with pytest.raises(PackageArchiveError, match="MB unpacked"):
            read_archive(saved(tmp_path, content), name, 100)


def test_faults_of_each_sort_of_compression_are_named(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        info = tarfile.TarInfo("pack-1.0/pack.py")
        info.size = 60_000
        archive.addfile(info, io.BytesIO(random.Random(0).randbytes(60_000)))
    damaged = bytearray(buffer.getvalue())
    damaged[len(damaged) // 2 :] = bytes(len(damaged) - len(damaged) // 2)
    with pytest.raises(PackageArchiveError, match=r"pack-1\.0\.tar\.xz"):
        read_archive(saved(tmp_path, bytes(damaged)), "pack-1.0.tar.xz", 100_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("pack.py", "x = 1\n" * 1000)
    damaged = bytearray(buffer.getvalue())
    damaged[38:48] = b"\xff" * 10
    with pytest.raises(PackageArchiveError, match=r"pack\.whl"):
        read_archive(saved(tmp_path, bytes(damaged)), "pack.whl", 100_000)


def test_names_that_are_no_text_backslashes_and_links_of_zips(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        info = tarfile.TarInfo("pack-1.0/caf\xe9.py")
        info.size = 6
        archive.addfile(info, io.BytesIO(b"x = 1\n"))
    (name,) = read_archive(saved(tmp_path, buffer.getvalue()), "pack-1.0.tar.gz", 100).files
    assert name == "caf?.py"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("pack\\inner.py", "x = 1\n")
        link = zipfile.ZipInfo("link.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    assert set(read_archive(saved(tmp_path, buffer.getvalue()), "pack.whl", 100).files) == {"pack/inner.py"}


def test_the_metadata_of_a_copy_inside_does_not_count(tmp_path: Path) -> None:
    inner = "Metadata-Version: 2.1\nName: q\nVersion: 1\nLicense: GPL\n"
    content = wheel("pack", {"pack/_vendor/q-1.dist-info/METADATA": inner})
    assert read_archive(saved(tmp_path, content), "pack.whl", 100).metadata["License"] == "MIT"


def test_metadata_in_bytes_that_are_no_text_can_still_be_asked(tmp_path: Path) -> None:
    content = wheel("pack", {"pack.py": "x = 1\n"}, license="MIT\nAuthor: J\xf6rg")
    assert (
        read_archive(saved(tmp_path, content), "pack-1.0-py3-none-any.whl", 100).metadata["License"] == "MIT"
    )
