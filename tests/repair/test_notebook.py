"""Notebooks: which cells are read, what IPython means by their lines, and that nothing but a cell's code changes."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ctm.repair.cli import app
from ctm.repair.files import fix_source
from ctm.repair.magics import awaits_at_top, compiles_in_cell, mask
from ctm.repair.notebook import (
    CELL_MAGICS,
    OTHER_CELLS,
    OTHER_LANGUAGE,
    Cell,
    CellPath,
    Notebook,
    _is_python,
    read_notebook,
)
from ctm.repair.passes import Repairer
from ctm.repair.selection import Selection
from ctm.repair.source import FileError, lines_of
from ctm.repair.targets import repair_source
from ctm.repair.text_edits import applied

LAYOUTS = [
    {"indent": 1, "ensure_ascii": False},
    {"indent": 2},
    {"indent": "\t", "ensure_ascii": False},
    {"separators": (",", ":")},
    {},
]
BROKEN = ["def add(a, b)\n", "    return a + b"]


def code(*lines: str, **metadata) -> dict:
    cell = {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": []}
    return {**cell, "source": list(lines)}


def book(*cells: dict, language: str = "python", **more) -> dict:
    metadata = {"kernelspec": {"name": "x", "language": language}, "zeta": 1.50, "alpha": "é"}
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5, **more}


MARKDOWN = {"cell_type": "markdown", "metadata": {}, "source": ["# Title — é"]}


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_only_the_line_that_was_repaired_changes(layout: dict, end: str):
    """A notebook is under version control like all code: a diff that reindents it hides the repair."""
    content = book(MARKDOWN, code(*BROKEN), code("x = 'é'"), code())
    text = json.dumps(content, **layout) + end
    notebook = Notebook("book.ipynb", text)
    assert list(notebook.sources) == [2, 3, 4]
    after = notebook.replaced(2, lines_of("def add(a, b):\n    return a + b"))
    assert after == text.replace("def add(a, b)", "def add(a, b):")
    for number in (2, 3):
        assert notebook.replaced(number, notebook.cell(number)) == text


@given(st.lists(st.text('ab\n\r\\"é\u2028\t\x0c😀', max_size=8), min_size=1), st.sampled_from(LAYOUTS))
def test_any_code_comes_back(lines: list[str], layout: dict):
    """Whatever the layout says: the code that was put in is the code that is read, and the rest is the same."""
    notebook = Notebook("b", json.dumps(book(MARKDOWN, code("a"), code("b")), **layout))
    wanted = "".join(lines)
    after = Notebook("b", notebook.replaced(2, lines_of(wanted)))
    assert after.cell(2).text == lines_of(wanted).text
    source = json.loads(after.text)["cells"][1].pop("source")
    assert isinstance(source, list) and "".join(source) == wanted
    assert after.replaced(2, lines_of("a")) == notebook.text or not wanted


def test_lines_that_come_have_the_spelling_of_the_others():
    text = '{"nbformat": 4, "cells": [{"cell_type": "code", "source": [\n  "x = \\"\\u00e9\\"\\n",\n  "(1"\n ]}]}'
    after = Notebook("b", text).replaced(1, lines_of('x = "é"\ny = "ü"\n(1)'))
    assert after == text.replace('"(1"', '"y = \\"\\u00fc\\"\\n",\n  "(1)"')
    text = '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = \'é\'\\n(1"}]}'
    assert Notebook("b", text).replaced(1, lines_of("x = 'é'\n(1)")) == text.replace('(1"', '(1)"')


def test_what_is_not_python_is_counted():
    cells = [code("%%bash\n", "ls ("), code("select", vscode={"languageId": "sql"}), code("\n", "%%time\n")]
    notebook = Notebook("b", json.dumps(book(*cells, code("x = 1"))))
    assert list(notebook.sources) == [4] and notebook.left_out == {CELL_MAGICS: 2, OTHER_CELLS: 1}
    notebook = Notebook("b", json.dumps(book(code(*BROKEN), language="R")))
    assert not notebook.sources and notebook.left_out == {OTHER_LANGUAGE: 1}
    bare = {"cells": [code(*BROKEN)], "metadata": {}, "nbformat": 4}
    assert Notebook("b", json.dumps(bare)).sources, "a notebook that does not say is taken for Python"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a notebook: line 1: expecting value"),
        ('{"cells": [}', "not a notebook: line 1"),
        ("[]", "no nbformat"),
        ('{"nbformat": 3, "worksheets": []}', "nbformat 3; 4 is read"),
        ('{"nbformat": 4}', "not as they should be"),
        ('{"nbformat": 4, "cells": {}}', "not as they should be"),
        ('{"nbformat": 4, "cells": [1]}', "not as they should be"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}', "not as they should be"),
        ('{"nbformat": 4, "metadata": [], "cells": []}', "not as they should be"),
        ("[" * 100_000, "not as they should be"),
        ('{"nbformat": 4, "cells": [], "nbformat_minor": ' + "9" * 5000 + "}", "not as they should be"),
    ],
)
def test_what_is_no_notebook_is_one_error(text: str, words: str):
    with pytest.raises(FileError, match=words):
        Notebook("b", text)


@pytest.mark.parametrize("source", ["x = '\\ud800'", "x\\u0000"])
def test_a_cell_that_is_no_text_is_an_error(source: str):
    cell = f'{{"nbformat": 4, "cells": [{{"cell_type": "code", "source": ["{source}"]}}]}}'
    with pytest.raises(FileError, match=r"surrogate|null byte"):
        Notebook("b", cell).cell(1)


# --- magics ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "magics"),
    [
        ("%matplotlib inline\nx = 1", [0]),
        ("def f():\n    !ls {x}\n    %time g()\nf?\n?f\nf.g??\nnp.*load*?", [1, 2, 3, 4, 5, 6]),
        ("files = !ls\na, b = %sql x\ny = 1", [0, 1]),
        ("!pip install \\\n    numpy \\\n  x\nx = 1", [0, 1, 2]),
        ("x = ('%s'\n%name)", []),
        ("x = ('%s'\n   % name\n%time y", [2]),
        ("x = '''\n%time\n!ls\n'''\n(1", []),
        ("x != y\nx = y % 3 == 1  # why?\n(1", []),
        ("x = 7 \\\n  % 3\n(1", []),
        (",f a b\n/g 1\n(1", [0, 1]),
    ],
)
def test_lines_that_ipython_does_not_read_as_python_stand_aside(text: str, magics: list[int]):
    """A `%` that goes on an expression is Python: what compiles is never touched, the rest by place and bracket."""
    cell = mask(lines_of(text))
    shown = cell.source.lines
    assert [number for number, line in enumerate(text.split("\n")) if shown[number] != line] == magics
    assert cell.text("\n".join(shown)) == text


def test_a_name_that_a_magic_binds_stays_bound():
    assert mask(lines_of("files = !ls\nfiles")).source.lines[0].startswith("files = None  #")


def test_edits_of_a_cell_point_into_the_cell_as_it_is(fake, tokenizer):
    """Reports and SARIF fixes count characters; a line that stands aside has others than its stand-in."""

    def colons(state):
        lines = state.text.split("\n")
        number = next(n for n, line in enumerate(lines) if line.startswith("def") and line[-1] != ":")
        lines[number] += ":"
        return [("\n".join(lines), -0.1)]

    text = "%time f\ndef f()\n    !ls\n    return 1\n%x\ndef g()\n    return 2"
    name = CellPath(Cell(Notebook("b", json.dumps(book(code(text)))), 1))
    repairer = Repairer(fake(colons), tokenizer, 0.5)
    fixed = repair_source(
        lines_of(text), name, "b", None, partial(fix_source, repairer=repairer), selection=Selection()
    )
    assert fixed.after.text == text.replace("()", "():") and fixed.before.text == text
    for change in fixed.changes:
        text = applied(text, change.edits)
    assert text == fixed.after.text and len(fixed.changes) == 2
    assert all("ctm: ignore" not in change.before + change.after for change in fixed.changes)


def test_await_at_the_top_of_a_cell_is_right():
    """IPython runs it; a repair would wrap or delete it."""
    assert compiles_in_cell("x = await f()\nasync with a:\n    pass")
    assert not compiles_in_cell("x = await f(") and awaits_at_top("x = await f(")
    assert not compiles_in_cell("return 1") and not awaits_at_top("async def f()\n    await g()")


# --- the command ----------------------------------------------------------------------------------------------------


def save(path: Path, content: dict) -> str:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_cells_are_repaired_shown_and_written_one_by_one(colon_bundle: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "book.ipynb"
    text = save(path, book(MARKDOWN, code("%load x\n", *BROKEN), code("await f()"), code(*BROKEN)))
    path.chmod(0o640)
    run = CliRunner().invoke
    done = run(app, ["fix", ".", "--bundle", str(colon_bundle)])
    assert done.exit_code == 1
    heads = [line for line in done.stdout.splitlines() if line.startswith("+++ ")]
    assert heads == ["+++ sub/book.ipynb:cell 2\t", "+++ sub/book.ipynb:cell 4\t"]
    assert " %load x\n-def add(a, b)\n+def add(a, b):\n" in done.stdout
    assert path.read_text(encoding="utf-8") == text
    done = run(app, ["fix", "sub/book.ipynb", "--write", "--bundle", str(colon_bundle)])
    assert done.exit_code == 1 and "repaired sub/book.ipynb:cell 4: 1 change" in done.stderr
    assert path.read_text(encoding="utf-8") == text.replace("def add(a, b)", "def add(a, b):")
    assert path.stat().st_mode & 0o777 == 0o640
    assert run(app, ["fix", ".", "--bundle", str(colon_bundle)]).exit_code == 0


@pytest.mark.parametrize("output_format", ["sarif", "github", "gitlab"])
def test_programs_are_told_of_the_notebook_not_of_a_file_that_is_none(
    colon_bundle: Path, tmp_path: Path, monkeypatch, output_format: str
):
    """GitHub drops an annotation of `book.ipynb:cell 2`, and a line of a cell is none of the JSON."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "book.ipynb", book(MARKDOWN, code("x = 1\n", *BROKEN), code("x = 1\n", *BROKEN)))
    given = ["fix", "book.ipynb", "--bundle", str(colon_bundle), "--output-format", output_format]
    text = CliRunner().invoke(app, given).stdout
    assert "cell 2, line 2: " in text.replace("%3A", ":").replace("%2C", ",") and "ipynb:cell" not in text
    assert "ipynb%3Acell" not in text
    if output_format == "sarif":
        results = json.loads(text)["runs"][0]["results"]
        assert len({item["partialFingerprints"]["primaryLocationLineHash"] for item in results}) == 2
        assert not any("fixes" in item for item in results)


