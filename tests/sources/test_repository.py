import subprocess
from pathlib import Path

import pytest

from ctm.sources.repository import about


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": '[project]\nname = "My.Tool"\nlicense = "MIT"\n'}, ("my-tool", "MIT", "pyproject.toml")),
        ({"pyproject.toml": '[project]\nname = "a"\nlicense = {text = "MIT"}\n'}, ("a", "MIT", "pyproject.toml")),
        ({"pyproject.toml": '[tool.poetry]\nname = "b"\nlicense = "MIT"\n'}, ("b", "MIT", "pyproject.toml")),
        ({"setup.py": 'setup(\n    name="c",\n    license="MIT",\n)\n'}, ("c", "MIT", "setup.py")),
        ({"setup.py": 'a = {\n    "name": "d",\n    "license": "MIT",\n}\nsetup(**a)\n'}, ("d", "MIT", "setup.py")),
        ({"LICENSE": "MIT License\n", "pyproject.toml": "[tool]\npoetry = 1\n"}, ("fallback", "MIT", "LICENSE")),
        ({"pyproject.toml": "no = [toml"}, ("fallback", "", "")),
    ],
)  # fmt: skip
def test_name_and_licence_are_read_where_the_project_states_them(
    files: dict[str, str], expected: tuple[str, str, str], tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path)], check=True)
    stream = b"commit HEAD\ncommitter A <a@example.org> 1600000000 +0000\ndata 1\nx\n"
    for name, text in files.items():
        stream += b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(text.encode()), text.encode())
    subprocess.run(["git", "fast-import", "--quiet"], cwd=tmp_path, input=stream, check=True)
    found = about(tmp_path, "fallback", 60)
    assert (found.project, found.licence, found.licence_source) == expected
