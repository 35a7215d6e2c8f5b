"""The world: a table of facts, the finetuning subjects, and the token ids.

Vocabulary order, known here and nowhere else: subjects (M), attributes type-major (for each type the values that occur
in the table, sorted), relations (L), grammar (G), [sep].  V = M + sum_l U_l + L + G + 1.  Any table is a world, also
one where some values occur only outside the finetuning subjects.  Everything is counted from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.arguments import checked_integer
from numerics.facts import FactsError, read_facts

IntArray = NDArray[np.int64]


def _checked_table(table: ArrayLike) -> IntArray:
    valid = "an (M, L) array of integers with M >= 1 and L >= 1"
    try:
        given = np.asarray(table)
    except ValueError:
        raise ValueError(f"table must be {valid}, got rows of different lengths") from None
    if given.ndim != 2 or 0 in given.shape:
        raise ValueError(f"table must be {valid}, got shape {given.shape}")
    if given.dtype.kind not in "iu":
        raise ValueError(f"table must be {valid} of 64 bits, got dtype {given.dtype}")
    if given.dtype.kind == "u" and int(given.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"table must be {valid} of 64 bits, got the value {given.max()}")
    copy = np.array(given, dtype=np.int64)
    copy.setflags(write=False)
    return copy


def _checked_names(name: str, given: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    if given is None:
        return None
    if isinstance(given, str) or len(given) != count:
        raise ValueError(f"{name} must be {count} names or None, got {given!r}")
    return tuple(str(one) for one in given)


def _checked_U(U: int | Sequence[int], L: int) -> tuple[int, ...]:
    if isinstance(U, (int, np.integer)):
        return (checked_integer("U", U, 1),) * L
    if len(U) != L:
        raise ValueError(f"U must be an integer or one integer per type (L = {L}), got {U!r}")
    return tuple(checked_integer("U", one, 1) for one in U)


def _frozen(array: IntArray) -> IntArray:
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class World:
    """World(table, finetune, n_grammar): table (M, L) integers, finetune the finetuning subjects (indices, distinct).

    Optional names: subject_names (M), type_names (L), value_names (for each type the names of its sorted values).
    Raises ValueError for a table that is not (M, L) integers, an empty, repeated or out-of-range finetune, a negative
    n_grammar, or names of the wrong number.  Arrays are read-only.
    """

    table: Any  # given as (M, L) array-like; kept as a read-only int64 array
    finetune: Any  # given as a sequence of subjects; kept as a tuple of int in the given order
    n_grammar: int = 4
    subject_names: Any = None
    type_names: Any = None
    value_names: Any = None

    def __post_init__(self) -> None:
        table = _checked_table(self.table)
        M, L = table.shape
        try:
            finetune = tuple(checked_integer("finetune", j, 0, M - 1, "a subject") for j in self.finetune)
        except TypeError:
            raise ValueError(f"finetune must be a sequence of subjects in 0..{M - 1}, got {self.finetune!r}") from None
        if not finetune:
            raise ValueError(f"finetune must be at least one subject in 0..{M - 1}, got none")
        if len(set(finetune)) < len(finetune):
            twice = next(j for i, j in enumerate(finetune) if j in finetune[:i])
            raise ValueError(f"finetune must be distinct subjects in 0..{M - 1}, got {twice} more than once")
        # A frozen dataclass sets its normalised fields through object.__setattr__.
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "finetune", finetune)
        object.__setattr__(self, "n_grammar", checked_integer("n_grammar", self.n_grammar, 0))
        object.__setattr__(self, "subject_names", _checked_names("subject_names", self.subject_names, M))
        object.__setattr__(self, "type_names", _checked_names("type_names", self.type_names, L))
        if self.value_names is not None:
            if len(self.value_names) != L:
                raise ValueError(f"value_names must be {L} sequences of names, got {len(self.value_names)}")
            per_type = tuple(_checked_names("value_names", v, u) for v, u in zip(self.value_names, self.U, strict=True))
            object.__setattr__(self, "value_names", per_type)

    # Sizes.

    @property
    def M(self) -> int:
        """Number of subjects."""
        return int(self.table.shape[0])

    @property
    def L(self) -> int:
        """Number of attribute types."""
        return int(self.table.shape[1])

    @property
    def G(self) -> int:
        """Number of grammar tokens."""
        return self.n_grammar

    @property
    def M_ft(self) -> int:
        """Number of finetuning subjects."""
        return len(self.finetune)

    @cached_property
    def values(self) -> tuple[IntArray, ...]:
        """For each type the values that occur in the table, sorted."""
        return tuple(_frozen(np.unique(self.table[:, ell])) for ell in range(self.L))

    @cached_property
    def U(self) -> tuple[int, ...]:
        """For each type the number of values that occur in the table."""
        return tuple(len(v) for v in self.values)

    @property
    def n_attributes(self) -> int:
        """Number of attribute tokens, sum_l U_l."""
        return sum(self.U)

    @property
    def V(self) -> int:
        """Size of the vocabulary, M + sum_l U_l + L + G + 1."""
        return self.M + self.n_attributes + self.L + self.G + 1

    # Subjects.

    @cached_property
    def finetune_array(self) -> IntArray:
        """The finetuning subjects (M_ft,), in the given order."""
        return _frozen(np.array(self.finetune, dtype=np.int64))

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """(M,) True for finetuning subjects."""
        mask = np.zeros(self.M, dtype=np.bool_)
        mask[self.finetune_array] = True
        mask.setflags(write=False)
        return mask

    @cached_property
    def heldout(self) -> IntArray:
        """The subjects outside the finetuning set, ascending (M - M_ft,)."""
        return _frozen(np.flatnonzero(~self.seen).astype(np.int64))

    # Values and their counts.

    @cached_property
    def value_index(self) -> IntArray:
        """(M, L) index of subject j's value of type l among the sorted values of the type."""
        columns = [np.searchsorted(v, self.table[:, ell]) for ell, v in enumerate(self.values)]
        return _frozen(np.stack(columns, axis=1).astype(np.int64))

    @cached_property
    def value_counts(self) -> IntArray:
        """(sum U_l,) number N_u of ALL subjects that have the value, in the order of the attribute tokens."""
        ids = self.attribute_token.ravel() - self.M
        return _frozen(np.bincount(ids, minlength=self.n_attributes).astype(np.int64))

    @cached_property
    def finetune_value_counts(self) -> IntArray:
        """(sum U_l,) number of FINETUNING subjects that have the value; f_u is this over M_ft; may be 0."""
        ids = self.attribute_token[self.finetune_array].ravel() - self.M
        return _frozen(np.bincount(ids, minlength=self.n_attributes).astype(np.int64))

    # Token ids.

    @cached_property
    def attribute_offsets(self) -> tuple[int, ...]:
        """First attribute token of every type, and one past the last (L + 1)."""
        return tuple(int(o) for o in self.M + np.concatenate([[0], np.cumsum(self.U)]))

    @cached_property
    def attribute_token(self) -> IntArray:
        """(M, L) token id of a_j^l."""
        return _frozen(self.value_index + np.array(self.attribute_offsets[:-1], dtype=np.int64))

    def attribute_range(self, ell: int) -> range:
        """Token ids of the values of type l."""
        return range(self.attribute_offsets[ell], self.attribute_offsets[ell + 1])

    def subject_token(self, j: int) -> int:
        """Token id of s_j."""
        return range(self.M)[j]

    def relation_token(self, ell: int) -> int:
        """Token id of r_l."""
        return range(self.attribute_offsets[-1], self.attribute_offsets[-1] + self.L)[ell]

    def grammar_token(self, g: int) -> int:
        """Token id of the g-th grammar token."""
        return range(self.attribute_offsets[-1] + self.L, self.V - 1)[g]

    @property
    def sep_token(self) -> int:
        """Token id of [sep], the last one."""
        return self.V - 1

    def type_of_token(self, token: int) -> int | None:
        """The type of an attribute token; None for any other token."""
        token = range(self.V)[token]
        return next((ell for ell in range(self.L) if token in self.attribute_range(ell)), None)

    def token_name(self, token: int) -> str:
        """'s3', 'a^2=7' (type 2, the value 7), 'r1', 'g0', '[sep]'; with names 'Anna', 'city=Rome', 'r[city]'."""
        token = checked_integer("token", token, 0, self.V - 1)
        if token < self.M:
            return self.subject_names[token] if self.subject_names else f"s{token}"
        ell = self.type_of_token(token)
        if ell is not None:
            u = token - self.attribute_offsets[ell]
            value = self.value_names[ell][u] if self.value_names else str(self.values[ell][u])
            return f"{self.type_names[ell]}={value}" if self.type_names else f"a^{ell}={value}"
        rest = token - self.attribute_offsets[-1]
        if rest < self.L:
            return f"r[{self.type_names[rest]}]" if self.type_names else f"r{rest}"
        return "[sep]" if token == self.sep_token else f"g{rest - self.L}"

    # Builders.

    @staticmethod
    def balanced(
        M: int, L: int, U: int | Sequence[int], M_ft: int | None = None, n_grammar: int = 4, seed: int = 0
    ) -> "World":
        """Every value of type l on exactly M / U_l subjects, and on the finetuning subjects as equally as possible.

        finetune is 0..M_ft-1 (M_ft default M // 2, at least 1).  Within them every value occurs floor or ceil(M_ft/U_l)
        times: exactly equally when U_l divides M_ft.  Values are shuffled by `seed`, independently for each type.
        Raises ValueError if U_l does not divide M or U_l > M_ft (then some value would not be seen).
        """
        M, L = checked_integer("M", M, 1), checked_integer("L", L, 1)
        M_ft = max(1, M // 2) if M_ft is None else checked_integer("M_ft", M_ft, 1, M, f"M = {M}")
        generator = np.random.default_rng(checked_integer("seed", seed, 0))
        table = np.empty((M, L), dtype=np.int64)
        for ell, U_l in enumerate(_checked_U(U, L)):
            if M % U_l:
                raise ValueError(f"U must divide M = {M} in a balanced world, got U = {U_l} for type {ell}")
            if U_l > M_ft:
                raise ValueError(f"U must be <= M_ft = {M_ft} (every value seen), got U = {U_l} for type {ell}")
            # Which values get the one occurrence more, when U_l does not divide M_ft, is shuffled as well.
            inside = generator.permutation(U_l)[np.arange(M_ft) % U_l]
            missing = M // U_l - np.bincount(inside, minlength=U_l)
            outside = np.repeat(np.arange(U_l), missing)
            table[:, ell] = np.concatenate([generator.permutation(inside), generator.permutation(outside)])
        return World(table, range(M_ft), n_grammar)

    @staticmethod
    def random(
        M: int, L: int, U: int | Sequence[int], M_ft: int | None = None, n_grammar: int = 4, seed: int = 0
    ) -> "World":
        """Values i.i.d. uniform in 0..U_l-1 (some may not occur); finetune is 0..M_ft-1 (default max(1, M // 2))."""
        M, L = checked_integer("M", M, 1), checked_integer("L", L, 1)
        M_ft = max(1, M // 2) if M_ft is None else checked_integer("M_ft", M_ft, 1, M, f"M = {M}")
        generator = np.random.default_rng(checked_integer("seed", seed, 0))
        columns = [generator.integers(U_l, size=M) for U_l in _checked_U(U, L)]
        return World(np.stack(columns, axis=1), range(M_ft), n_grammar)

    @staticmethod
    def from_csv(
        path: str | PathLike[str],
        M_ft: int | None = None,
        finetune: Sequence[int] | None = None,
        n_grammar: int = 4,
        seed: int | None = None,
    ) -> "World":
        """The world of a CSV file (see numerics.facts.read_facts); values are ordered as strings.

        finetune: by default the first M_ft rows, or a choice of M_ft rows at random if a seed is given; M_ft by default
        half of the rows, rounded down, at least 1.  Raises FactsError for a file that cannot be used or M_ft outside
        1..M, ValueError if both finetune and M_ft (or seed) are given.
        """
        facts = read_facts(path)
        M = len(facts.subject_names)
        if finetune is not None and (M_ft is not None or seed is not None):
            raise ValueError(f"finetune must be given without M_ft and seed, got M_ft = {M_ft!r}, seed = {seed!r}")
        if finetune is None:
            try:
                size = max(1, M // 2) if M_ft is None else checked_integer("M_ft", M_ft, 1, M, "rows")
            except ValueError as error:
                raise FactsError(f"{path}: {error}") from None
            if seed is None:
                finetune = range(size)
            else:
                generator = np.random.default_rng(checked_integer("seed", seed, 0))
                finetune = sorted(int(j) for j in generator.permutation(M)[:size])
        columns = list(zip(*facts.values, strict=True))
        names = tuple(tuple(sorted(set(column))) for column in columns)
        order = [{value: u for u, value in enumerate(sorted_values)} for sorted_values in names]
        table = [[order[ell][value] for ell, value in enumerate(row)] for row in facts.values]
        return World(table, finetune, n_grammar, facts.subject_names, facts.type_names, names)
