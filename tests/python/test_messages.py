"""Classes of the parser's messages."""

from ctm.python.messages import KINDS, NO_MESSAGE, complaint, message_kind


def test_unknown_messages_are_other() -> None:
    assert KINDS[message_kind("something that no Python says")] == "other"
    assert len(KINDS) == len(set(KINDS)) == 26


def test_code_that_compiles_has_no_message() -> None:
    """Its class is a number of its own, which no message has."""
    assert complaint("x = 1\n") is None and KINDS[NO_MESSAGE] == "none"
    assert message_kind("invalid syntax") != NO_MESSAGE
    assert complaint("x = 1)\n") == (KINDS.index("unmatched bracket"), 1, 6)
