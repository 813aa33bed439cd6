"""Variables that may be mistaken for each other are in scope and bound: by hand, by libcst, by the compiler."""

# ruff: noqa: E501  (a text is read beside what is bound in it)
from __future__ import annotations

import argparse
import ast
import inspect
import logging
import shutil
import tarfile
import textwrap
import zipfile
from itertools import islice
from random import Random

import libcst as cst
import pytest
from libcst.metadata import BuiltinAssignment, MetadataWrapper, PositionProvider, ScopeProvider

from ctm.bugs.checks.validity import code_of, quiet
from ctm.bugs.registry import apply, registry
from ctm.bugs.static_analysis.scopes import Read, variables_of
from ctm.bugs.static_analysis.source import ParsedCode

MODULES = (argparse, ast, inspect, logging, shutil, tarfile, textwrap, zipfile)


def functions() -> list[str]:
    """Functions, methods and classes' methods of the standard library, each once."""
    found = {}
    for module in MODULES:
        for _, member in inspect.getmembers(module):
            if getattr(member, "__module__", "") != module.__name__:
                continue
            owners = vars(member).values() if inspect.isclass(member) else [member]
            for function in filter(inspect.isfunction, owners):
                text = textwrap.dedent(inspect.getsource(function))
                if text.count("\n") <= 64 and not text.startswith("@"):
                    found.setdefault(text)
    return list(found)


FUNCTIONS = functions()


def reads_of(text: str) -> list[Read]:
    return variables_of(text).reads


def others(text: str, name: str) -> set[str]:
    """What else is bound at the first read of a name."""
    return set(next(read.others for read in reads_of(text) if read.name == name))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a, b):\n    return x(a)", {"b"}),
        ("def f(a):\n    u(a)\n    b = 1", set()),  # bound later
        ("def f(a, c):\n    if c:\n        b = 1\n    u(a)", {"c"}),  # on one way only
        ("def f(a, c):\n    if c:\n        b = 1\n    else:\n        b = 2\n    u(a)", {"b", "c"}),
        ("def f(a, c):\n    if c:\n        b = 1\n    else:\n        return\n    u(a)", {"b", "c"}),
        ("def f(a, c):\n    for b in c:\n        pass\n    u(a)", {"c"}),  # perhaps no round
        ("def f(a, c):\n    for b in c:\n        u(a)", {"b", "c"}),
        ("def f(a, c):\n    if c:\n        for i in c:\n            break\n        else:\n            return\n    else:\n        b = 1\n    u(a)", {"c"}),
        ("def f(a):\n    try:\n        b = g()\n    except OSError as e:\n        u(a)", {"e"}),
        ("def f(a):\n    try:\n        b = g()\n    except OSError as e:\n        return\n    u(a)", {"b"}),
        ("def f(a):\n    try:\n        b = g()\n    finally:\n        u(a)", set()),
        ("def f(a):\n    x = [u(a) for b in g()]", {"b"}),
        ("def f(a):\n    x = [b for b in g()]\n    u(a)", {"x"}),  # a comprehension's own
        ("def f(a):\n    x = [b for b in v(a)]", set()),  # the first iterable is outside
        ("def f(a):\n    def g(b):\n        c = b\n    u(a)", set()),
        ("def f(a, b):\n    def g():\n        return u(a)", {"b"}),
        ("def f(a, b):\n    def g():\n        v(a)\n        b = 1", set()),  # local to g, not yet bound
        ("class A:\n    b = 1\n    def f(self, a):\n        return u(a)", set()),  # not seen from a method
        ("class A:\n    b = 1\n    c = u(a)\n    def f(self): pass", {"b"}),  # seen from the body itself
        ("def f(a, b):\n    del b\n    u(a)", set()),
        ("def f(a):\n    import b\n    u(a)", set()),  # a module is no variable
        ("def f(a):\n    with g() as b:\n        c = 1\n    u(a)", {"b", "c"}),
        ("def f(a):\n    with g() as b:\n        u(a)\n        c = 1", {"b"}),
        ("def f(a):\n    if (b := g()) and (c := g()):\n        pass\n    u(a)", {"b"}),
        ("def f(a, c):\n    match c:\n        case [b]:\n            u(a)", {"b", "c"}),
        ("u(a)\nv(b.x, c)\nw(Error, d.x)", {"c"}),  # bound around the snippet, and read as a value
        ("def f(a):\n    g = lambda b: u(a)", {"b"}),
    ],
)  # fmt: skip
def test_others_are_what_is_bound_on_every_way(text, expected):
    assert others(text, "a") == expected


