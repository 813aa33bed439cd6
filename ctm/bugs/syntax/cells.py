"""What notebooks, merges and terminals leave among code: magics, conflict markers, printed values and tracebacks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.source import ParsedCode

_MAGICS = ("%matplotlib inline", "%matplotlib inline", "%matplotlib notebook", "%load_ext autoreload", "%autoreload 2",
           "%%time", "%timeit {name}", "%reset -f", "%run {name}.py", "%pylab inline", "!pip install {package}",
           "!pip install {package}", "!pip3 install {package}", "!pip install -q {package}", "%pip install {package}",
           "!ls", "!python {name}.py", "!apt install {package}", "{name}?", "?{name}", "{name}??")  # fmt: skip
_PACKAGES = (
    "numpy",
    "pandas",
    "requests",
    "matplotlib",
    "beautifulsoup4",
    "scikit-learn",
    "tqdm",
    "openpyxl",
)


def _levels(source: ParsedCode) -> list[int]:
    """Characters where a line of its own may stand: before statements at column 0, and behind the text."""
    return [line.start for line in source.lines if not line.indent] + [len(source.text)]


def _line(source: ParsedCode, place: int, new: str) -> Mutation:
    """A line of its own at one of `_levels`."""
    return replace(place, place, "\n" + new if place and place == len(source.text) else new + "\n")


@register("magic_line", "syntax", "a magic or a shell command of a notebook", "import numpy as np\nx = np.ones(3)",
          "%matplotlib inline\nimport numpy as np\nx = np.ones(3)")  # fmt: skip
def magic_line(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    imported = [tokens[i + 1].text for i, t in enumerate(tokens[:-1]) if t.text in ("import", "from")]
    names = [name for name in source.names if len(name) > 1] or ["main"]
    for _ in range(2):
        package = rng.choice([*imported, *_PACKAGES] if rng.random() < 0.6 else _PACKAGES)
        new = rng.choice(_MAGICS).format(name=rng.choice(names), package=package)
        levels = _levels(source)
        yield _line(source, levels[0] if rng.random() < 0.6 else rng.choice(levels), new)


_PARTS = frozenset(("elif", "else", "except", "finally"))
_BRANCHES = ("main", "master", "develop", "feature", "origin/main", "upstream/master", "fix-tests", "dev")


@register("conflict_markers", "syntax", "the markers of a merge that nobody resolved", "x = 1\ny = 2",
          "<<<<<<< HEAD\nx = 1\n=======\ny = 2\n>>>>>>> main")  # fmt: skip
def conflict_markers(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Contract: only whole marker lines are too many; the statements between them are all kept."""
    lines = source.lines
    other = rng.choice((*_BRANCHES, f"{rng.getrandbits(28):07x}"))
    marks = ("<<<<<<< HEAD\n", "=======\n", f">>>>>>> {other}\n")
    ends = [*(line.start for line in lines), len(source.text)]
    for first in shuffled(range(len(lines)), rng):
        middle = _next_statement(source, first)
        after = _next_statement(source, middle) if middle else 0
        if rng.random() < 0.3 or not middle:
            yield replace(ends[first], ends[first], rng.choice(marks))
            continue
        end = middle + _length(source, middle)
        if not after and end < len(lines) and source.tokens[lines[end].first].text in _PARTS:
            continue
        last = marks[2] if end < len(lines) else "\n" + marks[2].rstrip()
        places = (ends[first], marks[0]), (ends[middle], marks[1]), (ends[end], last)
        yield Mutation(tuple(Splice(place, place, mark) for place, mark in places))


def _length(source: ParsedCode, number: int) -> int:
    """How many lines the statement at a line has, without its `else` and the like."""
    end = number + 1
    while end < len(source.lines) and source.lines[end].indent > source.lines[number].indent:
        end += 1
    return end - number


def _next_statement(source: ParsedCode, number: int) -> int:
    """Line of the statement that follows in the same block; 0 where there is none."""
    lines, after = source.lines, number + _length(source, number)
    words = [source.tokens[lines[n].first].text for n in (number, after) if n < len(lines)]
    if len(words) < 2 or lines[after].indent != lines[number].indent or words[0] == "@":
        return 0
    return 0 if _PARTS.intersection(words) else after


_ERRORS = ("NameError: name '{name}' is not defined", "TypeError: '{name}' object is not callable",
           "KeyError: '{name}'", "IndexError: list index out of range", "ValueError: too many values to unpack",
           "AttributeError: 'NoneType' object has no attribute '{name}'")  # fmt: skip


def _output(source: ParsedCode, rng: Random) -> str:
    """What a program printed: one line or a few, none of which is Python."""
    name = rng.choice(source.names or ["main"])
    one, two, three = (rng.choice((rng.randrange(10), rng.randrange(1000))) for _ in range(3))
    sort = rng.randrange(9)
    if sort == 0:
        return rng.choice(
            ("<Response [200]>", "<Response [404]>", "<class 'str'>", "<class 'int'>", "<BarContainer>")
        )
    if sort == 1:
        kind = rng.choice(
            ("<__main__.{} object at 0x{}>", "<function {} at 0x{}>", "<generator object {} at 0x{}>")
        )
        return kind.format(name, f"7f{rng.getrandbits(40):010x}")
    if sort == 2:
        return rng.choice(
            (f"[{one} {two} {three}]", f"[[{one} {two}]\n [{two} {three}]]", f"[{one}. {two}. {three}.]")
        )
    if sort == 3:
        return f"   {name}\n0     {one}\n1     {two}\n2     {three}"
    if sort == 4:
        return f"Name: {name}, dtype: {rng.choice(('int64', 'float64', 'object'))}"
    if sort == 5:
        return f"array(['{name}'], dtype=<U{rng.randrange(1, 9)})"
    if sort == 6:
        return rng.choice(
            (f"{name} is {one}", f"{one} {two} {three}", f"({one} {two})", f"{one} items", f"{one}%")
        )
    text = rng.choice(source.lines)
    place = f'File "{rng.choice(("main", "test", "app"))}.py", line {rng.randrange(1, 60)}, in <module>'
    code = source.text[source.tokens[text.first].start : text.end].split("\n")[0]
    error = rng.choice(_ERRORS).format(name=name)
    return f"Traceback (most recent call last):\n  {place}\n    {code}\n{error}"


@register("pasted_output", "syntax", "what a program printed, or its traceback, behind the code",
          "print(f(a))", "print(f(a))\n<Response [200]>")  # fmt: skip
def pasted_output(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for _ in range(3):
        levels = _levels(source)[1:]
        yield _line(source, levels[-1] if rng.random() < 0.7 else rng.choice(levels), _output(source, rng))
