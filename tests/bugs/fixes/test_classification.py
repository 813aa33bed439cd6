"""A fix counts where it undoes one kind by its shape, and what only looks like one is refused with its reason."""

import textwrap

import pytest

from ctm.bugs.fixes.classification import (
    SECURITY_KINDS,
    TELLTALE,
    ClassifiedFix,
    UnclassifiedFix,
    classify_fix,
    words_of,
)
from ctm.bugs.fixes.edit import tokens_of
from ctm.bugs.fixes.tables import ALIKE
from ctm.bugs.registry import registry


def fix(before: str, after: str, rest: str = "", new_rest: str | None = None) -> ClassifiedFix:
    """What the change undoes; `rest` is what else stands in the file."""
    before, after = (textwrap.dedent(text).strip() for text in (before, after))
    return classify_fix(
        before, after, words_of(before + rest), words_of(after + (rest if new_rest is None else new_rest))
    )


def function(body: str, header: str = "def f(self, a, b, xs):") -> str:
    return header + "\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")


LONG = "go(x)\n" * 12
BODIES = [
    ("comparison_operator", "return a > b", "return a >= b"),
    ("boolean_operator", "return a and b", "return a or b"),
    ("arithmetic_operator", "return a - b", "return a + b"),
    ("bitwise_operator", "return a & b", "return a | b"),
    ("augmented_operator", "a = b\nreturn a", "a += b\nreturn a"),
    ("identity_for_equality", "return a is 'x'", "return a == 'x'"),
    ("identity_for_equality", "return a is not 0", "return a != 0"),
    ("equality_for_assignment", "a == 3\nreturn a", "a = 3\nreturn a"),
    ("membership", "return a in b", "return a not in b"),
    ("negated_condition", "if not a:\n    go(a)", "if a:\n    go(a)"),
    ("dropped_not", "if a:\n    go(a)", "if not a:\n    go(a)"),
    ("dropped_condition", "if b.ready:\n    go(a)", "if b and b.ready:\n    go(a)"),
    ("dropped_condition", "if self.b.c or a:\n    go()", "if self.b is not None and self.b.c or a:\n    go()"),
    ("off_by_one", "return xs[:6]", "return xs[:5]"),
    ("bound", "return b - a", "return b - a + 1"),
    ("constant", "if a:\n    return False\nreturn b", "if a:\n    return True\nreturn b"),
    ("variable_misuse", "return go(a, a, b)", "return go(a, b, b)"),
    ("swapped_operands", "return a - b", "return b - a"),
    ("misspelt_name", "size = a\nreturn sise", "size = a\nreturn size"),
    ("missing_call", "return a.strip", "return a.strip()"),
    ("wrong_attribute", "a.append(xs)", "a.extend(xs)"),
    ("wrong_attribute", "return min(a, b)", "return max(a, b)"),
    ("swapped_arguments", "return go(a, self.b)", "return go(self.b, a)"),
    ("swapped_arguments", "return go(self.a, self.b, 1)", "return go(self.b, self.a, 1)"),
    ("dropped_return", "go(a)", "return go(a)"),
    ("dropped_return", "c = a\nif b:\n    return", "c = a\nif b:\n    return c"),
    ("wrong_jump", "for x in xs:\n    if x:\n        break", "for x in xs:\n    if x:\n        continue"),
    ("wrong_order", "go(c)\nc = a", "c = a\ngo(c)"),
    ("wrong_level", "for x in xs:\n    a += x\n    return a", "for x in xs:\n    a += x\nreturn a"),
    ("if_for_elif", "if a:\n    go()\nif b:\n    go()", "if a:\n    go()\nelif b:\n    go()"),
    ("yaml_load", "return yaml.load(a)", "return yaml.safe_load(a)"),
    ("request_without_timeout", "return requests.get(a)", "return requests.get(a, timeout=10)"),
    ("md5_hash", "return hashlib.md5(a).hexdigest()", "return hashlib.sha256(a).hexdigest()"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "after"), BODIES)
def test_a_fix_that_is_one_of_our_kinds_is_found(kind: str, before: str, after: str) -> None:
    """The shape of each kind is known by the edit alone, whether or not a mutator's contract holds there."""
    found = fix(function(before), function(after))
    assert (found.kind, found.category) == (kind, registry()[kind].category)