def test_what_is_bound_where_a_statement_begins():
    bound = variables_of("def f(a):\n    b = g(a)\n    for c in b:\n        u(c)\n    return d + b").bound
    assert bound == {
        1: ("d",),
        2: ("a", "d"),
        3: ("a", "b", "d"),
        4: ("a", "b", "c", "d"),
        5: ("a", "b", "d"),
    }


def test_what_is_no_read_of_a_variable():
    text = "@a\ndef f(x: b, y=1) -> b:\n    z: b = f'{y}'\n    return y(x)\nimport os\nos.sep(print)"
    assert [read.name for read in reads_of(text)] == ["x"], (
        "no decorator, annotation, field, callee, module, builtin"
    )


def test_places_are_characters_where_the_text_is_not_ascii():
    text = "def f(größe, wert):\n    x = 'äöü', größe\n    return wert"
    assert [text[read.start : read.end] for read in reads_of(text)] == ["größe", "wert"]


def test_a_text_that_does_not_parse_has_no_reads():
    assert reads_of("def f(:") == []


def test_libcst_sees_every_other_variable_at_its_place():
    """On real functions: visible from the scope of the read, and bound before it in the text."""
    reads = checked = 0
    for text in FUNCTIONS[::3]:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        scopes, positions = wrapper.resolve(ScopeProvider), wrapper.resolve(PositionProvider)
        names = {
            (positions[node].start.line, positions[node].start.column): node
            for node in scopes
            if isinstance(node, cst.Name)
        }
        bound_somewhere = {
            a.name for scope in set(scopes.values()) if scope is not None for a in scope.assignments
        }
        for read in reads_of(text):
            line, column = (
                text.count("\n", 0, read.start) + 1,
                read.start - text.rfind("\n", 0, read.start) - 1,
            )
            node = names[line, column]
            assert node.value == read.name
            scope = scopes[node]
            assert scope is not None
            reads += 1
            for other in read.others:
                checked += 1
                places = [a for a in scope[other] if not isinstance(a, BuiltinAssignment)]
                if not places:
                    assert other not in bound_somewhere, (other, text)  # bound around the snippet
                    continue
                starts = [
                    (positions[a.node].start.line, positions[a.node].start.column)
                    for a in places
                    if hasattr(a, "node")
                ]
                inside = type(scope).__name__ == "ComprehensionScope"
                assert inside or min(starts) < (line, column), (other, read, text)
    assert reads > 1000 and checked > 5000, (reads, checked)


def test_nearly_every_variable_that_libcst_sees_is_found():
    """The other way round: most of what is visible and assigned before in the text is offered."""
    offered = visible = 0
    for text in FUNCTIONS[::9]:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        scopes = wrapper.resolve(ScopeProvider)
        parameters = {node.name.value for node in scopes if isinstance(node, cst.Param)} - {"self", "cls"}
        for read in reads_of(text):
            mine = parameters - {read.name}
            visible += len(mine)
            offered += len(mine & set(read.others))
    assert offered > 0.8 * visible, (offered, visible)


def test_misused_variables_compile_to_names_that_the_function_has():
    """The compiler's own view: no mutant makes a name global that was local, or reads one that nobody knows."""
    made = 0
    for number, text in enumerate(FUNCTIONS[1::3]):
        source = ParsedCode(text)
        before = {token.text for token in source.tokens if token.kind == "NAME"}
        with quiet():
            for kind in ("variable_misuse", "misuse_everywhere"):
                for candidate in islice(registry()[kind].mutator(source, Random(number)), 3):
                    code = code_of(apply(text, candidate.buggy))
                    assert code is not None
                    made += 1
                    assert {splice.text for splice in candidate.buggy} <= before
    assert made > 200


def test_attributes_are_mixed_up_only_within_one_object():
    text = "a.rows.first_item = x.first_key\nb.rows.first_key = f(x).first_name\ny = g(z).first_word"
    kind = registry()["wrong_attribute"]
    made = {apply(text, c.buggy) for seed in range(60) for c in kind.mutator(ParsedCode(text), Random(seed))}
    assert not any("a.rows.first_key" in new or "f(x).first_word" in new for new in made)


def test_a_class_that_is_raised_without_a_call_is_no_bug():
    kind = registry()["missing_call"]
    assert not list(kind.mutator(ParsedCode("raise NotImplementedError()"), Random(0)))
    assert list(kind.mutator(ParsedCode("x = s.strip()"), Random(0)))
