"""Value frequencies of a fact table: all that the hat gradients depend on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Frequencies:
    """Frequencies of the values among the finetuning subjects F, and who has which value.

    values    per type, f_u over the values of the table in sorted order (0 for a value that occurs only outside F)
    subjects  per subject, its value index for every type
    seen      per subject, whether it is in F
    Raises ValueError if the lengths disagree, F is empty, or f_u is not the frequency of u in F. O(M L).
    """

    values: tuple[tuple[Fraction, ...], ...]
    subjects: tuple[tuple[int, ...], ...]
    seen: tuple[bool, ...]

    def __post_init__(self) -> None:
        if len(self.seen) != len(self.subjects):
            raise ValueError(f"seen has {len(self.seen)} entries: it needs one per subject ({len(self.subjects)})")
        if not any(self.seen):
            raise ValueError("seen = all False: at least one subject must be in the finetuning set")
        counts = [[0] * len(column) for column in self.values]
        for j, own in enumerate(self.subjects):
            if len(own) != len(self.values):
                raise ValueError(f"subjects[{j}] has {len(own)} values: it needs one per type ({len(self.values)})")
            for kind, u in enumerate(own):
                if not 0 <= u < len(counts[kind]):
                    raise ValueError(f"subjects[{j}][{kind}] = {u}: valid are 0 to {len(counts[kind]) - 1}")
                counts[kind][u] += self.seen[j]
        expected = tuple(tuple(Fraction(c, self.M_ft) for c in column) for column in counts)
        if tuple(map(tuple, self.values)) != expected:
            raise ValueError("values: f_u must be the fraction of the seen subjects that have the value u")

    @classmethod
    def from_table(cls, table: Sequence[Sequence[int]], finetune: Iterable[int]) -> "Frequencies":
        """From a fact table (M, L) of ints and the indices of F. ValueError for an index outside 0..M-1."""
        chosen = set(finetune)
        outside = sorted(j for j in chosen if not 0 <= j < len(table))
        if outside:
            raise ValueError(f"finetune = {outside[0]}: valid subjects are 0 to {len(table) - 1}")
        kinds = range(len(table[0])) if len(table) else range(0)
        ordered = [{v: k for k, v in enumerate(sorted({row[kind] for row in table}))} for kind in kinds]
        subjects = tuple(tuple(ordered[kind][row[kind]] for kind in kinds) for row in table)
        seen = tuple(j in chosen for j in range(len(table)))
        if not chosen:
            raise ValueError("finetune = []: at least one subject must be in the finetuning set")
        counts = [[0] * len(values) for values in ordered]
        for j in chosen:
            for kind, u in enumerate(subjects[j]):
                counts[kind][u] += 1
        values = tuple(tuple(Fraction(c, len(chosen)) for c in column) for column in counts)
        return cls(values, subjects, seen)

    @property
    def M(self) -> int:
        return len(self.subjects)

    @property
    def L(self) -> int:
        return len(self.values)

    @property
    def M_ft(self) -> int:
        return sum(self.seen)

    def power_sum(self, k: int, kind: int) -> Fraction:
        """P_k(l) = sum_u f_u^k."""
        return sum((f**k for f in self.values[kind]), Fraction(0))
