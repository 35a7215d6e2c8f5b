"""Reading a population gradient along every class of direction or entry."""

from collections.abc import Mapping
from typing import TypeVar

from theory.finetuning.probes import Probe
from theory.onehot.classes import DirectionClass, EntryClass
from theory.onehot.coefficient import Coefficient, read
from theory.onehot.tensor import Tensor

Class = TypeVar("Class", DirectionClass, EntryClass)


def coefficients_of(tensor: Tensor, probes: Mapping[Class, tuple[Probe, ...]]) -> dict[Class, Coefficient]:
    """Coefficient of each class. ArithmeticError if two members of one class disagree: then it is not a class."""
    found: dict[Class, Coefficient] = {}
    for key, members in probes.items():
        values = {read(tensor, probe.directions, probe.known) for probe in members}
        if len(values) != 1:
            raise ArithmeticError(f"class {key.value!r}: its directions have different coefficients {values}")
        (found[key],) = values
    return found
