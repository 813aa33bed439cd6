"""The figures of the kinds count what they say."""

from __future__ import annotations

from ctm.bugs.figures import page, survey
from ctm.bugs.registry import registry
from ctm.pairs.record import Origin, make_snippet

KINDS = [registry()[name] for name in ("missing_colon", "comparison_operator", "md5_hash", "dropped_try")]
TEXTS = ("while n < 3:\n    n += 1", "x = hashlib.sha256(data)", "x = 1", "x = 1")


def test_survey_counts_places_mutants_and_duplicates():
    snippets = [make_snippet(text, "statements", "g", Origin()) for text in TEXTS]
    result = survey(snippets, KINDS)
    colon, comparison, md5, lost = (result.kinds[kind.name] for kind in KINDS)
    assert (colon.snippets, colon.made, colon.checked) == (1, 1, 1)
    assert (comparison.snippets, comparison.made) == (1, 1)
    assert (md5.snippets, md5.found) == (1, 1), "nothing is written in"
    assert lost.snippets == 0
    assert result.asked == 12 and 0 < result.kept <= 12
    text = page(result, 1)
    assert "| `md5_hash` | security | 25.0% |" in text and "| `dropped_try` | complex | 0 |" in text