def test_kinds_that_change_more_than_a_line_are_found() -> None:
    """A header and an `await`, a mutable default with its guard."""
    found = fix(
        function("await go(a)\ngo(b)", "async def f(a, b):"),
        function("await go(a)\nawait go(b)", "async def f(a, b):"),
    )
    assert found.kind == "dropped_await"
    assert (
        fix("def f(value):\n    return value", "def f(self, value):\n    return value").kind
        == "missing_self_parameter"
    )
    before = "def f(a, xs=[]):\n    xs.append(a)\n    return xs"
    after = "def f(a, xs=None):\n    if xs is None:\n        xs = []\n    xs.append(a)\n    return xs"
    assert fix(before, after).kind == "mutable_default"
    found = fix(function("return go(size)"), function("return go(self.size)"), "class A:\n    size = 3")
    assert found.kind == "dropped_self"


def test_a_function_that_became_a_method_is_no_dropped_self() -> None:
    """Where the file itself binds the bare name, nothing was wrong with it."""
    for rest in ("\ndef size(): ...", "\nfrom a import (b,\n    size)", "\nsize = 3"):
        with pytest.raises(UnclassifiedFix, match="no shape"):
            fix(function("return go(size)"), function("return go(self.size)"), rest)


@pytest.mark.parametrize(
    ("reason", "before", "after"),
    [
        ("no shape of a kind", "return go(a, 'x')", "return go(a, 'y')"),
        ("no shape of a kind", "return a is None", "return a is b.c.d"),
        ("no shape of a kind", "return self.go(a, strict=True)", "return self.go(a, strict=False)"),
        ("no shape of a kind", "return a == None", "return a is None"),
        ("no shape of a kind", "return a.iteritems()", "return a.items()"),
        ("no shape of a kind", "if b:\n    go(a)", "if b and a.ready:\n    go(a)"),
        ("message or log", "raise ValueError(a)", "raise ValueError(b)"),
        ("message or log", "log.debug('%s', a)", "log.debug('%s', b)"),
        ("about versions", "return sys.version_info > a", "return sys.version_info >= a"),
        ("more than one edit", f"x = a > b\n{LONG}return a", f"x = a >= b\n{LONG}return b"),
    ],
)  # fmt: skip
def test_other_changes_are_refused_with_a_reason(reason: str, before: str, after: str) -> None:
    """Choices, messages, style and newer names of the library are no bugs of ours."""
    with pytest.raises(UnclassifiedFix, match=reason):
        fix(function(before), function(after))


def test_a_rename_is_no_wrong_attribute() -> None:
    """Where the old name is gone from the file, all of it was renamed; where it stays, one place had the wrong one."""
    before, after = function("return self.first_part(a)"), function("return self.whole(a)")
    with pytest.raises(UnclassifiedFix, match="no shape"):
        fix(before, after, "def first_part(self): ...", "def whole(self): ...")
    rest = "def first_part(self): ...\ndef whole(self): ..."
    assert fix(before, after, rest).kind == "wrong_attribute"


def test_parameters_and_decorators_are_no_places() -> None:
    """A default that changes is a choice that callers see."""
    with pytest.raises(UnclassifiedFix, match="parameter"):
        fix("def f(a=True):\n    return a", "def f(a=False):\n    return a")


def test_the_two_sides_differ_in_the_edit_alone() -> None:
    """A comment that explains the fix, or a docstring, would give it away; both stay as they were before."""
    before = 'def f(a, b):\n    """Old."""\n    # below\n    return a < b'
    after = 'def f(a, b):\n    """New."""\n    # up to b, included\n    return a <= b'
    found = fix(before, after)
    assert (found.buggy, found.fixed) == (before, before.replace("<", "<="))
    with pytest.raises(UnclassifiedFix, match="comments and docstrings only"):
        fix(before, before.replace("Old", "New"))


def test_every_kind_that_is_named_exists() -> None:
    """The kinds are the registry's, so that figures by kind can be laid beside those of made bugs."""
    assert {*SECURITY_KINDS.values(), *TELLTALE.values()} <= registry().keys()
    assert all(len(group) > 1 for group in ALIKE)


def test_an_f_string_is_one_token_on_every_python() -> None:
    """Since 3.12 `tokenize` takes them apart, empty texts among the parts: the suite would be another one there."""
    text = "def f(a):\n    return f'{a:{3}}' f'' + f'''{\n f\"{a}\"}'''"
    found = [token.text for token in tokens_of(text) or ()]
    assert [item for item in found if item[0] == "f" and len(item) > 1] == [
        "f'{a:{3}}'", "f''", "f'''{\n f\"{a}\"}'''",
    ]  # fmt: skip
    with pytest.raises(UnclassifiedFix, match="no shape"):
        fix("def f(a, b):\n    g(a, b)\n    return f'{a}'", "def f(a, b):\n    g(a, b)\n    return f'{b}'")
