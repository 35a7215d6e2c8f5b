"""The conclusion in a balanced world as a limit: is the target first on every sequence from some finite beta on?

At beta = inf a head sees its best positions alone; at every finite beta the others keep a share, however small, and where the best ones
do not tell two tokens apart that share decides.  With sigma_i and rho_i the scores of the positions in the two heads, S_i and R_i what
their columns give the target minus what they give a rival, and Z = sum_i e^(beta score_i) of each head, the difference of the logits is

    D = sum_i e^(beta sigma_i) S_i / Z_subj + sum_i e^(beta rho_i) R_i / Z_rel,

so D Z_subj Z_rel is a finite sum of exponentials with rational exponents and coefficients: for all large beta it has the sign of its
largest exponent's coefficient.  By kinds of positions (scores.py) and columns (margins.py) the sum depends on the sequence through the
contexts alone, and each context subject adds its own part, by whether it has the target and whether it has the rival: the worst
sequence has the part that is least in the end, n times.  That such subjects are in the table is assumed, as in margins.py.

With a common U >= 2, L >= 2 and the reading "set" this comes to (limit_condition):

    attributes above context subjects in the relation head, rho_a > rho_c, or equal and (m-1)/U^2 > 1/M_ft, and
    (rho_q - rho_a) < sigma_q - sigma_c = eta_kq_subj (1 - 1/U)/m, or equal and the attributes' column above 1,

for a query that leads attributes: its column gives all its own values the same, so it decides nothing among them; contexts that have the
rival and miss the target pull by e^(beta (sigma_c - sigma_q)) in the subject head, attributes push by e^(beta (rho_a - rho_q)).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from theory.finetuning.balanced import derivation
from theory.finetuning.conclusion.margins import subject_logit
from theory.finetuning.conclusion.scores import Kind, Scores, relation_scores
from theory.finetuning.conclusion.setting import Setting, setting
from theory.onehot.classes import DirectionClass, EntryClass

#: Exponent per unit beta -> coefficient.
Exponentials = Mapping[Fraction, Fraction]


@dataclass(frozen=True)
class Competitor:
    """A rival of the target: name, number of values of its type (0: a token that is no value), same type, the query's own value."""

    name: str
    values: int
    same_type: bool
    own: bool


@dataclass(frozen=True)
class LimitCase:
    """Sequences of one kind whose contexts all have, or miss, target and rival; sign of target minus rival for all large beta."""

    values: int
    seen: bool
    competitor: Competitor
    has_target: bool
    has_rival: bool
    sign: int


@dataclass(frozen=True)
class LimitConclusion:
    """holds: the target is first on every sequence at every large finite beta; None for holds_heldout without held-out subjects."""

    holds: bool
    holds_seen: bool
    holds_heldout: bool | None
    cases: tuple[LimitCase, ...]


def limit_conclusion(
    M: int,
    L: int,
    U: int | tuple[int, ...],
    M_ft: int,
    m: int,
    eta_ov: Fraction = Fraction(1),
    eta_kq_rel: Fraction = Fraction(1),
    eta_kq_subj: Fraction = Fraction(1),
) -> LimitConclusion:
    """The balanced hat conclusion as beta grows, exactly; full window, reading "set", m >= 2, f_u = 1/U_l.

    Raises ValueError for parameters out of range.  O(k^2) for k distinct U_l.
    """
    if m < 2:
        raise ValueError(f"m = {m}: valid are integers >= 2 (a query and at least one context)")
    chosen = setting(M, L, U, M_ft, m, None, Fraction(eta_ov), Fraction(eta_kq_rel), Fraction(eta_kq_subj), "set")
    scores = relation_scores(chosen)
    cases = tuple(
        LimitCase(u, seen, rival, has, other, sign(_difference(chosen, scores, u, seen, rival, has, other)))
        for seen in (True, False)
        if seen or M_ft < M
        for u in sorted(set(chosen.values))
        for rival in _competitors(chosen, u)
        for has, other in _contexts(u, rival)
    )
    right = {seen: all(case.sign > 0 for case in cases if case.seen == seen) for seen in {case.seen for case in cases}}
    return LimitConclusion(all(right.values()), right[True], right.get(False), cases)


