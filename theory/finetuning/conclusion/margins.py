"""Logits of the target against every competitor, for given attention, as linear functions of eta_ov.

The subject head has the query's column of W_OV^subj: 0 on its own values and -1 on all others (set), or -(N_u - 1) and
-N_u with N_u = M/U_l (literal). The relation head, uniform over n attended positions of which n_A are attributes, n_Q
the query, n_C context subjects (k of them have the value v in question), adds eta_ov R(v) to a value v of type l',

    R(v) = (1/n) [ n_A a 1[l' = l] + n_Q (o or b, as v is the query's own or not; 0 if held out) + k o + (n_C - k) b ],

a = f^2 n_a/(w L), o = (n_q + n_c f)/(M_ft w L), b = n_c f/(M_ft w L) of the type of v (read off the derived gradient).
Competitors: tokens that are no value (logit 0), other values of the target's type, the query's own values of the
other types, other values of the other types. Contexts are chosen worst: the target is matched by no context (all if
U_l = 1), the competitor by all. For L >= 2 the last needs a fact table with such subjects; that is the only place
where more than (M, L, U, M_ft, m) could matter, and it cannot when context subjects are attended without attributes:
then the target fails in any table (for the type l of largest U_l, with contexts that all miss the target, R(y) = b_l is
not above b_l').
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from theory.finetuning.balanced import derivation
from theory.finetuning.conclusion.scores import Group, Kind
from theory.finetuning.conclusion.setting import Setting
from theory.finetuning.sequence import Reading
from theory.onehot.classes import EntryClass


@dataclass(frozen=True)
class Margin:
    """Target logit minus competitor's = constant + slope * eta_ov, in the worst context."""

    competitor: str
    constant: Fraction
    slope: Fraction

    def at(self, eta_ov: Fraction) -> Fraction:
        return self.constant + self.slope * eta_ov


@dataclass(frozen=True)
class Interval:
    """The eta_ov > 0 for which every margin is positive: above < eta_ov < below; `below` None is infinity."""

    above: Fraction
    below: Fraction | None
    empty: bool

    def __contains__(self, eta_ov: Fraction) -> bool:
        return not self.empty and self.above < eta_ov and (self.below is None or eta_ov < self.below)

    @property
    def everything(self) -> bool:
        """Whether every eta_ov > 0 is in it."""
        return not self.empty and self.above == 0 and self.below is None


def interval(margins: list[Margin]) -> Interval:
    """Solve margin > 0 for all margins at once."""
    above, below, empty = Fraction(0), None, False
    for margin in margins:
        if margin.slope > 0:
            above = max(above, -margin.constant / margin.slope)
        elif margin.slope == 0:
            empty = empty or margin.constant <= 0
        else:
            root = -margin.constant / margin.slope
            below = root if below is None else min(below, root)
    return Interval(above, below, empty or (below is not None and below <= above))


@dataclass(frozen=True)
class Attended:
    """Numbers of attended positions of each kind."""

    total: int
    attributes: int
    query: int
    contexts: int


def counted(groups: tuple[Group, ...]) -> Attended:
    """Count attended positions by kind."""
    number = {kind: sum(g.count for g in groups if g.kind == kind) for kind in Kind}
    return Attended(sum(number.values()), number[Kind.ATTRIBUTE], number[Kind.QUERY], number[Kind.CONTEXT])


def margins(setting: Setting, u: int, seen: bool, groups: tuple[Group, ...]) -> list[Margin]:
    """Margins of the target (of a type with u values) over every class of competitors. O(number of distinct U_l)."""
    attended = counted(groups)
    target_matches = attended.contexts if u == 1 else 0
    target = _relation_logit(setting, u, seen, attended, same_type=True, own=True, matches=target_matches)
    bias = subject_logit(setting, u, own=True)
    found = [Margin("a token that is no attribute value", bias, target)]
    for name, other, same_type, own in _competitors(setting, u):
        logit = _relation_logit(setting, other, seen, attended, same_type=same_type, own=own, matches=attended.contexts)
        found.append(Margin(name, bias - subject_logit(setting, other, own=own), target - logit))
    return found


def _competitors(setting: Setting, u: int) -> Iterator[tuple[str, int, bool, bool]]:
    """(name, number of values of its type, same type as the target, own value of the query)."""
    others = list(setting.values)
    others.remove(u)
    if u > 1:
        yield "another value of the target's type", u, True, False
    for other in sorted(set(others)):
        yield f"the query's own value of another type (U_l = {other})", other, False, True
        if other > 1:
            yield f"another value of another type (U_l = {other})", other, False, False


def subject_logit(setting: Setting, u: int, own: bool) -> Fraction:
    multiplicity = Fraction(1) if setting.reading == Reading.SET else Fraction(setting.M, u)
    return -(multiplicity - 1) if own else -multiplicity


def _relation_logit(
    setting: Setting, u: int, seen: bool, attended: Attended, same_type: bool, own: bool, matches: int
) -> Fraction:
    """R(v), the relation head's logit of a value v per unit eta_ov."""
    entries = derivation("ov_rel_projected").coefficients
    a, o, b = (
        -setting.of_type(entries[key], u)
        for key in (
            EntryClass.ATTRIBUTE_ATTRIBUTE,
            EntryClass.OWN_ATTRIBUTE_SEEN,
            EntryClass.OTHER_ATTRIBUTE_SEEN,
        )
    )
    query = (o if own else b) if seen else Fraction(0)
    total = attended.attributes * (a if same_type else 0) + attended.query * query
    return (total + matches * o + (attended.contexts - matches) * b) / attended.total
