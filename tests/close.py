"""JSON values that are the same up to rounding: sums taken in another order on another processor differ in the last digit."""

from typing import Any

import pytest


def close(found: Any, expected: Any, rel: float = 1e-9, abs_: float = 1e-12) -> bool:
    """The same shape, keys, words, integers and truth values; floats up to rel of the larger or abs_."""
    if isinstance(expected, float) and isinstance(found, int | float) and not isinstance(found, bool):
        return bool(found == pytest.approx(expected, rel=rel, abs=abs_))
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(close(found[key], expected[key], rel, abs_) for key in expected)
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(close(a, b, rel, abs_) for a, b in zip(found, expected, strict=True))
        )
    return bool(found == expected and isinstance(found, bool) == isinstance(expected, bool))