def sign(sum_: Exponentials) -> int:
    """The sign for all large beta: that of the largest exponent's coefficient; 0 if there is none."""
    kept = {exponent: c for exponent, c in sum_.items() if c}
    return 0 if not kept else 1 if kept[max(kept)] > 0 else -1


def _competitors(chosen: Setting, u: int) -> Iterator[Competitor]:
    others = list(chosen.values)
    others.remove(u)
    yield Competitor("a token that is no attribute value", 0, False, False)
    if u > 1:
        yield Competitor("another value of the target's type", u, True, False)
    for other in sorted(set(others)):
        yield Competitor("the query's own value of another type", other, False, True)
        if other > 1:
            yield Competitor("another value of another type", other, False, False)


def _contexts(u: int, rival: Competitor) -> Iterator[tuple[bool, bool]]:
    """(has the target, has the rival), as far as a context subject can."""
    for has in (True, False):
        for other in (True, False):
            if (u == 1 and not has) or (rival.values == 1 and not rival.same_type and not other):
                continue
            if (rival.values == 0 and other) or (rival.same_type and ((has and other) or (u == 2 and has == other))):
                continue
            yield has, other


def _difference(
    chosen: Setting, scores: Scores, u: int, seen: bool, rival: Competitor, has: bool, other: bool
) -> Exponentials:
    """D Z_subj Z_rel where every context is so."""
    m = chosen.window.m
    step, c = chosen.eta_kq_subj, derivation("kq_subj").coefficients
    query = 1 - step * chosen.total(c[DirectionClass.P_QUERY])
    context = 1 - step * chosen.total(c[DirectionClass.P_CONTEXT])
    # (score, number, target minus rival in the column); attributes and [sep] have score 0 and a column of zeros.
    subject = [
        (query, 1, _of_subject(chosen, u, True) - _of_subject(chosen, rival.values, rival.own)),
        (context, m - 1, _of_subject(chosen, u, has) - _of_subject(chosen, rival.values, other)),
        (Fraction(0), 2 * m - 1, Fraction(0)),
    ]
    columns = {
        Kind.ATTRIBUTE: _of_attribute(chosen, u) * (not rival.same_type),
        Kind.QUERY: (_of_seen(chosen, u, True) - _of_seen(chosen, rival.values, rival.own)) * seen,
        Kind.CONTEXT: _of_seen(chosen, u, has) - _of_seen(chosen, rival.values, other),
        Kind.SEP: Fraction(0),
    }
    relation = [(g.score, g.count, columns[g.kind]) for g in scores.groups(u, seen)]
    found: dict[Fraction, Fraction] = {}
    for first, number, gain in subject:
        for second, count, lead in relation:
            exponent = first + second
            found[exponent] = found.get(exponent, Fraction(0)) + number * count * (gain + chosen.eta_ov * lead)
    return found


def _of_subject(chosen: Setting, u: int, own: bool) -> Fraction:
    return Fraction(0) if u == 0 else subject_logit(chosen, u, own)


def _of_attribute(chosen: Setting, u: int) -> Fraction:
    return -chosen.of_type(derivation("ov_rel_projected").coefficients[EntryClass.ATTRIBUTE_ATTRIBUTE], u)


def _of_seen(chosen: Setting, u: int, own: bool) -> Fraction:
    """The column of a finetuning subject, per unit eta_ov."""
    if u == 0:
        return Fraction(0)
    key = EntryClass.OWN_ATTRIBUTE_SEEN if own else EntryClass.OTHER_ATTRIBUTE_SEEN
    return -chosen.of_type(derivation("ov_rel_projected").coefficients[key], u)


