import pytest

from ctm.sources.changes.cosmetic import is_cosmetic

CODE = """def f(items, limit=None):
    total = 0
    for item in items:
        if limit == None or not item in limit:
            total += len(item)
    print("total of %d item" % total)
    return total
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total of %d item", "total of %d items"),
        ("total", "amount"),
        ("limit == None", "limit is None"),
        ("not item in limit", "item not in limit"),
        (
            "    total = 0\n",
            '    """Sum."""\n    import os\n    total: int = 0\n    assert items is not None\n',
        ),
    ],
)
def test_wording_and_style_are_cosmetic(old: str, new: str) -> None:
    changed = CODE.replace(old, new)
    assert is_cosmetic(changed, CODE)
    assert is_cosmetic(CODE, changed) == ("import" not in new), "an import that is added may be missed"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return total", "return totl"),
        ("len(item)", "length(item)"),
        ("for item in items", "for items in items"),
        ("total += len", "total -= len"),
        ("len(item)", "item.lenght"),
        ("limit == None", "limit == 0"),
        ("len(item)", "len(item['key'])"),
    ],
)
def test_a_typo_that_a_run_notices_is_a_fix(old: str, new: str) -> None:
    assert not is_cosmetic(CODE.replace(old, new), CODE)


def test_keys_are_code_and_sentences_are_not() -> None:
    assert not is_cosmetic("def f(a):\n    return a['nmae']", "def f(a):\n    return a['name']")
    assert is_cosmetic(
        "def f(a):\n    return g(a, 'the nmae of it')", "def f(a):\n    return g(a, 'the name of it')"
    )


def test_parameters_of_inner_functions_are_their_own() -> None:
    code = (
        "def f(a):\n    def g(x):\n        return x + a\n    def h(x):\n        return x - a\n    return g, h"
    )
    assert is_cosmetic(code, code.replace("g(x):\n        return x", "g(y):\n        return y"))
    assert not is_cosmetic(code, code.replace("return x + a", "return a + x"))


def test_exceptions_as_linters_have_them() -> None:
    code = "def f(a):\n    try:\n        return g(a)\n    except:\n        return None"
    assert is_cosmetic(code, code.replace("except:", "except Exception as error:"))
    assert not is_cosmetic(code, code.replace("except:", "except KeyError:"))
    types = "def f(a):\n    return type(a) is str"
    assert is_cosmetic(types, "def f(a):\n    return isinstance(a, str)")
