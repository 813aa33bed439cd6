"""Every key of the configuration: each number has bounds, and each text with a few meanings names them."""

from __future__ import annotations

import dataclasses
import math
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import TypeAdapter, ValidationError

from ctm.pipeline.reference import _classes, field_docs
from ctm.pipeline.sections import Config

ROOT = Path(__file__).resolve().parents[2]
CLASSES = sorted(set(_classes(Config)), key=lambda kind: kind.__qualname__)


def plain_types(annotation: Any) -> Iterator[tuple[Any, list[Any]]]:
    """(type, what pydantic knows of it) of each scalar in an annotation: in unions, lists, and values of mappings."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        yield args[0], [item for given in args[1:] for item in given.metadata]
    elif origin in (Union, UnionType, tuple, list):
        for part in args:
            if part is not Ellipsis:
                yield from plain_types(part)
    elif origin is dict:
        yield from plain_types(args[1])
    else:
        yield annotation, []


def settings() -> Iterator[tuple[str, str, Any]]:
    """Class, name and annotation of every key."""
    for kind in CLASSES:
        for name, annotation in typing.get_type_hints(kind, include_extras=True).items():
            yield kind.__qualname__, name, annotation


def test_every_number_has_bounds() -> None:
    """A negative rate or a batch of nothing would be found hours later, an infinite one never."""
    bare, numbers = [], 0
    for kind, name, annotation in settings():
        for scalar, known in plain_types(annotation):
            if scalar in (int, float):
                numbers += 1
                low = any(isinstance(item, (Ge, Gt)) for item in known)
                high = any(isinstance(item, (Le, Lt)) for item in known)
                bare += [] if low and high else [f"{kind}.{name}"]
    assert numbers > 200, "the walk sees next to nothing"
    assert not bare, f"take a type of ctm/bounds.py for {', '.join(bare)}"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, -1e300, 1e300, 10**22])
def test_no_number_may_be_infinite_or_none(value: float) -> None:
    """Nor a seed have 23 digits."""
    for kind, name, annotation in settings():
        if {scalar for scalar, _ in plain_types(annotation)} & {int, float} and not _mapping(annotation):
            with pytest.raises(ValidationError):
                taken = TypeAdapter(annotation).validate_python(value)
                pytest.fail(f"{kind}.{name} takes {value}: {taken}")


def _mapping(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (dict, tuple)


def test_every_choice_of_words_is_a_literal() -> None:
    """A text whose explanation names its values in quotes has those alone: a slip is refused before anything runs."""
    loose = []
    for kind in CLASSES:
        docs = field_docs(kind)
        for name, annotation in typing.get_type_hints(kind, include_extras=True).items():
            for scalar, known in plain_types(annotation):
                named = re.search(r'(^|\s)"[\w-]+"', docs.get(name, ""))
                if scalar is str and named and not any(getattr(item, "pattern", None) for item in known):
                    loose.append(f"{kind.__qualname__}.{name}")
    assert not loose, f"make a Literal of {', '.join(loose)}"
    literals = [name for _, name, annotation in settings() if typing.get_origin(annotation) is Literal]
    assert {"optimizer", "precision", "environment", "deterministic", "disk"} <= set(literals)


def test_defaults_are_within_their_bounds() -> None:
    """Dataclasses take their defaults unseen."""
    for kind in CLASSES:
        fields = dataclasses.fields(kind)
        if all(
            f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING
            for f in fields
        ):
            adapter: TypeAdapter[Any] = TypeAdapter(kind)
            if kind is not Config:  # whose stages are the file's
                adapter.validate_python(adapter.dump_python(kind(), mode="json"))


def test_a_program_called_by_hand_refuses_what_the_plan_refuses(tmp_path: Path) -> None:
    """Programs read the same dataclasses: one line, no traceback."""
    program = [sys.executable, str(ROOT / "workflow/scripts/train_tokenizer.py"), "--threads", "1"]
    arguments = ["--settings", '{"vocabulary": 7}', "--snippets", "x", "--out", "y"]
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 2
    assert "--settings: vocabulary: Input should be greater than or equal to" in done.stderr
    assert "Traceback" not in done.stderr