def test_a_magic_is_not_changed(colon_bundle: Path, tmp_path: Path):
    """The fake model puts a colon where the compiler complains; here that is a line with a mark."""
    save(tmp_path / "a.ipynb", book(code("for x in y\n", "%time x\n", "z = (1")))
    save(tmp_path / "b.ipynb", book(code("await f(")))
    done = CliRunner().invoke(app, ["fix", str(tmp_path), "--bundle", str(colon_bundle)])
    assert done.exit_code == 3 and "%time x:" not in done.stdout
    assert "b.ipynb:cell 1: no repair found" in done.stderr and "await at the top" in done.stderr


def test_a_notebook_may_be_left_alone_or_be_none(colon_bundle: Path, tmp_path: Path):
    save(tmp_path / "a.ipynb", book(MARKDOWN, code("# ctm: ignore-file\n", "(1"), code("(2")))
    save(tmp_path / "b.ipynb", book(code("x = ("), language="julia"))
    (tmp_path / "c.ipynb").write_text("{}")
    done = CliRunner().invoke(app, ["fix", str(tmp_path), "--bundle", str(colon_bundle), "-v"])
    said = [line for line in done.stderr.splitlines() if "checksums" not in line]
    assert done.exit_code == 2 and said == [
        f"ctm-repair: {tmp_path}/c.ipynb: not a notebook: it has no nbformat",
        "ctm-repair: skipped 1: files with # ctm: ignore-file",
        "ctm-repair: skipped 1: notebooks in another language",
    ]


def test_a_notebook_that_changed_meanwhile_is_not_written(tmp_path: Path):
    path = tmp_path / "a.ipynb"
    save(path, book(code(*BROKEN)))
    notebook = read_notebook(str(path))
    path.write_text(path.read_text() + "\n")
    with pytest.raises(FileError, match="changed while"):
        notebook.write(1, lines_of("x = 1"))
    os.unlink(path)
    with pytest.raises(FileError):
        notebook.write(1, lines_of("x = 1"))


@pytest.mark.parametrize("metadata", [{"kernelspec": None}, {"language_info": None}, None])
def test_a_notebook_that_says_nothing_of_its_language_is_python(metadata):
    """Tools write null where nothing was chosen."""
    assert _is_python({"metadata": metadata})
