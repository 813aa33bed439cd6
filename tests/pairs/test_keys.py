"""Keys of texts: pinned, because splits, shards and drawn sets follow from them."""

from ctm.pairs.keys import key_of


def test_keys_are_those_that_splits_were_dealt_with() -> None:
    assert key_of("") == 0xE4A6A0577479B2B4
    assert key_of("0\0numpy") != key_of("1\0numpy") and 0 <= key_of("é") < 2**64


def test_a_lone_surrogate_has_one() -> None:
    """Code may hold any text, and so may the names of files."""
    assert key_of("\ud800") != key_of("?")
