"""The printed constructions of Propositions 1-4 as small dense integer matrices, by outer products of one-hot vectors.

Directions of R^d, d = V + T: tokens first, then positions p_0, p_-1, .., p_-(T-1).  kq is W_KQ per unit beta ([key,
query]); ov is W_OV times ov_denominator, on the tokens ([output, input]).

    Props. 1, 3   W_KQ^subj = sum_j h(s_j) h(sep)^T
                  W_KQ^rel  = (sum_l h(r_l) + p) h(sep)^T,    p = h(p_0) + .. + h(p_{-S-1})
                  W_OV^rel  = sum_l sum_{u in U_l} h(u) h(r_l)^T
    Props. 2, 4   W_KQ^subj = (sum_j h(s_j) + h(p_-1)) h(sep)^T,    u'_l = sum_{u in U'_l} h(u)
    Prop. 2       W_KQ^rel  = sum_l (h(r_l) + u'_l) h(sep)^T,  W_OV^rel = sum_l (sum_{u in U_l} h(u) h(r_l)^T + u'_l u'_l^T)
    Prop. 4       W_KQ^rel  = sum_l u'_l h(sep)^T,             W_OV^rel = sum_l u'_l (u'_l + h(r_l))^T
    all           W_OV^subj = -sum_j (sum over the values of the others) h(s_j)^T, in the reading "set" or "literal"
    Props. 3, 4   the grammar head, see `grammar_head`
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.arguments import checked_choice, checked_integer
from numerics.population.layout import Layout as IclLayout
from numerics.pretraining.layout import Layout as PtLayout
from numerics.world import World

IntArray = NDArray[np.int64]
READINGS = ("set", "literal")


@dataclass(frozen=True, eq=False)
class Head:
    """kq (d, d) per unit beta, [key, query]; ov (V, V) = W_OV * ov_denominator, [output, input].  Integers."""

    kq: IntArray
    ov: IntArray
    ov_denominator: int = 1


@dataclass(frozen=True, eq=False)
class Construction:
    """A world, the number T of positions, and the heads by name ('subj', 'rel', 'grm').

    Raises ValueError for matrices that do not fit d = V + T or are no integers.
    """

    world: World
    T: int
    heads: dict[str, Head]

    def __post_init__(self) -> None:
        V, d = self.world.V, self.world.V + self.T
        if not self.heads:
            raise ValueError("heads must be at least one head, got none")
        for name, head in self.heads.items():
            for what, matrix, n in (("kq", head.kq, d), ("ov", head.ov, V)):
                if matrix.shape != (n, n) or matrix.dtype.kind not in "iu":
                    raise ValueError(
                        f"{what} of head {name!r} must be integers ({n}, {n}), got {matrix.dtype} {matrix.shape}"
                    )
            checked_integer("ov_denominator", head.ov_denominator, 1)


@dataclass(frozen=True, eq=False)
class Basis:
    """One-hot vectors h(.) in R^d as integers, and the sums of them that the constructions name."""

    world: World
    T: int

    @property
    def d(self) -> int:
        """V + T."""
        return self.world.V + self.T

    def tokens(self, ids) -> IntArray:
        """(d,) sum of h(v) over token ids, with multiplicity."""
        out = np.zeros(self.d, dtype=np.int64)
        np.add.at(out, np.asarray(list(ids), dtype=np.int64), 1)
        return out

    def position(self, back: int) -> IntArray:
        """(d,) h(p_{-back}); zero where the sequence is shorter than that."""
        out = np.zeros(self.d, dtype=np.int64)
        if back < self.T:
            out[self.world.V + back] = 1
        return out

    def positions(self, width: int) -> IntArray:
        """(d,) p = h(p_0) + .. + h(p_{-(width-1)})."""
        return sum((self.position(back) for back in range(width)), np.zeros(self.d, dtype=np.int64))

    @property
    def subjects(self) -> IntArray:
        """(d,) sum_j h(s_j)."""
        return self.tokens(range(self.world.M))

    @property
    def relations(self) -> IntArray:
        """(d,) sum_l h(r_l)."""
        return self.tokens(self.world.relation_token(l) for l in range(self.world.L))

    @property
    def grammar(self) -> IntArray:
        """(d,) sum_g h(g)."""
        return self.tokens(self.world.grammar_token(g) for g in range(self.world.G))

    @property
    def sep(self) -> IntArray:
        """(d,) h(sep)."""
        return self.tokens([self.world.sep_token])

    def relation(self, l: int) -> IntArray:
        """(d,) h(r_l)."""
        return self.tokens([self.world.relation_token(l)])

    def values(self, l: int) -> IntArray:
        """(d,) sum of h(u) over the values of type l, each once."""
        return self.tokens(self.world.attribute_range(l))

    def finetuned_values(self, l: int) -> IntArray:
        """(d,) u'_l, the sum of h(u) over the values of type l of the finetuning subjects, each once."""
        return self.tokens(set(self.world.attribute_token[self.world.finetune_array, l].tolist()))


def _zeros(basis: Basis) -> tuple[IntArray, IntArray]:
    return np.zeros((basis.d, basis.d), dtype=np.int64), np.zeros((basis.d, basis.d), dtype=np.int64)


def _head(basis: Basis, kq: IntArray, ov: IntArray, ov_denominator: int = 1) -> Head:
    V = basis.world.V
    return Head(kq, np.ascontiguousarray(ov[:V, :V]), ov_denominator)


