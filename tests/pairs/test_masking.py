import pytest

from ctm.pairs.masking import mask

KEY = "AKIA" + "ABCDEFGH23456789"
TOKEN = "ghp_" + "a1B2" * 9
JWT = "eyJ" + "hbGciOiJI.eyJ" + "zdWIiOiIx.SflKxwRJSM"


@pytest.mark.parametrize(
    ("text", "masked", "sort"),
    [
        ("# by Jo <jo.doe@uni-x.de>", "# by Jo <user@example.com>", "email"),
        ("x = 'a@b.io c@d.io'", "x = 'user@example.com user2@example.com'", "email"),
        ("x = '\\njo@b.io'", "x = '\\nuser@example.com'", "email"),
        (f"key = '{KEY}'", "key = 'AKIA" + "X" * 16 + "'", "key"),
        (f't = "{TOKEN}"', 't = "ghp_' + "X" * 36 + '"', "token"),
        ("u = 'https://me:s3cr3t@host/x'", "u = 'https://me:XXXXXX@host/x'", "url_password"),
        ("password = 'a1b2c3d4e5f6a7b8c9d0'", "password = '" + "X" * 20 + "'", "assigned"),
    ],
)
def test_each_sort_is_masked_and_counted(text: str, masked: str, sort: str) -> None:
    (done,), counts = mask(text)
    assert done == masked
    assert set(counts) == {sort}
    assert mask(done) == ([done], {}), "nothing is found in what is masked"
    compile(done, "masked", "exec")


@pytest.mark.parametrize(
    "text",
    [
        "a = b@c.T",
        "@app.route\ndef f(): pass",
        "x = 'user@example.com'",
        "x = '%s@%s.com'",
        "token = 'a_readable_name_of_words'",
        "risk = 'task-force-of-the-mask'",
        "f'{user}@host'",
    ],
)
def test_code_and_examples_stay(text: str) -> None:
    assert mask(text) == ([text], {})


def test_both_sides_are_masked_alike_though_one_has_an_open_quote() -> None:
    fixed = f"send('jo@firm.org', '{TOKEN}', '{JWT}')"
    buggy = fixed.replace("org'", "org")
    sides, counts = mask(buggy, fixed)
    assert not any(secret in side for side in sides for secret in ("jo@firm", TOKEN, JWT))
    assert sides[0].replace("com,", "com',") == sides[1], "they differ in the same place as before"
    assert counts == {"email": 1, "token": 2}


def test_a_private_key_keeps_its_lines() -> None:
    text = (
        'k = """-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKCAQ9a8b7c==\n-----END RSA PRIVATE KEY-----"""'
    )
    (done,), counts = mask(text)
    assert counts == {"private_key": 1}
    assert "MIIE" not in done and done.count("\n") == text.count("\n")


def test_what_masking_would_break_is_refused() -> None:
    with pytest.raises(ValueError, match="masking breaks it"):
        mask("x = '\\x41jo@firm.org'")
