"""Tiny dumps in the form of Stack Exchange's: one `row` element a line."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

BROKEN = "def total(items)\n    result = 0\n    for item in items:\n        result += item\n    return result"
FIXED = BROKEN.replace("(items)", "(items):")
OTHER = "import os\n\nfor name in os.listdir('.'):\n    print(name, os.path.getsize(name))"
BOMB = """<!DOCTYPE posts [<!ENTITY a "aaaaaaaaaa">{}]>""".format(
    "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
)
"""A document type whose entity `i` is a gigabyte."""
LICENSES = {"ContentLicense": "CC BY-SA 4.0"}


def html(*blocks: str) -> str:
    """A body with text and these code blocks."""
    escaped = (block.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for block in blocks)
    return "<p>See <code>total</code>:</p>\n" + "".join(
        f"<pre><code>{block}\n</code></pre>\n" for block in escaped
    )


def row(**fields: object) -> str:
    """One row; fields that are None are left out."""
    return (
        f"  <row {' '.join(f'{key}={quoteattr(str(v))}' for key, v in fields.items() if v is not None)} />\n"
    )


def question(number: int, accepted: int | None, *blocks: str, **fields: object) -> str:
    """A question tagged python by user 7."""
    known = {
        "Tags": "<python><list>",
        "OwnerUserId": 7,
        "Body": html(*blocks),
        **LICENSES,
        "CreationDate": "2012-01-02T00:00:00.000",
        **fields,
    }
    return row(Id=number, PostTypeId=1, AcceptedAnswerId=accepted, **known)


def answer(number: int, parent: int, *blocks: str, **fields: object) -> str:
    """An answer by user 8."""
    known = {
        "OwnerUserId": 8,
        "Body": html(*blocks),
        **LICENSES,
        "CreationDate": "2013-03-04T00:00:00.000",
        **fields,
    }
    return row(Id=number, PostTypeId=2, ParentId=parent, **known)


def document(*rows: str, root: str = "posts") -> str:
    """A whole file of rows."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>\n{"".join(rows)}</{root}>\n'


def write(path: Path, *rows: str, root: str = "posts") -> Path:
    """Write a whole file of rows."""
    path.write_text(document(*rows, root=root), encoding="utf-8")
    return path