def limit_condition(
    M: int,
    L: int,
    U: int,
    M_ft: int,
    m: int,
    eta_ov: Fraction = Fraction(1),
    eta_kq_rel: Fraction = Fraction(1),
    eta_kq_subj: Fraction = Fraction(1),
) -> bool:
    """The condition of the module text: common U >= 2, L >= 2, "set".  Raises ValueError for parameters out of range.  O(1)."""
    found = [_slacks(M, L, U, M_ft, m, eta_ov, eta_kq_rel, eta_kq_subj, seen) for seen in _pools(M, M_ft)]
    pushed = Fraction(m - 1, U**2) > Fraction(1, M_ft), eta_ov * Fraction(m - 1, L * U**2 * (3 * m - 1)) > 1
    return all(
        slack > 0 or (slack == 0 and tied) for slacks in found for slack, tied in zip(slacks, pushed, strict=True)
    )


def _pools(M: int, M_ft: int) -> tuple[bool, ...]:
    return (True, False) if M_ft < M else (True,)


def _slacks(
    M: int,
    L: int,
    U: int,
    M_ft: int,
    m: int,
    eta_ov: Fraction,
    eta_kq_rel: Fraction,
    eta_kq_subj: Fraction,
    seen: bool,
) -> tuple[Fraction, Fraction]:
    """Attributes over context subjects; what the query may lead attributes by, less what it does."""
    if L < 2 or U < 2 or m < 2:
        raise ValueError(f"L, U, m = {L}, {U}, {m}: valid are integers >= 2")
    chosen = setting(M, L, U, M_ft, m, None, Fraction(eta_ov), Fraction(eta_kq_rel), Fraction(eta_kq_subj), "set")
    at = {group.kind: group.score for group in relation_scores(chosen).groups(U, seen)}
    allowed = Fraction(eta_kq_subj) * (1 - Fraction(1, U)) / m
    return at[Kind.ATTRIBUTE] - at[Kind.CONTEXT], allowed - (at[Kind.QUERY] - at[Kind.ATTRIBUTE])


def limit_M_ft(
    M: int,
    L: int,
    U: int,
    m: int,
    eta_ov: Fraction = Fraction(1),
    eta_kq_rel: Fraction = Fraction(1),
    eta_kq_subj: Fraction = Fraction(1),
) -> int | None:
    """The smallest M_ft < M from which on (up to M - 1) limit_condition holds; None if there is none.

    As limit_condition it takes f = 1/U whatever M_ft is: frequencies can be equal at multiples of U only, and the limit hangs on that.
    Times M_ft^2 both slacks are polynomials of degree 2 in M_ft, read off three values: O(log M).  Raises ValueError for parameters
    out of range, ArithmeticError if a slack does not end positive.
    """
    _slacks(U, L, U, U, m, eta_ov, eta_kq_rel, eta_kq_subj, True)
    first = U
    for seen in (True, False):
        # A world with someone held out at every M_ft looked at: scores do not depend on M.
        points = [_slacks(U + 4, L, U, U + k, m, eta_ov, eta_kq_rel, eta_kq_subj, seen) for k in range(3)]
        for slack in range(2):
            y = [(U + k) ** 2 * points[k][slack] for k in range(3)]
            first = max(first, _positive_from(y, U, M))
    while U < first <= M and limit_condition(M + 1, L, U, first - 1, m, eta_ov, eta_kq_rel, eta_kq_subj):
        first -= 1
    return first if first < M else None


def _positive_from(y: list[Fraction], start: int, end: int) -> int:
    """For the quadratic through (start + k, y_k): the least integer >= start from which on it is positive; `end` if beyond."""
    a = (y[2] - 2 * y[1] + y[0]) / 2
    b = y[1] - y[0] - a
    if a < 0 or (a == 0 and (b < 0 or (b == 0 and y[0] <= 0))):
        raise ArithmeticError(f"the slack does not end positive: leading coefficients {a}, {b}")

    def at(k: int) -> Fraction:
        return (a * k + b) * k + y[0]

    low = 0 if a == 0 else max(0, -(b // (2 * a)))
    # Beyond its vertex, at most 1 before `low`, it rises.
    if at(low) > 0 and (low == 0 or at(low - 1) > 0):
        return start
    high = end - start
    if high <= low or at(high) <= 0:
        return end
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle) > 0 else (middle, high)
    return start + (low if at(low) > 0 else high)
