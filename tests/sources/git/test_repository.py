import subprocess
from pathlib import Path

import pytest

from ctm.sources.git.repository import about, remote_name, setup_name


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": '[project]\nname = "My.Tool"\nlicense = "MIT"\n'}, ("my-tool", "MIT", "pyproject.toml")),
        ({"pyproject.toml": '[project]\nname = "a"\nlicense = {text = "MIT"}\n'}, ("a", "MIT", "pyproject.toml")),
        ({"pyproject.toml": '[tool.poetry]\nname = "b"\nlicense = "MIT"\n'}, ("b", "MIT", "pyproject.toml")),
        ({"setup.py": 'setup(\n    name="c",\n    license="MIT",\n)\n'}, ("c", "MIT", "setup.py")),
        ({"pyproject.toml": '[tool.flit.metadata]\nmodule = "d"\nlicense = "MIT"\n'}, ("d", "MIT", "pyproject.toml")),
        ({"setup.cfg": "[metadata]\nname = e\nlicense = MIT\n"}, ("e", "MIT", "setup.cfg")),
        ({"setup.py": "setup(name=read_name(), license='MIT')\n"}, ("fallback", "", "")),
        ({"LICENSE": "MIT License\n", "pyproject.toml": "[tool]\npoetry = 1\n"}, ("fallback", "MIT", "LICENSE")),
        ({"pyproject.toml": "no = [toml"}, ("fallback", "", "")),
    ],
)  # fmt: skip
def test_name_and_license_are_read_where_the_project_states_them(
    files: dict[str, str], expected: tuple[str, str, str], tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path)], check=True)
    stream = b"commit HEAD\ncommitter A <a@example.org> 1600000000 +0000\ndata 1\nx\n"
    for name, text in files.items():
        stream += b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(text.encode()), text.encode())
    subprocess.run(["git", "fast-import", "--quiet"], cwd=tmp_path, input=stream, check=True)
    found = about(tmp_path, "fallback", 60)
    assert (found.project, found.license, found.license_source) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("setup(name='a')", "a"),
        ("import setuptools\nsetuptools.setup(name='a', ext_modules=[Extension(name='a._speed')])", "a"),
        ("kwargs = {'name': 'sanic', 'version': version}\nsetup(**kwargs)", "sanic"),
        ("setup(**dict(name='a', version='1'))", "a"),
        ("NAME: str = 'a.b'\nsetup(name=NAME)", "a.b"),
        ("NAME = 'a'\nkwargs = dict(name=NAME)\nif True:\n    setup(**kwargs)", "a"),
        ("print 'Python 2'\nsetup(\n    name='a',\n)", "a"),
        ("print 'Python 2'\nkwargs = {\n    'name': 'a',\n}", "a"),
        ("setup(name=name, ext_modules=[Extension(name='a._speed')])", ""),
        ("setup(name=f'{x}')", ""),
        ("setup(name='no name')", ""),
        ("", ""),
    ],
)
def test_the_name_in_a_setup_py_is_read_and_never_run(text: str, name: str) -> None:
    assert setup_name(text) == name


def test_a_repository_without_a_name_is_called_after_its_remote_and_then_its_folder(tmp_path: Path) -> None:
    clone = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", str(clone)], check=True)
    assert remote_name(str(clone), 60) == "repo"
    origin = "https://user:secret@example.org/owner/Sanic_Tool.git"
    subprocess.run(["git", "remote", "add", "origin", origin], cwd=clone, check=True)
    assert remote_name(str(clone), 60) == "sanic-tool"
    assert remote_name(str(clone / ".git"), 60) == "sanic-tool", "a bare mirror"
    assert remote_name("https://example.org/owner/other.git", 60) == "other"
    assert remote_name(str(tmp_path / "gone"), 60) == "gone"
