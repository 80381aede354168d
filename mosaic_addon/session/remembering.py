"""Results that are remembered by the text or bytes that they were worked out of."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Source = TypeVar("Source", str, bytes)
Result = TypeVar("Result")

_forgetters: list[Callable[[], None]] = []


def remembered(most: int) -> Callable[[Callable[[Source], Result]], Callable[[Source], Result]]:
    """Make a function remember its results, which must take no more than a few times the memory of what it was given.

    most: the length of all that is remembered, in characters or bytes; beyond it, all is forgotten.
    """

    def decorate(work: Callable[[Source], Result]) -> Callable[[Source], Result]:
        known: dict[Any, Result] = {}
        length = 0

        def forget() -> None:
            nonlocal length
            known.clear()
            length = 0

        @wraps(work)
        def remember(source: Source) -> Result:
            nonlocal length
            if source in known:
                return known[source]
            result = work(source)
            if length + len(source) > most:
                forget()
            if len(source) <= most:
                known[source] = result
                length += len(source)
            return result

        _forgetters.append(forget)
        return remember

    return decorate


def forget_all() -> None:
    """Forget all results, as when another .blend is opened."""
    for forget in _forgetters:
        forget()
