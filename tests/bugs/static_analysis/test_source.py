"""The one-pass reader agrees with the standard library's tokenizer and parser."""

from __future__ import annotations

import ast
import inspect
import io
import json.decoder
import textwrap
import tokenize

import pytest

from ctm.bugs.static_analysis.source import ParsedCode

TEXTS = [inspect.getsource(module) for module in (json.decoder, textwrap, inspect)]
IGNORED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@pytest.mark.parametrize("text", TEXTS, ids=["json.decoder", "textwrap", "inspect"])
def test_tokens_lines_and_calls_match_the_standard_library(text):
    source = ParsedCode(text)
    expected = list(tokenize.generate_tokens(io.StringIO(text).readline))
    assert [t.text for t in source.tokens] == [t.string for t in expected if t.type not in IGNORED]
    assert len(source.lines) == sum(t.type == tokenize.NEWLINE for t in expected)
    assert all(text[t.start : t.end] == t.text for t in source.tokens)
    tree = ast.parse(text)
    assert len(source.calls) == sum(isinstance(node, ast.Call) for node in ast.walk(tree))
    blocks = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)
    headers = [h for h in source.headers if h.word not in ("else", "finally")]
    assert len(headers) == sum(isinstance(node, blocks) for node in ast.walk(tree))


def test_sites_are_characters_where_the_text_is_not_ascii():
    source = ParsedCode("名前 = 'ÄÖÜ€😀'\nif x == 名前:\n    y = a and b\n")
    (comparison,), (boolean,) = source.nodes("comparison_operator"), source.nodes("boolean_operator")
    assert source.of(comparison) == "x == 名前"
    assert source.of(boolean) == "a and b"


def test_headers_ignore_colons_of_lambdas_slices_and_dicts():
    source = ParsedCode("if f(lambda x: x)[1:2] or {1: 2}:\n    pass\nwhile lambda: 1: pass\n")
    assert [(h.word, source.tokens[h.colon].start) for h in source.headers] == [("if", 32), ("while", 58)]
    assert source.opens_block(source.headers[0]) and not source.opens_block(source.headers[1])


def test_prints_are_statements_only():
    source = ParsedCode("print(a)\nx = print(b)\nif c: print(d)\nprint(e).f\nobj.print(g)\n")
    assert [source.tokens[call.open + 1].text for call in source.prints] == ["a", "d"]


def test_nodes_that_begin_alike_come_outermost_first():
    source = ParsedCode("x = a - b - c - d\n")
    found = [source.of(node) for node in source.nodes("binary_operator")]
    assert found == ["a - b - c - d", "a - b - c", "a - b"], "else mutants would differ from run to run"


def test_lexemes_that_are_rare_have_their_kinds():
    tokens = ParsedCode("x = rb'a\\'' if .5e3j else 0x_f... ; y² = in\"b\" \\\n  # c\n").tokens
    assert [(t.kind, t.text) for t in tokens if t.kind != "OP"] == [
        ("NAME", "x"), ("STRING", "rb'a\\''"), ("KEYWORD", "if"), ("NUMBER", ".5e3j"), ("KEYWORD", "else"),
        ("NUMBER", "0x_f"), ("NAME", "y²"), ("KEYWORD", "in"), ("STRING", '"b"'),
    ]  # fmt: skip
