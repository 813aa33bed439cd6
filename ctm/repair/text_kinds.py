"""Tables of line patterns of Python and other languages, for `ctm.repair.language`.

A new kind is one more entry; docs/log/2026-11-not-python.md says how to measure what it finds and refuses wrongly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NEVER = re.compile(r"(?!)")
HASH = re.compile(r"[ \t]*#")


def begins(*alternatives: str, flags: int = 0) -> re.Pattern[str]:
    """A line that begins, behind its indent, with one of the patterns."""
    return re.compile(rf"[ \t]*(?:{'|'.join(alternatives)})", flags)


@dataclass(frozen=True, slots=True)
class Language:
    """How the lines of a language look where Python's hardly do."""

    name: str
    """As a noun with its article: "a shell script"."""
    line: re.Pattern[str]
    share: float
    """Of the lines that hold anything and are no comment, what must look so."""
    sure: re.Pattern[str]
    """At least one line must look so: what broken Python has not."""
    min_lines: int = 3
    """Lines that must look so: a shorter text is taken for a broken snippet."""
    comment: re.Pattern[str] = HASH
    """Lines that count neither way."""
    has_prose: bool = False
    """Whether sentences are its lines too."""


PYTHON = begins(
    r">>>",
    r"\.\.\. ",
    r"In ?\[\d*\]:",
    r"%\w",
    r"Traceback \(most",
    r'File ".*", line \d',
    r"(?:async +)?def +\w+ *[(:]",
    r"class +\w+ *(?:\([\w., =]*\))? *:",
    r"import +\.?[a-z_][\w.]*(?: +as +\w+)?(?:, *[\w., ]+)? *(?:#.*)?$",
    r"from +\S+ +import\b",
    r"(?:if|elif|while|for|with|except|try|else|finally)\b(?:.*[^:])?:[ \t]*(?:#.*)?$",
    r"elif\b",
    r"for +[\w, ()]+ in +(?:range|enumerate|zip|len)\b",
    r"print *[(\"']",
    r"print +\w+ *(?:[%+,(].*)?$",
    r"@\w+(?:\.\w+)*(?:\(.*\))?$",
    r"(?:raise|assert|del|global|nonlocal|yield|lambda) +\w+[^;]*$",
    r"return +(?:None|True|False|self|not)\b",
    r"\w+ *= *(?:\[|\{\}|None\b|True\b|False\b|(?:input|raw_input|int|str|float|len|open)\(|lambda\b)",
    r"\w+ *= *[rbuf]*(?:\"{3}|'{3})",
    r"\"{3}|'{3}|# *-\*-|if +__name__",
    r".*(?:\bself\.|\blambda \w+:|\b(?:is|and) not None\b|\bnot in\b.*:|\.format\(|\b__\w+__\b| % \()",
)
"""Lines that are Python, right or slightly wrong, and hardly anything else."""

BEGINNINGS = {
    name: re.compile(rf"\s*(?:{'|'.join(patterns)})", re.IGNORECASE)
    for name, patterns in {
        "a web page (HTML)": (r"<!doctype\s+html", r"<html\b", r"<(?:head|body|div|table|p|ul)>"),
        "XML": (
            r"<\?xml\b",
            r"<svg\b",
            r"<!doctype\s",
            r"<[a-z][\w:.-]*(?:\s+[\w:.-]+=(?:\"[^\"<]*\"|'[^'<]*'))+\s*/?>",
        ),
        "a PHP script": (r"<\?php\b",),
        "LaTeX": (r"\\documentclass", r"\\begin\{", r"\\usepackage"),
        "RTF": (r"\{\\rtf",),
        "a PDF": (r"%PDF-",),
        "PostScript": (r"%!PS",),
        "a key or certificate (PEM)": (r"-----BEGIN [A-Z ]+-----",),
        "a pointer of Git LFS": (r"version https://git-lfs\.github\.com/spec/",),
    }.items()
}
"""Texts that are told by how they begin: broken Python does not begin so."""

HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@|\*\*\* \d+(?:,\d+)? \*\*\*\*$")
PATCHED = re.compile(
    r"diff |Index: |index |--- |\+\+\+ |\*\*\* |={9}|Only in |From |commit |new |deleted |rename "
)

_COMMANDS = (
    "echo export local readonly shift unset source exec eval set trap exit sudo apt-get apt cd mkdir rm cp mv chmod "
    "chown curl wget grep sed awk cat ls tar git docker pip npm make test printf read getopts alias"
)
_LINK = r".*\[[^\]]+\]\((?:http|#|\.|/|\w+[./])[^)]*\)"
_TYPES = "int|void|char|double|float|long|bool|size_t|auto"

LANGUAGES = (
    Language(
        "a shell script",
        begins(
            r"(?:fi|done|esac|then|do|;;) *;?(?: *[|<>&].*)?$",
            r"(?:if|elif|while|until) +!? *(?:\[|test\b|command\b|grep\b)",
            r".*; *(?:then|do) *(?:#.*)?$",
            rf"(?:{_COMMANDS.replace(' ', '|')}) +(?![=.(\[,+\-*/%]|-?=)\S",
            r"\w+(?:\[\w+\])?=(?:[$\"'`(/\w.~-]\S*|\"[^\"]*\")?(?<![,(\[{])$",
            r"[\w-]+ *\(\) *\{?$",
            r"case +.* in$",
            r"[^#]*\$(?:\w|\{|\()",
            r"[\w*.|\"-]+\)$",
            r"[{}]$",
        ),
        0.45,
        begins(
            r"(?:fi|done|esac|then|do) *$",
            r".*; *(?:then|do)$",
            r"export \w+=",
            r"echo [\"'$\w]",
            r"if \[",
            r"set -",
            r"exit \d",
            r"(?:sudo|cd|mkdir|apt-get) ",
        ),
    ),
    Language(
        "a Makefile",
        re.compile(
            r"\t+\S"
            r"|[\w.][\w.-]*[ \t]*(?:::?=|\?=|\+=)"
            r"|\.\w+:"
            r"|[\w./%$(][\w./%$() -]*::?(?: [\w./%$()| -]*)?\\?$"
            r"|-?(?:ifeq|ifneq|ifdef|ifndef|else|endif|include|define|endef|export|override)\b"
            r"|.*\$[({@<^*?]"
        ),
        0.6,
        re.compile(r"\.PHONY|.*\$[(@<^]|[\w.-]+[ \t]*(?::=|\?=)"),
    ),
    Language(
        "a Dockerfile",
        begins(r"(?:FROM|RUN|COPY|CMD|ENV|WORKDIR|ENTRYPOINT|EXPOSE|ADD|LABEL|ARG|USER|VOLUME|HEALTHCHECK) "),
        0.4,
        re.compile(r"FROM [\w./:${}@-]+(?: AS \S+)?$"),
    ),
    Language(
        "C, Java, JavaScript or the like",
        begins(
            r"//|/\*|\*[ /]|\*$",
            r"[})\]]*[});][,;]* *(?://.*|/\*.*)?$",
            r".*[;{][ \t]*(?://.*|/\*.*|\\)?$",
            r"# *(?:include|define|ifn?def|endif|pragma|if|else|elif|undef|error)\b",
            r"\w+:$",
            r"case\b.*:",
        ),
        0.45,
        begins(
            r"# *include *[<\"]",
            r"# *define +\w+",
            r"#pragma",
            r"(?:export +)?(?:default +)?(?:const|let|var) +[\w${\[][\w$, {}\[\]:]*=.*",
            r".*\bfunction\b *\w* *\(",
            r"(?:export|import) .*\bfrom +[\"']",
            r"(?:static|extern|const|unsigned|struct|enum|typedef|union) +\w+[^:]*$",
            rf"(?:{_TYPES}) +[*&]?\w+ *(?:[;=,\[]|\(.*[{{;,)]$)",
            r"(?:public|private|protected|internal) +\w+",
            r"package +[\w.]+;?$",
            r"using +[\w. =]+;$|namespace +\w+",
            r"(?:pub +)?(?:fn|func) +\w+",
            r"use +[\w:]+(?:::|;)",
            r"(?:my|our|sub) +[$@%\w]",
            r"[.#]?[\w-]+(?:[ ,>:.#]+[\w.#-]+)* *\{$",
            r".*(?:console\.log|System\.out|std::|document\.|module\.exports|=> *\{)",
        ),
        min_lines=5,
        comment=NEVER,
    ),
    Language(
        "SQL",
        begins(
            r"--",
            r"(?:SELECT|INSERT +INTO|DELETE +FROM|UPDATE +\w|DROP |ALTER |GRANT |PRAGMA |EXPLAIN )",
            r"CREATE +(?:OR |TABLE|INDEX|UNIQUE|VIEW|FUNCTION|DATABASE|TEMP)",
            r"(?:FROM|WHERE|JOIN|LEFT|INNER|SET|AND|OR|LIMIT) |GROUP BY|ORDER BY|VALUES\b|UNION|BEGIN|COMMIT|ROLLBACK",
            r".*;$",
            r"\)[;,]?$",
            r"\w+ +(?:INT|INTEGER|BIGINT|SERIAL|TEXT|VARCHAR|CHAR|BOOLEAN|TIMESTAMP|DATE|NUMERIC|REAL|BLOB)\b",
            flags=re.IGNORECASE,
        ),
        0.45,
        begins(
            r"SELECT +(?![=(]).+",
            r"INSERT +INTO +\w",
            r"CREATE +(?:OR REPLACE )?(?:TABLE|INDEX|VIEW|FUNCTION|DATABASE|UNIQUE)",
            r"DROP +\w+ \w|ALTER +TABLE",
            flags=re.IGNORECASE,
        ),
        comment=re.compile(r" *--"),
    ),
    Language(
        "YAML",
        re.compile(
            r" *(?:---[ ]*$|\.\.\.$|- +(?![\d.]+ *$)\S"
            r"|(?!(?:if|elif|else|for|while|with|try|except|finally|def|class|lambda|case|match|return|print)\b)"
            r"[\"']?[\w./$@*<-][\w./$@ *()<>-]*[\"']?:"
            r"(?: +[^,{(\[]*[^,:{(\[]| +[\[{\"'].*[^,:]| *[|>][+-]?)? *$)"
        ),
        0.7,
        re.compile(r" *- +[\w\"'/{$.]|[\w./-]+:\s*$|---"),
        min_lines=4,
    ),
    Language(
        "a file of settings (INI, TOML)",
        begins(
            r"\[\[?[^\[\]]+\]\]?[ \t]*(?:[#;].*)?$",
            r"[\w.\"'/ :-]+[ \t]*=",
            r"[\]}],?[ \t]*$",
            r"[\"'].*[\"'],?[ \t]*(?:#.*)?$",
        ),
        0.8,
        re.compile(r"\[\[?[A-Za-z][\w .:\"'/@-]*\]\]?[ \t]*$"),
        comment=re.compile(r"[ \t]*[#;]"),
    ),
    Language(
        "Markdown",
        re.compile(
            rf"#{{2,6}} +\S|[ \t]*(?:[-*+]|\d+\.) +\S|`{{3}}|~{{3}}|> |\|.*\| *$|{_LINK}|[-=]{{3,}}$|!\[|<!--"
        ),
        0.6,
        re.compile(rf"#{{1,6}} +\S|{_LINK}|[-=]{{4,}}$"),
        has_prose=True,
    ),
    Language(
        "reStructuredText",
        re.compile(r" *\.\. |[=\-~^\"*+#]{4,}$| *:[\w -]+:|.*::$| *[-*] "),
        0.6,
        re.compile(r" *\.\. +\S|[=\-~^\"]{4,}$"),
        has_prose=True,
    ),
)
