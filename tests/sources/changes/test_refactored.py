"""What a run does not notice although the bytecode differs, and what looks like it and is a fix."""

import pytest

from ctm.sources.changes.refactored import is_refactoring, renamed, same_but_defaults


def function(body: str) -> str:
    return "def f(a, b):\n    " + body.replace("\n", "\n    ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = a + 1\nreturn g(x)", "return g(a + 1)"),
        ("if a:\n    return 1\nelse:\n    return 2", "return 1 if a else 2"),
        ("if a:\n    return 1\nelse:\n    g()\nreturn 2", "if a:\n    return 1\ng()\nreturn 2"),
        ("if a:\n    if b:\n        g()", "if a and b:\n    g()"),
        ("if not a:\n    g()\nelse:\n    h()", "if a:\n    h()\nelse:\n    g()"),
        ("if a != 1:\n    g()\nelse:\n    h()", "if a == 1:\n    h()\nelse:\n    g()"),
        ("return a > b", "return b < a"),
        ("a += 1\nreturn a", "a = a + 1\nreturn a"),
        ("return 'x%s' % a", "return f'x{a}'"),
        ("return 'x{}'.format(a)", "return f'x{a}'"),
        ("for k in a.keys():\n    g(k)", "for k in a:\n    g(k)"),
        ("return sum([x for x in a])", "return sum(x for x in a)"),
        ("return super(A, a).g()", "return super().g()"),
        ("return set([a, b])", "return {a, b}"),
        ("return dict(a=a)", "return {'a': a}"),
        ("return map(lambda x: g(x), a)", "return map(g, a)"),
        ("try:\n    g()\nexcept IOError:\n    h()", "try:\n    g()\nexcept OSError:\n    h()"),
        ("return datetime.utcnow()", "return datetime.now(timezone.utc)"),
        ("log.warn('a')\nreturn a", "log.warning('a')\nreturn a"),
        ("return a.encode('utf-8')", "return a.encode()"),
        ("g(a)\nreturn None", "g(a)"),
        ("x = a\nreturn g(b)", "return g(b)"),
        ("a += 1\ng(f'{a:{b}}', 'no such a')", "a = a + 1\ng(f'{a:{b}}', 'an a is needed')"),
        ("return sys.path", "import sys\nreturn sys.path"),
        ("@pytest.fixture()\ndef g():\n    h()\nreturn g", "@pytest.fixture\ndef g():\n    h()\nreturn g"),
        ("total = g(a)\nreturn total + total", "amount = g(a)\nreturn amount + amount"),
    ],
)
def test_the_same_in_another_form_is_no_fix(old: str, new: str) -> None:
    assert is_refactoring(function(old), function(new)) and is_refactoring(function(new), function(old))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = g()\nh()\nreturn x", "h()\nreturn g()"),
        ("x = g()\nh()\nreturn x", "h()\nreturn x"),
        ("x = g()\nreturn x + x", "return g() + g()"),
        ("x = g()\nif a:\n    return x", "if a:\n    return g()"),
        ("if a > 1:\n    g()", "if a >= 1:\n    g()"),
        ("return 'x%s' % a", "return f'y{a}'"),
        ("return datetime.now()", "return datetime.now(timezone.utc)"),
        ("return datetime.now()", "return datetime.now(tz=a)"),
        ("return datetime.now(tz=a)", "return datetime.now(tz=b)"),
        ("return a.encode('latin-1')", "return a.encode()"),
        ("return a.pop(b, None)", "return a.pop(b)"),
        ("return re.match('a .*b', a)", "return re.match('a .+b', a)"),
        ("run('SELECT * FROM a')", "run('SELECT * FROM b')"),
        ("return f'{a}={b}'", "return f'{a}={b};'"),
        ("return a[0]", "return a[-1]"),
        ("last = 0\nfor x in a:\n    g(last)\n    last = x", "last = 0\nfor x in a:\n    g(last)"),
    ],
)
def test_what_a_run_notices_stays(old: str, new: str) -> None:
    assert not is_refactoring(function(old), function(new))


def test_a_text_that_cannot_be_written_anew_is_no_error() -> None:
    old = function("return f'{a!r}{b:>{g(\"x\")}}' + '\\n'")
    assert not is_refactoring(old, old.replace("g(", "h("))


def test_a_parameter_that_is_only_given_otherwise_is_a_change_for_callers() -> None:
    text = "def f(a, b=1):\n    return g(a, b)"
    assert same_but_defaults(text, text.replace("b=1", "b=2"))
    assert same_but_defaults(text, text.replace("b=1", "*, b"))
    assert not same_but_defaults(text, text.replace("g(a, b)", "g(b, a)"))
    stars = "def f(a, **b):\n    return g(a, b)"
    assert not same_but_defaults(stars, stars.replace("a, **", "a, /, **")), "b may have a key `a` now"


def test_an_attribute_with_another_name_everywhere_is_no_fix() -> None:
    text = "def __init__(self, a):\n    self.a = a\n    self.b: int = g(self.a)"
    assert renamed(text, text.replace("self.a", "self.c"))
    assert not renamed(text, text.replace("(self.a)", "(self.c)")), (
        "a typo, perhaps: another attribute is read"
    )
    assert not renamed(text, text.replace("self.a", "self.c").replace("g(", "h("))
