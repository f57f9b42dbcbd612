"""The windows that hold one value of each key until a time: what ``fixed``, ``sliding`` and
``gcra`` share.

Knows how such a value is forgotten, said as numbers and taken up again; nothing of when a request
passes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from .kept import Kept
from .limiter import Key, State, Window

T = TypeVar("T")


class Keeping(Window, Generic[T]):
    """Says a key's state as its end and the numbers of its value."""

    def __init__(self, count: int, per: int, *, count_refused: bool) -> None:
        super().__init__(count, per, count_refused=count_refused)
        self._kept: Kept[T] = Kept()

    @abstractmethod
    def _numbers(self, value: T) -> Iterable[int]:
        """``value`` as numbers."""

    @abstractmethod
    def _value(self, numbers: Sequence[int]) -> T:
        """The value that these numbers say."""

    def reset(self, key: Key) -> None:
        self._kept.forget(key)

    def state(self, key: Key, now: int) -> State | None:
        held = self._kept.look(key, now)
        return None if held is None else (held.end, *self._numbers(held.value))

    def restore(self, key: Key, state: State, now: int) -> None:
        end, *numbers = state
        if end > now:
            self._kept.put(key, end, self._value(numbers))

    def __len__(self) -> int:
        return len(self._kept)


class KeepingNumber(Keeping[int]):
    """The value is one number."""

    def _numbers(self, value: int) -> Iterable[int]:
        return (value,)

    def _value(self, numbers: Sequence[int]) -> int:
        return numbers[0]
