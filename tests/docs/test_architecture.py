"""The picture of the packages is what the code does, and the page names only what is there."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _script():
    spec = importlib.util.spec_from_file_location("packages", ROOT / "docs/assets/packages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_of_the_packages_is_true():
    """A picture that lies is worse than none: who follows it puts an import where none may be."""
    script = _script()
    drawn = script.drawn(script.PICTURE.read_text(encoding="utf-8"))
    assert drawn == script.imports(), "draw it again: python docs/assets/packages.py --write"


def test_every_package_has_a_role_in_the_picture():
    """A new package that the picture leaves out would not be found."""
    packages = {path.parent.name for path in (ROOT / "ctm").glob("*/__init__.py")}
    assert packages - {"pipeline"} <= _script().ROLES.keys()


def test_pages_import_what_is_there():
    """Python in the pages is pasted by readers; each `from ctm... import` must find its module and its names."""
    missing = []
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        code = "".join(
            re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        )
        for module, names in re.findall(r"^from (ctm[\w.]*) import ([\w, ]+)$", code, re.MULTILINE):
            found = importlib.import_module(module)
            missing += [
                f"{page.name}: {module}.{name}" for name in names.split(", ") if not hasattr(found, name)
            ]
    assert not missing, "these pages import what is not there"
