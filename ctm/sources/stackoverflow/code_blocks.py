"""Code blocks of a post, and what people paste around code: prompts, output between them, line numbers.

A block of HTML is what BeautifulSoup gives for `pre code`; lxml alone gives the same (a test compares them) at twenty
times the speed. Revisions of a post are Markdown: its fences and indented blocks, by markdown-it.
"""

from __future__ import annotations

import re
import textwrap

from lxml import etree
from markdown_it import MarkdownIt

_CODE = etree.XPath("//pre//code")
# BeautifulSoup counts these as no text: string containers of their own
_SILENT = " or ".join(f"ancestor::{name}" for name in ("script", "style", "template", "rt", "rp"))
_TEXT = etree.XPath(f".//text()[not({_SILENT})]")
_MARKDOWN = MarkdownIt("commonmark")

_PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.)(?: |$)")
_FIRST_PROMPT = re.compile(r"\s*>>>(?: |$)", re.MULTILINE)
_NUMBER = re.compile(r"[ \t]*(\d{1,5})[.:)|]?(?=[ \t]|$)")


def html_blocks(body: str) -> list[str]:
    """Text of each `code` inside a `pre`, in order."""
    if "<code" not in body and "<CODE" not in body:
        return []
    root = etree.HTML(body)
    return [] if root is None else ["".join(_TEXT(code)) for code in _CODE(root)]


def markdown_blocks(text: str) -> list[str]:
    """Text of each fence, indented block and `pre code` of raw HTML, in order."""
    blocks: list[str] = []
    for token in _MARKDOWN.parse(text):
        if token.type in ("fence", "code_block"):
            blocks.append(token.content)
        elif token.type == "html_block":
            blocks += html_blocks(token.content)
    return blocks


def cleaned(block: str) -> str:
    """The code of a block: without prompts, output and line numbers, dedented, without blank lines around it."""
    text = block.replace("\r\n", "\n").replace("\r", "\n")
    text = without_numbers(text)
    if _FIRST_PROMPT.match(text):
        text = _typed(text)
    return textwrap.dedent(text.rstrip()).strip("\n")


def without_numbers(text: str) -> str:
    """Line numbers taken away, where all lines have one and they count up by one."""
    lines = text.split("\n")
    found = [(index, _NUMBER.match(line)) for index, line in enumerate(lines) if line.strip()]
    numbers = [int(match[1]) for _, match in found if match]
    if len(found) < 2 or len(numbers) < len(found):
        return text
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return text
    for index, match in found:
        assert match
        lines[index] = lines[index][match.end() :]
    return "\n".join(lines)


def _typed(session: str) -> str:
    """What was typed at the prompts. IDLE shows none before the lines of a block: indented lines below a colon."""
    kept: list[str] = []
    inside = False
    for line in session.split("\n"):
        prompt = _PROMPT.match(line)
        if prompt:
            kept.append(line[prompt.end() :])
            inside = line.rstrip().endswith(":")
        elif inside and line[:1].isspace() and line.strip():
            kept.append(line)
        else:
            inside = False
    return "\n".join(kept)
