"""Makes a limiter from the name of its algorithm. Knows the names and each algorithm's default;
nothing of policies.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import nearest
from .aligned import Aligned
from .fixed import Fixed
from .gcra import Gcra
from .limiter import Limiter
from .sliding import Sliding
from .sliding_counter import SlidingCounter

_MAKERS: dict[str, Callable[..., Limiter]] = {
    "fixed": Fixed,
    "aligned": Aligned,
    "sliding": Sliding,
    "sliding-counter": SlidingCounter,
    "gcra": Gcra,
}

WINDOWS = tuple(_MAKERS)
"""The names of the algorithms, the default first."""


def make_limiter(
    window: str, count: int, per: int, *, count_refused: bool | None = None, from_last: bool = False
) -> Limiter:
    """A limiter of ``count`` per ``per`` microseconds, empty.

    ``count_refused`` None is the algorithm's own: true for fixed and aligned, false for the others.
    ``from_last`` is for fixed alone. ValueError in words for anything that cannot be.
    """
    if window not in _MAKERS:
        raise ValueError(
            f'"{window}" is not a window algorithm; allowed: {", ".join(WINDOWS)}{nearest(window, WINDOWS)}'
        )
    if from_last and window != "fixed":
        raise ValueError(f'only a "fixed" window can be kept from the last request, not "{window}"')
    options = {} if count_refused is None else {"count_refused": count_refused}
    return _MAKERS[window](count, per, **options, **({"from_last": True} if from_last else {}))
