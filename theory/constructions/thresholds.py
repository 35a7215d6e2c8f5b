"""How large beta has to be for the last token of the printed constructions, b = e^beta.

Propositions 1 and 3 on PT sequences, T = (S+3) N_tr - 1, n_l older relation tokens of type l, n of them of the current
type (n + sum of the other n_l = N_tr - 1):

  subject head   sigma = N_tr b/Z_s,  Z_s = N_tr b + T - N_tr
  relation head  e^{2 beta} on the current relation token, b on the other S+1 window rows and the older relation tokens, 1 on
                 the other (N_tr - 1)(S+2) rows:  Z_r = b^2 + (S + N_tr) b + (N_tr - 1)(S+2)
                 rho = (b^2 + n b)/Z_r for the current type, rho_l = n_l b/Z_r for another one

"set": the target has rho, other values of the type rho - sigma, own values rho_l, others rho_l - sigma, the rest 0. So
rho > rho_l is all that is needed: b > n_l - n, worst with all older tokens of one other type, b > N_tr - 1 (L >= 2; for
L = 1 every beta is right). A grammar head adds c = 5 N_tr/(2T) on G, more than on R (2 N_tr/T), sep and subjects: then
also rho > c, worst at n = 0 (L >= 2) or n = N_tr - 1 (L = 1).

"literal": if all N_u = 1 both readings are one. Else the target has rho - sigma (N_y - 1), and for N_y = 2

  (rho - sigma) Z_s Z_r / b = (N_tr - 1)(b - 1) at n = N_tr - 1,   -(N_tr-1)^2 b - N_tr (N_tr-1)(S+2) at n = 0:

an exact tie with all non-values at every beta if N_tr = 1, wrong at every beta at n = 0 < N_tr - 1. So there is one more
right case, two heads, L = 1, N_tr >= 2 and all N_u = 2 (another value has rho - 2 sigma): right for every finite
beta > 0, a tie at beta = infinity. For N_y >= 3, rho - 2 sigma tends to -1.

Propositions 2 and 4 on ICL sequences are the class scores query 2, context 1 (subject head) and attribute 1 (relation
head): Q_s = b^2/Z_s, C_s = b/Z_s, Z_s = b^2 + (m-1) b + 2m - 1 and F = rho = (m-1) b/((m-1) b + 2m). The worst margins,

  other value of the type          b (b - (m-1))/Z_s                           b > m - 1 = N_ft
  own attribute of another type    rho - (m-1) b/Z_s                           b > 1
  not a value                      rho - (m-1) b/Z_s  [- 2m/(3m-1)]            b > 1  [cubic, one sign change]

(the first and third need a query and a context subject that differ in a type; else rho > 0, or b > 4m^2/(m-1)^2 with
the grammar head). In the literal reading the queries' values must have N_y = 1; N_y = 2 gives rho - sigma - ... < 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import sympy

from theory.constructions.class_scores import ClassWeights, Scores, Threshold, largest
from theory.constructions.exponential import ExponentialPolynomial
from theory.constructions.icl import icl_parameters, icl_statement, pool
from theory.constructions.symbols import N_tr, S, b
from theory.derivation import Step
from theory.finetuning.sequence import Reading
from theory.frequencies import Frequencies
from theory.rational import evaluate
from theory.symbols import m


@dataclass(frozen=True)
class Equation:
    """A cleared worst margin: a polynomial in b that is positive exactly where the margin is; `root` its largest
    positive root where it has a short closed form."""

    rival: str
    applies: str
    polynomial: sympy.Expr
    root: sympy.Expr | None


@cache
def pretraining_equations(proposition: int) -> tuple[Equation, ...]:
    """Worst margins of Proposition 1 or 3 ("set"), times Z_r (and 2T), in b, S, N_tr."""
    _proposition(proposition, (1, 3))
    found = [Equation("own attribute of another type", "L >= 2", b * (b - (N_tr - 1)), N_tr - 1)]
    if proposition == 3:
        T = (S + 3) * N_tr - 1
        Z_r = b**2 + (S + N_tr) * b + (N_tr - 1) * (S + 2)
        for applies, n in (("L >= 2", sympy.Integer(0)), ("L = 1", N_tr - 1)):
            polynomial = sympy.expand(2 * T * (b**2 + n * b) - 5 * N_tr * Z_r)
            a, linear, constant = sympy.Poly(polynomial, b).all_coeffs()
            root = (-linear + sympy.sqrt(sympy.factor(linear**2 - 4 * a * constant))) / (2 * a)
            found.append(Equation("G", applies, polynomial, root))
    return tuple(found)


@cache
def icl_equations(proposition: int) -> tuple[Equation, ...]:
    """Worst margins of Proposition 2 or 4, times Z_s and/or Z_r (and 3m - 1), in b and m."""
    _proposition(proposition, (2, 4))
    Z_s, Z_r = b**2 + (m - 1) * b + 2 * m - 1, (m - 1) * b + 2 * m
    same = Equation("other value of the type", "contrast", b * (b - (m - 1)), m - 1)
    own = Equation("own attribute of another type", "shared", b * (Z_s - Z_r), sympy.Integer(1))
    outside = (m - 1) * b * (Z_s - Z_r)
    if proposition == 2:
        rest = Equation("a token that is not a value", "contrast", sympy.factor(outside), sympy.Integer(1))
        return same, own, rest
    polynomial = sympy.expand((3 * m - 1) * outside - 2 * m * Z_s * Z_r)
    alone = sympy.expand((3 * m - 1) * (m - 1) * b - 2 * m * Z_r)
    return (
        same,
        own,
        Equation("a token that is not a value", "contrast", polynomial, None),
        Equation("a token that is not a value", "no contrast", alone, 4 * m**2 / (m - 1) ** 2),
    )


def threshold_steps(proposition: int) -> tuple[Step, ...]:
    """The worst margins as readable steps."""
    equations = pretraining_equations(proposition) if proposition in (1, 3) else icl_equations(proposition)
    return tuple(
        Step(
            f"Against {e.rival} ({e.applies})",
            "Affine in the counts, so the worst sequence is a vertex; positive exactly where the cleared margin is.",
            rf"{sympy.latex(e.polynomial)} > 0",
        )
        for e in equations
    )


def pretraining_threshold(
    proposition: int,
    S_: int,
    L_: int,
    N_tr_: int,
    counts: Sequence[Sequence[int]] | None = None,
    reading: Reading | str = Reading.SET,
) -> Threshold:
    """Last token of Proposition 1 or 3, on all PT sequences with G >= 1.

    counts: per type the N_u of its values, needed in the literal reading only.
    Raises ValueError for parameters below 1, another proposition, or missing counts.
    """
    _proposition(proposition, (1, 3))
    if min(S_, L_, N_tr_) < 1:
        raise ValueError(f"S, L, N_tr = {S_}, {L_}, {N_tr_}: valid are integers >= 1")
    if Reading(reading) == Reading.LITERAL:
        if counts is None or len(counts) != L_:
            raise ValueError(
                f"counts = {counts}: the literal reading needs N_u for the values of each of L = {L_} types"
            )
        several = {N for column in counts for N in column} - {1}
        if several and proposition == 1 and L_ == 1 and N_tr_ >= 2 and {N for N in counts[0]} == {2}:
            return Threshold(0.0, "a token that is not a value", {"a token that is not a value": 0.0})
        if several:
            return Threshold(None, "a token that is not a value", {})
    applies = "L >= 2" if L_ >= 2 else "L = 1"
    chosen = [e for e in pretraining_equations(proposition) if e.applies == applies]
    return rooted(chosen, {S: S_, N_tr: N_tr_})


def rooted(equations: Sequence[Equation], values: dict[sympy.Symbol, int]) -> Threshold:
    """The largest root of the equations at a setting."""
    return largest({e.rival: _polynomial(e.polynomial, values) for e in equations})


def icl_threshold(
    proposition: int,
    facts: Frequencies,
    m_: int,
    queries: str = "seen",
    contexts: str = "finetune",
    reading: Reading | str = Reading.SET,
) -> Threshold:
    """Last token of Proposition 2 or 4 on all sequences with queries and contexts from the pools. O(M^2 L).

    beta None if some sequence is not right for large beta (it is then not right at beta = infinity either).
    """
    statement = icl_statement(proposition, reading, contexts)
    if not statement.holds(icl_parameters(facts, m_, queries)):
        return Threshold(None, "see icl_statement", {})
    if not pool(facts, queries):
        return Threshold(0.0, None, {})
    contrast, shared = icl_contrast(facts, queries, contexts)
    return printed_weights(proposition, m_).threshold(contrast, shared)


def icl_contrast(facts: Frequencies, queries: str, contexts: str) -> tuple[bool, bool]:
    """Whether some query and context subject differ in a type, and whether such a pair also shares a value."""
    own = facts.subjects
    pairs = [(own[q], own[c]) for q in pool(facts, queries) for c in pool(facts, contexts) if own[q] != own[c]]
    return bool(pairs), any(x == y for a, c in pairs for x, y in zip(a, c, strict=True))


def printed_weights(proposition: int, m_: int) -> ClassWeights:
    """Propositions 2 and 4 as class scores."""
    _proposition(proposition, (2, 4))
    return ClassWeights(m_, Scores(2, 1, 0, 0), Scores(0, 0, 1, 0), grammar=proposition == 4)


def _polynomial(expression: sympy.Expr, values: dict[sympy.Symbol, int]) -> ExponentialPolynomial:
    """A polynomial in b as an exponential polynomial in beta."""
    terms = sympy.Poly(expression, b).terms()
    return ExponentialPolynomial.of({power: evaluate(c, values) for (power,), c in terms})


def _proposition(proposition: int, valid: tuple[int, int]) -> None:
    if proposition not in valid:
        raise ValueError(f"proposition = {proposition}: valid are {valid[0]} and {valid[1]}")
