"""A property that is computed once, without the lock that `functools.cached_property` takes before Python 3.12."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_T = TypeVar("_T")


class lazy(Generic[_T]):
    """Decorator: the value is put into the object's dictionary, where it is found from then on."""

    def __init__(self, function: Callable[[Any], _T]) -> None:
        self.function, self.name, self.__doc__ = function, function.__name__, function.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> lazy[_T]: ...

    @overload
    def __get__(self, owner: object, kind: type | None = None) -> _T: ...

    def __get__(self, owner: object, kind: type | None = None) -> lazy[_T] | _T:
        if owner is None:
            return self
        value = owner.__dict__[self.name] = self.function(owner)
        return value
