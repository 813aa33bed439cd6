import pytest

from ctm.sources.git.messages import MessageFilter, MessageRules, reverted_commits

PERSON = "A <a@example.org>"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Fix crash when the list is empty", ""),
        ("Off-by-one in pager\n\nfixes #12", ""),
        ("Fix #12: wrong width", ""),
        ("Add a fix for the pager", ""),
        ("Add a prefix option", "message names no fix"),
        ("Improve speed", "message names no fix"),
        ("Unfixed", "message names no fix"),
        ("Add a pager (#12)\n\n* fix lint", "subject names no fix"),
        ("Closes #12", "message names no fix"),
        ("Fix typo in the pager", ""),
        ("Fix tests on Windows", ""),
        ("Fix flake8 warnings", "message names another change"),
        ("Fix docs of the next release", "message names another change"),
        ("A few small fixes", "message names another change"),
        ("Fix quadratic loop", "message names another change"),
        ("Added support for lists.  This fixes #87", "subject announces something new"),
        ("Fix #12: Add an option", "subject announces something new"),
        ("Fix #12 - Drop the reader parameter", "subject announces something new"),
        ("Remove a function, fixes #12", "subject announces something new"),
        ("Fix\n" + "x" * 10_000, "message too short or too long"),
    ],
)
def test_messages_that_name_a_fix(message: str, reason: str) -> None:
    assert MessageFilter(MessageRules()).refuse(message, PERSON) == reason


@pytest.mark.parametrize(
    ("message", "doubtful"),
    [
        ("Fix typo in the pager", True),
        ("Fix circular import", True),
        ("Fix #12: tests on Windows", True),
        ("Fix crash\n\nTests and docs follow", False),
        ("Fix the testbed", False),
    ],
)
def test_a_subject_that_may_name_something_else_is_in_doubt(message: str, doubtful: bool) -> None:
    assert MessageFilter(MessageRules()).refuse(message, PERSON) == ""
    assert MessageFilter(MessageRules()).doubts(message) == doubtful
    assert not MessageFilter(MessageRules(doubtful_words=())).doubts(message)


@pytest.mark.parametrize(
    "author", ["dependabot[bot] <x@y>", "A <a@users.noreply.bot.org>", "pre-commit-ci <x@y>", "my[bot] <a@b>"]
)
def test_bots_are_refused_and_may_be_read(author: str) -> None:
    assert MessageFilter(MessageRules()).refuse("Fix crash", author) == "bot"
    assert MessageFilter(MessageRules(), bots=True).refuse("Fix crash", author) == ""
    assert MessageFilter(MessageRules()).refuse("Fix crash", "Abbott <abbott@x>") == ""


def test_words_are_settings() -> None:
    rules = MessageRules(fix_words=("corrig(?:e|er)",), other_words=(), new_words=(), bot_words=())
    french = MessageFilter(rules)
    assert french.refuse("Corrige les styles", "x[bot]") == ""
    assert french.refuse("Fix crash", PERSON) == "message names no fix"
    assert MessageFilter(MessageRules(body=True)).refuse("Wrap lines\n\nFixes #3", PERSON) == ""


def test_a_word_that_is_no_expression_is_named() -> None:
    with pytest.raises(ValueError, match=r"other_words: 'a\(' is not a valid regular expression"):
        MessageRules(other_words=("a(",))


def test_reverts_are_read_whole_or_abbreviated() -> None:
    name = "0123456789abcdef0123456789abcdef01234567"
    message = f'Revert "Fix"\n\nThis reverts commit {name}.\nthis reverts commit ABCDEF1.'
    assert reverted_commits(message) == [name, "abcdef1"]
