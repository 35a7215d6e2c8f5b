"""Checks of plain arguments.  Every error names the parameter, its value and what would be valid."""

import math
import operator
from typing import Any


def checked_integer(name: str, value: Any, least: int, most: int | None = None, why: str = "") -> int:
    """`value` as an int in [least, most].  Raises ValueError naming parameter, value and the valid range."""
    valid = f"an integer >= {least}" if most is None else f"an integer in {least}..{most}"
    message = f"{name} must be {valid}{' (' + why + ')' if why else ''}, got {value!r}"
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        raise ValueError(message) from None
    if number < least or (most is not None and number > most):
        raise ValueError(message)
    return number


def checked_choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """`value` if it is one of `choices`.  Raises ValueError naming parameter, value and the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def checked_real(name: str, value: Any, infinite: bool = False, positive: bool = False) -> float:
    """`value` as a float: finite unless `infinite` allows +inf; > 0 if `positive`.  Raises ValueError."""
    valid = ("a positive" if positive else "a finite") + " number" + (" or inf" if infinite else "")
    message = f"{name} must be {valid}, got {value!r}"
    try:
        number = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(message) from None
    if math.isnan(number) or (math.isinf(number) and not (infinite and number > 0)) or (positive and number <= 0):
        raise ValueError(message)
    return number
