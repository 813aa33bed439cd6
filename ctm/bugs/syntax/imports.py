"""Imports: words in the wrong order or missing, and modules written as files or as other languages have them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, register, replace, shuffled
from ctm.bugs.static_analysis.source import ParsedCode


@register("import_order", "syntax", "the words of an import in the wrong order, or one of them missing",
          "from os import path", "import path from os", ("import",), places=0.17)  # fmt: skip
def import_order(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens, text = source.tokens, source.text
    for line in shuffled(source.lines, rng):
        first = tokens[line.first]
        if first.text not in ("from", "import"):
            continue
        words = [tokens[i].text for i in range(line.first, line.last + 1)]
        if first.text == "from" and "import" in words:
            middle = tokens[line.first + words.index("import")]
            module = text[first.end : middle.start].strip()
            what = text[middle.end : line.end].strip()
            ways = [f"import {what} from {module}", f"import {what} from {module}",
                    f"from {module} {what}", f"from {module}.{what} import",
                    f"import {module} import {what}", f"from {module} import {what}()",
                    f"from {module} import {what}()", f"{module} import {what}",
                    f"from {module} import from {what}"]  # fmt: skip
            if any(t.text == what for t in tokens[line.last + 1 :]):
                ways.append(f"from {module} import")  # what is used below can be found again
            new = rng.choice(ways)
            if "(" not in what and len(what) <= 60:
                yield replace(first.start, line.end, new)
        elif first.text == "import" and len(words) <= 4:
            module = text[first.end : line.end].strip()
            alias = words[-1] if "as" in words else ""
            if alias and rng.random() < 0.5 and any(t.text == alias for t in tokens[line.last + 1 :]):
                yield replace(tokens[line.last - 1].end, line.end, "")  # used below, so it can be found again
                continue
            new = rng.choice((f"import {module}.", f"import '{module}'", f"import ({module})",
                             f"{module} import", f"import {module} as", f"import <{module}>",
                             f"import {module}.*", f"import {module};;"))  # fmt: skip
            yield replace(first.start, line.end, new)


@register("import_path", "syntax", "a module written as a path, a file's name or a text", "from foo.bar import x",
          "from foo/bar import x", ("import",), places=0.17)  # fmt: skip
def import_path(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Contract: the name of the module can be read off; only the signs between its parts are wrong."""
    tokens, text = source.tokens, source.text
    for line in shuffled(source.lines, rng):
        word = tokens[line.first]
        if word.text not in ("from", "import") or line.first == line.last:
            continue
        last = line.first + 1
        while last < line.last and tokens[last + 1].text not in ("import", "as", ","):
            last += 1
        start, end = tokens[line.first + 1].start, tokens[last].end
        module = text[start:end]
        ways = [f"'{module}'", f'"{module}"'] if word.text == "from" else [f'"{module}.py"']
        stem = module.lstrip(".")
        dots = module[: len(module) - len(stem)]
        if dots and stem:
            ways += [f"{'./' if len(dots) == 1 else '../'}{stem.replace('.', '/')}"] * 3
        elif "." in stem:
            ways += [
                stem.replace(".", "/"),
                stem.replace(".", "/"),
                stem.replace(".", "\\"),
                f"{stem.replace('.', '/')}.py",
            ]
        if "_" in stem.strip("_"):
            ways += [module.replace("_", "-")] * 4
        yield replace(start, end, rng.choice(ways))
