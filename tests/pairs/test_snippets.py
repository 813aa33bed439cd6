import inspect
import textwrap
import zipfile

import pytest

from ctm.pairs.snippets import MAX_LINE_CHARACTERS, cut, snippets_of
from ctm.python.compiling import compiles

SOURCE = textwrap.dedent(
    '''
    import os
    import sys

    # where everything begins
    ROOT = os.getcwd()
    print(ROOT)


    class Shape:
        """A shape."""

        def area(self, scale):
            # twice
            total = self.width * scale
            for part in self.parts:
                if not part:
                    continue
                total += part.area(scale)
            return total

        @property
        def width(self):
            text = """
    at column 0
    """
            return len(text)


    def main(arguments):
        def inner(value):
            return value + 1

        shape = Shape()
        print(inner(shape.area(2)))
    '''
).lstrip("\n")


def test_definitions_are_cut_whole_with_their_names() -> None:
    found = {
        qualname: (text, shape, line)
        for text, shape, qualname, line in snippets_of(SOURCE)
        if shape != "statements"
    }
    assert {name: shape for name, (_, shape, _) in found.items()} == {
        "Shape": "class",
        "Shape.area": "method",
        "Shape.width": "method",
        "main": "function",
        "main.inner": "function",
    }
    text, _, line = found["Shape.width"]
    assert text.startswith("@property\ndef width(self):\n    text = ")  # decorator included, at column 0
    assert SOURCE.split("\n")[line - 1] == "    @property"
    assert "\nat column 0\n" in text  # the inside of a string keeps its columns


def test_texts_compile_fit_and_stand_at_column_0() -> None:
    source = inspect.getsource(zipfile)
    texts = [text for text, *_ in snippets_of(source)]
    assert len(texts) > 200
    for text in texts:
        assert compiles(text)
        assert 1 <= text.count("\n") + 1 <= 64
        assert not text[0].isspace() and not text.endswith("\n")
        assert max(map(len, text.split("\n"))) <= MAX_LINE_CHARACTERS


def test_half_are_short_runs_of_statements() -> None:
    shapes = [(shape, text.count("\n") + 1) for text, shape, *_ in snippets_of(inspect.getsource(zipfile))]
    runs = [lines for shape, lines in shapes if shape == "statements"]
    assert 0.35 < len(runs) / len(shapes) < 0.65
    assert sum(lines <= 12 for lines in runs) / len(runs) > 0.8
    assert sum(lines > 1 for lines in runs) / len(runs) > 0.6


def test_the_seed_decides_the_runs_and_nothing_else() -> None:
    source = inspect.getsource(zipfile)
    assert list(snippets_of(source, 1)) == list(snippets_of(source, 1))
    one, two = set(snippets_of(source, 1)), set(snippets_of(source, 2))
    assert one != two
    assert {item for item in one if item[1] != "statements"} == {
        item for item in two if item[1] != "statements"
    }


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "def f():\n    return {" + ", ".join(f"'{'word ' * 5}{i}'" for i in range(3)) + "}",
            "mostly strings",
        ),
        ("def f():\n    '''" + "much is said " * 9 + "'''\n    return 1", "mostly documentation"),
        (
            "def f():\n    return [\n" + "        1, 2, 3, 4, 5, 6, 7, 8,\n" * 8 + "    ]",
            "table of constants",
        ),
        ("def f():\n    return " + " + ".join("abcdefghij") * 5, "line too long"),
    ],
)
def test_what_is_refused_says_why(source: str, reason: str) -> None:
    cuts = cut(source)
    assert reason in {why for why, *_ in cuts.rejected}
    assert "f" not in {qualname for _, shape, qualname, _ in cuts.snippets if shape == "function"}


def test_runs_that_leave_their_function_are_not_yielded() -> None:
    source = "def f(items):\n" + "\n".join(f"    if items[{i}]:\n        return {i}" for i in range(30))
    cuts = cut(source)
    assert all("return" not in text for text, shape, *_ in cuts.snippets if shape == "statements")
    assert ("does not compile by itself", "f") in {(why, name) for why, name, _ in cuts.rejected}


def test_a_source_that_does_not_parse_is_an_error() -> None:
    for source in ("def f(:", "x = '\0'", "(" * 300 + ")" * 300):
        with pytest.raises(SyntaxError):
            list(snippets_of(source))
