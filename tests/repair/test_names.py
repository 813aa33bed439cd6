"""What a source reads and nothing binds, by the compiler's symbol table."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import Path

import pytest

from ctm.repair.names import unbound_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(a, b):\n    return self.a + b", {"self"}),
        ("print(x)", {"x"}),
        ("import os.path as p, sys.flags\np, sys, os", {"os"}),
        ("def f():\n    global g\n    g = 1\ndef h():\n    return g", set()),
        ("class A:\n    x = 1\n    y = x\n    def f(self):\n        return x, __class__", {"x"}),
        ("def f(x):\n    def g():\n        return x, [y for y in z]\n    return g", {"z"}),
        ("print(later)\nlater = 1", set()),
        ("for i in range(3): print(__name__, i, __file__)", set()),
        ("try: pass\nexcept E as e: print(e)\nwith c as w: print(w)\nif (v := 1): print(v)", {"E", "c"}),
        ("match s:\n    case {'a': d, **r}: print(d, r)\n    case [*m]: print(m)", {"s"}),
        ("x: int = 1\nx += 1\nlambda q: q + x + k", {"k"}),
    ],
)
def test_names(text: str, names: set[str]):
    assert unbound_names(text) == names


def test_a_star_import_may_bind_anything():
    assert unbound_names("from os import *\nprint(sep)") is None
    assert unbound_names("import a; from os import *\nprint(sep)") is None
    assert unbound_names("try: from os import *\nfinally: print(sep)") is None
    assert unbound_names("from os import \\\n    *\nprint(sep)") is None
    assert unbound_names("def f():\n    x = 'from os import *'\n    return y") == {"y"}


@pytest.mark.parametrize("module", [shlex, textwrap], ids=lambda module: module.__name__)
def test_modules_of_the_standard_library_lack_nothing(module):
    assert unbound_names(Path(module.__file__).read_text()) == set()


def test_what_the_compiler_does_not_take_is_not_judged():
    assert unbound_names("def f(:") is None
    assert unbound_names("(" * 5000 + ")" * 5000) is None


def test_the_compilers_warnings_are_nobodys_business(recwarn: pytest.WarningsRecorder):
    assert unbound_names("x = '\\d'\nprint(x is 'y', z)") == {"z"}
    assert not recwarn
