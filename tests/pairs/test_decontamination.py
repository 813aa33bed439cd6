"""Suites and projects that stay unseen, and licenses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctm.pairs.decontamination import Decontaminator, SuiteError, read_texts
from ctm.pairs.quality import DecontaminationSettings, LicenseSettings, QualitySettings, license_reject_reason
from ctm.pairs.record import Origin, Pair, make_pair

SUITE = """\
def count_words(text, limit):
    words = {}
    for word in text.split():
        words[word] = words.get(word, 0) + 1
        if len(words) > limit:
            break
    return sorted(words.items(), key=lambda item: -item[1])"""


def pair(fixed: str, group: str = "mine", project: str = "", source: str = "mutation") -> Pair:
    return make_pair(
        fixed + "(",
        fixed,
        category="syntax",
        kind="bracket",
        source=source,
        split="train",
        group=group,
        origin=Origin(project=project or group),
    )


@pytest.fixture
def decontaminator(tmp_path: Path) -> Decontaminator:
    path = tmp_path / "suite.jsonl"
    path.write_text(json.dumps({"id": "1", "buggy": SUITE.replace(":\n", "\n", 1), "fixed": SUITE}) + "\n\n")
    named = DecontaminationSettings(repositories={"BugsInPy": ("https://github.com/x/The_Fuck.git",)})
    decontaminator = Decontaminator(QualitySettings(decontamination=named), {"mini": path})
    decontaminator.add_suites()
    return decontaminator


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (SUITE, "exact"),
        (SUITE.replace(" = ", "  =  "), "exact"),
        (SUITE.replace("words", "counts").replace("limit", "most"), "but for names"),
        (SUITE.replace("break", "return None"), "near"),
        ("print('something else')", ""),
    ],
)
def test_copies_of_a_suite_do_not_train(decontaminator: Decontaminator, text: str, detail: str) -> None:
    [(_, reason, found)] = decontaminator.refuse([pair(text)], training=True)
    assert (reason, found) == (("suite mini" if detail else ""), detail)


def test_projects_of_a_suite_do_not_train_but_test(decontaminator: Decontaminator) -> None:
    pairs = [pair("a = 1", "the-fuck"), pair("b = 1", "joined", project="the-fuck"), pair("c = 1", "fuck")]
    reasons = [reason for _, reason, _ in decontaminator.refuse(pairs, training=True)]
    assert reasons == ["suite BugsInPy", "suite BugsInPy", ""]
    assert [reason for _, reason, _ in decontaminator.refuse(pairs, training=False)] == ["", "", ""]


def test_a_suite_that_cannot_be_read_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "suite.jsonl"
    for content in (
        '{"buggy": "a", "fixed": "b"}\n{"buggy": 1, "fixed": "b"}',
        '{"buggy": "", "fixed": ""}\n[]',
    ):
        path.write_text(content)
        with pytest.raises(SuiteError, match=r"suite\.jsonl:2: "):
            list(read_texts(path))
    with pytest.raises(SuiteError, match="decontamination"):
        list(read_texts(tmp_path / "nowhere.jsonl"))


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("MIT", ""),
        ("", "no license stated"),
        ("GPL-3.0-only", "license not allowed"),
        ("MIT AND GPL-3.0-only", "license not allowed"),
        ("MIT OR GPL-3.0-only", ""),
        ("(MIT OR GPL-3.0-only) AND ISC", ""),
        ("MIT AND (ISC", "license not allowed"),
        ("Apache-2.0 WITH LLVM-exception", ""),
        ("GPL-2.0-only WITH LLVM-exception", "license not allowed"),
        ("see LICENSE", "license not allowed"),
    ],
)
def test_licenses_hold_by_the_list_alone(expression: str, reason: str) -> None:
    assert license_reject_reason(expression, LicenseSettings()) == reason
