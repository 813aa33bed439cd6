"""Makes a Posts.xml of any size in the form of Stack Overflow's dump, from functions of the standard library.

Of ten posts four are questions; one question in eight is tagged python, and half of those have an accepted answer that
corrects one of their blocks. By hand: `python benchmarks/_posts_xml.py MEGABYTES FILE`.
"""

from __future__ import annotations

import html
import random
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

from _pairs import pairs

TAGS = ("javascript", "java", "c#", "php", "html", "android", "sql")
WORDS = (
    "the",
    "of",
    "value",
    "when",
    "error",
    "list",
    "function",
    "returns",
    "after",
    "trying",
    "to",
    "call",
    "it",
    "with",
    "an",
    "object",
)
DATE = "2019-04-01T12:00:00.000"


def write_posts(path: Path, megabytes: int, seed: int = 0) -> int:
    """Write about `megabytes` (of 10^6 bytes) of posts; returns how many."""
    draw = random.Random(seed)
    code = pairs(1500)
    texts = [f"<p>{' '.join(draw.choices(WORDS, k=draw.randint(30, 180)))}</p>\n" for _ in range(300)]

    def body(*blocks: str) -> str:
        written = (f"<pre><code>{html.escape(block, quote=False)}\n</code></pre>\n" for block in blocks)
        return quoteattr(draw.choice(texts) + draw.choice(texts).join(written), {"\n": "&#xA;"})

    # quoting bodies would take most of the time: drawn from a pool instead
    broken, whole = ([body(draw.choice(code)[0], pair[side]) for pair in code] for side in (0, 1))
    number = size = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<posts>\n')
        while size < megabytes * 1_000_000:
            number += 1
            question, pick = number, draw.randrange(len(code))
            python, accepted = draw.random() < 0.125, draw.random() < 0.5
            tag = "python" if python else draw.choice(TAGS)
            answers = draw.choice((0, 1, 2, 3)) or int(accepted)
            link = f'AcceptedAnswerId="{number + 1}" ' if accepted else ""
            rows = [
                f'  <row Id="{number}" PostTypeId="1" {link}CreationDate="{DATE}" Score="{number % 9}" '
                f'ViewCount="{number % 999}" Body={broken[pick]} OwnerUserId="{number % 9973 + 1}" '
                f'LastActivityDate="{DATE}" Title="A question about {tag}" Tags="&lt;{tag}&gt;&lt;list&gt;" '
                f'AnswerCount="{answers}" CommentCount="0" ContentLicense="CC BY-SA 4.0" />\n'
            ]
            for place in range(answers):
                number += 1
                text = whole[pick if not place else draw.randrange(len(code))]
                rows.append(
                    f'  <row Id="{number}" PostTypeId="2" ParentId="{question}" CreationDate="{DATE}" '
                    f'Score="{number % 9}" Body={text} OwnerUserId="{number % 7919 + 1}" '
                    f'LastActivityDate="{DATE}" CommentCount="0" ContentLicense="CC BY-SA 4.0" />\n'
                )
            size += file.write("".join(rows))
        file.write("</posts>\n")
    return number


if __name__ == "__main__":
    print(write_posts(Path(sys.argv[2]), int(sys.argv[1])), "posts")
