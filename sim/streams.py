"""Named random streams from one seed, so that one part of a run never shifts the luck of another.

A stream is made from the seed and its name by a stable hash, never from the order in which streams
are made: adding a worker changes nothing for the others, and two settings meet the same luck. Knows
nothing of what the numbers are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

import numpy as np

BLOCK = 256
"""Numbers drawn at once; more costs memory at thousands of workers, fewer costs time."""


def generator(seed: int, *name: object) -> np.random.Generator:
    """The PCG64 generator of the stream ``name`` under ``seed``, the same on every machine."""
    text = "/".join([str(seed), *map(str, name)])
    return np.random.Generator(
        np.random.PCG64(int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big"))
    )


def uniforms(seed: int, *name: object) -> Callable[[], float]:
    """A function that gives the stream's next number in [0, 1)."""
    return _drawn(lambda source: source.random(BLOCK), seed, name)


def gammas(mean: float, variation: float, seed: int, *name: object) -> Callable[[], float]:
    """A function that gives gamma numbers with this mean and coefficient of variation (above 0).

    A gamma of shape k and scale s has mean k s and coefficient of variation 1 / sqrt(k).
    """
    shape = 1.0 / (variation * variation)
    return _drawn(lambda source: source.gamma(shape, mean / shape, BLOCK), seed, name)


def whole_gammas(mean: float, variation: float, seed: int, *name: object) -> Callable[[], int]:
    """As :func:`gammas`, each rounded to the nearest whole number, a half to the even one."""
    shape = 1.0 / (variation * variation)
    return _drawn(
        lambda source: np.rint(source.gamma(shape, mean / shape, BLOCK)).astype(np.int64),
        seed,
        name,
    )


def _drawn(
    block: Callable[[np.random.Generator], np.ndarray], seed: int, name: tuple[object, ...]
) -> Callable[[], Any]:
    def numbers() -> Iterator[Any]:
        source = generator(seed, *name)  # made at the first draw: most streams are never asked
        while True:
            yield from block(source).tolist()

    return numbers().__next__