def subject_head(world: World, T: int, reading: str = "set", query_position: bool = False) -> Head:
    """The subject head; with query_position its W_KQ also has h(p_-1) h(sep)^T (Props. 2 and 4).  Cost O(M (d^2 + M L)).

    Reading "set": W_OV^subj h(s_j) = -(values that are not s_j's, each once); "literal": -(values of every other
    subject, with multiplicity).  Raises ValueError for an unknown reading.
    """
    checked_choice("reading", reading, READINGS)
    basis = Basis(world, T)
    kq, ov = _zeros(basis)
    kq += np.outer(basis.subjects + (basis.position(1) if query_position else 0), basis.sep)
    attribute = world.attribute_token
    for j in range(world.M):
        if reading == "set":
            others = set(attribute.ravel().tolist()) - set(attribute[j].tolist())
            total = basis.tokens(others)
        else:
            total = basis.tokens(np.delete(attribute, j, axis=0).ravel())
        ov -= np.outer(total, basis.tokens([world.subject_token(j)]))
    return _head(basis, kq, ov)


def pretrained_relation_head(world: World, T: int, width: int) -> Head:
    """The relation head of Props. 1 and 3 with p over the last `width` positions (printed: S + 2).  Cost O(L d^2)."""
    basis = Basis(world, T)
    kq, ov = _zeros(basis)
    kq += np.outer(basis.relations + basis.positions(width), basis.sep)
    for l in range(world.L):
        ov += np.outer(basis.values(l), basis.relation(l))
    return _head(basis, kq, ov)


def finetuned_relation_head(world: World, T: int, proposition: int) -> Head:
    """The relation head of Prop. 2 or Prop. 4.  Raises ValueError for another proposition.  Cost O(L d^2)."""
    if proposition not in (2, 4):
        raise ValueError(f"proposition must be 2 or 4, got {proposition!r}")
    basis = Basis(world, T)
    kq, ov = _zeros(basis)
    for l in range(world.L):
        seen = basis.finetuned_values(l)
        if proposition == 2:
            kq += np.outer(basis.relation(l) + seen, basis.sep)
            ov += np.outer(basis.values(l), basis.relation(l)) + np.outer(seen, seen)
        else:
            kq += np.outer(seen, basis.sep)
            ov += np.outer(seen, seen + basis.relation(l))
    return _head(basis, kq, ov)


def grammar_head(world: World, T: int, width: int) -> Head:
    """The grammar head of Props. 3 and 4, p over the last `width` positions (printed: S + 2).  Cost O((M + L) d^2).

    W_KQ^grm = sum_u h(u) h(u)^T + sum_j h(s_j) h(s_j)^T + sum_l (h(r_l) + h(sep) + p) h(r_l)^T
               + (sum_l h(r_l) + h(sep) + p) sum_g h(g)^T
    W_OV^grm = sum_j sum_l h(s_j) h(a_j^l)^T + (sum_g h(g) + sum_l h(r_l)) (sum_j h(s_j) + h(sep))^T
               + (1/2 sum_g h(g) + h(sep)) sum_l h(r_l)^T
    """
    basis = Basis(world, T)
    kq, ov = _zeros(basis)
    p = basis.positions(width)
    # sum_v h(v) h(v)^T over subjects and attribute values, which are the first tokens.
    kq += np.diag(basis.tokens(range(world.attribute_offsets[-1])))
    for l in range(world.L):
        kq += np.outer(basis.relation(l) + basis.sep + p, basis.relation(l))
    kq += np.outer(basis.relations + basis.sep + p, basis.grammar)
    # W_OV is held twice as large, because of the 1/2.
    for j in range(world.M):
        ov += 2 * np.outer(basis.tokens([world.subject_token(j)]), basis.tokens(world.attribute_token[j]))
    ov += 2 * np.outer(basis.grammar + basis.relations, basis.subjects + basis.sep)
    ov += np.outer(basis.grammar + 2 * basis.sep, basis.relations)
    return _head(basis, kq, ov, 2)


def prop1(world: World, S: int, n_tr: int, reading: str = "set") -> Construction:
    """Prop. 1 on PT sequences: subject and relation head.  Raises ValueError for S < 1, n_tr < 1, unknown reading."""
    layout = PtLayout(S, n_tr)
    heads = {
        "subj": subject_head(world, layout.T, reading),
        "rel": pretrained_relation_head(world, layout.T, layout.window),
    }
    return Construction(world, layout.T, heads)


def prop3(world: World, S: int, n_tr: int, reading: str = "set") -> Construction:
    """Prop. 3 on PT sequences: the heads of Prop. 1 and the grammar head.  Raises as prop1."""
    layout = PtLayout(S, n_tr)
    grammar = grammar_head(world, layout.T, layout.window)
    return Construction(world, layout.T, prop1(world, S, n_tr, reading).heads | {"grm": grammar})


def prop2(world: World, n_demos: int, reading: str = "set") -> Construction:
    """Prop. 2 on ICL sequences: subject and relation head.  Raises ValueError for n_demos < 1, unknown reading."""
    T = IclLayout(n_demos).T
    return Construction(
        world, T, {"subj": subject_head(world, T, reading, True), "rel": finetuned_relation_head(world, T, 2)}
    )


def prop4(world: World, n_demos: int, S: int, reading: str = "set") -> Construction:
    """Prop. 4 on ICL sequences, with the grammar head of Prop. 3.

    S enters only the window of the grammar head, which [sep] queries do not see.  Raises as prop2 and for S < 1.
    """
    T = IclLayout(n_demos).T
    heads = {
        "subj": subject_head(world, T, reading, True),
        "rel": finetuned_relation_head(world, T, 4),
        "grm": grammar_head(world, T, checked_integer("S", S, 1) + 2),
    }
    return Construction(world, T, heads)
