"""Edits of a file that compiles, function by function: suggestions, since nothing says that anything is wrong.

Notable: no edit is made that reads a name which nothing in the file binds, which no window can tell.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property

from ctm.pairs.categories import compiles
from ctm.repair.fixed import MAX_CHARACTERS, Fixed, change_of, parse_error, splice
from ctm.repair.names import unbound_names
from ctm.repair.passes import NO_FIT, Allows, Repairer
from ctm.repair.source import Source
from ctm.repair.windows import Window, functions_of

UNBOUND = "edits that read a name which nothing in the file binds"
"""Why edits of a part were passed over; another one may have been made."""


def suggest(source: Source, repairer: Repairer) -> Fixed:
    skipped: Counter[str] = Counter()
    windows: list[Window] = []
    texts: list[str] = []
    for window in functions_of(source.text):
        text = window.text(source.lines)
        if len(text) > MAX_CHARACTERS or window.end - window.begin > 64:
            skipped[NO_FIT] += 1
        elif not compiles(text):
            skipped["does not compile by itself"] += 1
        else:
            windows.append(window)
            texts.append(text)
    after, changes = source, []
    bound = _Bound(source)
    repairs = repairer.repair(texts, [bound.after(window) for window in windows])
    answers = list(zip(windows, texts, repairs, strict=True))
    for window, text, repair in reversed(answers):  # from the end, so that earlier lines keep their numbers
        skipped[NO_FIT] += repair.stopped == NO_FIT and not repair.edited
        spliced = splice(after, window, repair)
        if spliced is None or parse_error(spliced.text) is not None:
            continue
        if not bound.allows(spliced.text):  # two edits, each of which would do alone
            bound.refused.add(window)
            continue
        after = spliced
        changes.append(change_of(window, text, repair))
    skipped[UNBOUND] = len(bound.refused)
    return Fixed(source, after, True, True, "", tuple(reversed(changes)), dict(+skipped))


class _Bound:
    """Refuses edits after which a file reads a name that nothing binds, unless it did so before."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.refused: set[Window] = set()
        """Windows of which an edit was refused."""

    @cached_property
    def before(self) -> frozenset[str] | None:
        return unbound_names(self.source.text)

    def allows(self, text: str) -> bool:
        """Whether the file may become `text`."""
        names = unbound_names(text) if self.before is not None else None
        return names is None or self.before is None or names <= self.before

    def after(self, window: Window) -> Allows:
        """What a window's text may become."""

        def allows(text: str) -> bool:
            lines = window.restore(text, self.source.lines)
            if lines is None or self.allows(self.source.splice(window.begin, window.end, lines).text):
                return True
            self.refused.add(window)
            return False

        return allows
