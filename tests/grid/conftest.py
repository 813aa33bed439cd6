"""Real code of the standard library, and a small tokenizer trained on it."""

from __future__ import annotations

import random

import pytest

from ctm.grid.tokenizer import CodeTokenizer
from helpers import real_code


@pytest.fixture(scope="session")
def functions() -> list[str]:
    """Functions and classes of some modules of the standard library, dedented."""
    texts = real_code.functions(classes=True)
    assert len(texts) > 400
    return texts


@pytest.fixture(scope="session")
def tokenizer(functions: list[str]) -> CodeTokenizer:
    """A vocabulary of 1,500 from that code."""
    return CodeTokenizer.train(functions, 1500)


PIECES = (
    "\t", "\r\n", "\r", "\f", "\v", "\x00", "\x1c", "\x85", "\xa0", "\u2028", "\u3000", "  ", " ", "\n", "\n\n",
    "é", "naïve", "变量", "\U0001f600", "\ud800", "\udfff", "\ud83d\ude00", "e\u0301", "\ufeff", "\u200b", "ﬁ",
    "<pad>", "<cont>", "<eol>", "<end>", "<stop>", "<spaces:4>", "<tabs:1>", "##", "##x", "Ġ", "Ċ", "[UNK]", "</w>",
    '"""', "'''", "'", '"', "#", "\\", "(", ")", "]", "{", ":", ";", "=", "==", " = ", ",", "->", "`", "$", "?", "_",
    "if", "else", " x", "x ", "0x1F", "1e9", "1_000", "&&", "//", "\\\n", " " * 41, "\t" * 9, " \t", "\t ",
)  # fmt: skip


def broken(text: str, draw: random.Random) -> str:
    """`text` with one to four places cut out, doubled, or overwritten with something nasty."""
    for _ in range(draw.randint(1, 4)):
        start = draw.randint(0, len(text))
        end = min(len(text), start + draw.choice((0, 0, 1, 2, 8)))
        new = draw.choice((draw.choice(PIECES), "", text[end : end + draw.randint(1, 20)]))
        text = text[:start] + new + text[end:]
    return text


@pytest.fixture(scope="session")
def texts(functions: list[str]) -> list[str]:
    """Over 10,000 texts: real code, real code broken, nothing but nasty pieces, and any Unicode at all."""
    draw = random.Random(11)
    short = [f for f in functions if f.count("\n") < 30]
    wild = ["".join(draw.choices(PIECES, k=draw.randint(0, 30))) for _ in range(2500)]
    unicode = [
        "".join(chr(draw.randrange(0x110000)) for _ in range(draw.randint(1, 20))) for _ in range(1000)
    ]
    latin = ["".join(chr(draw.randrange(0x300)) for _ in range(draw.randint(1, 40))) for _ in range(1000)]
    return functions + [broken(draw.choice(short), draw) for _ in range(6000)] + wild + unicode + latin


@pytest.fixture(scope="session")
def mutants(functions: list[str]) -> list[tuple[str, str]]:
    """(broken, whole) texts a few characters or tokens apart."""
    draw = random.Random(12)
    short = [f for f in functions if 2 <= f.count("\n") < 25]
    return [(broken(whole, draw), whole) for whole in draw.choices(short, k=1500)]
