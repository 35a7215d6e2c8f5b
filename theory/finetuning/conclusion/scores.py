"""Final scores of every position of a sequence, and which positions each head attends as beta -> infinity.

Score per unit beta of a position = token part + position part of the final W_KQ column:

    relation head   1[in the window] - eta_kq_rel * (c(token) + c(position) 1[in the window])
    subject head    1[subject]       - eta_kq_subj * (c(token) + c(position))

with c the derived hat gradients. All positions of one kind (attribute, query, context subject, sep; inside or
outside the window) have the same score, because balanced token coefficients depend on the class only. With the full
window the 1 is common to all positions: attention depends on -c alone, for every eta > 0.

Subject head: c is 0 on every token in a balanced world, c(query) = -(m-1)(1-q)/m^2 <= 0 <= c(context) = (1-q)/m^2 with
q the mean of 1/U_l. So for every eta_kq_subj > 0 the maximum is the query alone, unless every U_l = 1 (or m = 1), where
all subjects tie, have the same values, and give the same output.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from theory.finetuning.balanced import derivation
from theory.finetuning.conclusion.setting import Setting
from theory.onehot.classes import DirectionClass


class Kind(StrEnum):
    """What stands at a position."""

    ATTRIBUTE = "attribute"
    QUERY = "query"
    CONTEXT = "context"
    SEP = "sep"


@dataclass(frozen=True)
class Group:
    """All positions of one kind, inside or outside the window, of a sequence."""

    kind: Kind
    inside: bool
    count: int
    score: Fraction


@dataclass(frozen=True)
class Scores:
    """Token and position coefficients c of the relation head, in one setting."""

    setting: Setting
    subject: Fraction
    sep: Fraction
    attribute: dict[int, Fraction]
    positions: dict[Kind, Fraction]

    def groups(self, u: int, seen: bool) -> tuple[Group, ...]:
        """The positions of a sequence whose type has u values, with a seen or a held-out query."""
        window, m = self.setting.window, self.setting.window.m
        tokens = {
            Kind.ATTRIBUTE: self.attribute[u],
            Kind.QUERY: self.subject if seen else Fraction(0),
            Kind.CONTEXT: self.subject,
            Kind.SEP: self.sep,
        }
        counts = {
            Kind.ATTRIBUTE: (window.n_a, m - 1),
            Kind.QUERY: (window.n_q, 1),
            Kind.CONTEXT: (window.n_c, m - 1),
            Kind.SEP: (window.n_s, m),
        }
        found = []
        for kind, (inside, everywhere) in counts.items():
            initial = 0 if self.setting.full else 1
            inner = initial - self.setting.eta_kq_rel * (tokens[kind] + self.positions[kind])
            outer = -self.setting.eta_kq_rel * tokens[kind]
            found += [Group(kind, True, inside, inner), Group(kind, False, everywhere - inside, outer)]
        return tuple(group for group in found if group.count)

    def attended(self, u: int, seen: bool) -> tuple[Group, ...]:
        """The groups of maximal score: what the relation head attends, uniformly over their positions."""
        groups = self.groups(u, seen)
        best = max(group.score for group in groups)
        return tuple(group for group in groups if group.score == best)


def relation_scores(setting: Setting) -> Scores:
    """Scores of the relation head from the derived second-step gradient. O(number of distinct U_l)."""
    c = derivation("kq_rel").coefficients
    positions = {
        Kind.ATTRIBUTE: DirectionClass.P_ATTRIBUTE,
        Kind.QUERY: DirectionClass.P_QUERY,
        Kind.CONTEXT: DirectionClass.P_CONTEXT,
        Kind.SEP: DirectionClass.P_SEP,
    }
    return Scores(
        setting=setting,
        subject=setting.total(c[DirectionClass.SUBJECT_SEEN]),
        sep=setting.total(c[DirectionClass.SEP]),
        attribute={u: setting.of_type(c[DirectionClass.ATTRIBUTE], u) for u in set(setting.values)},
        positions={kind: setting.total(c[role]) for kind, role in positions.items()},
    )


def subject_head_attends_query(setting: Setting) -> bool:
    """Whether the subject head attends the query alone; if not, all subjects tie and have the same values.

    Raises ArithmeticError if the derived gradient allowed anything else.
    """
    c = derivation("kq_subj").coefficients
    zero = all(
        setting.total(c[k]) == 0 for k in (DirectionClass.SUBJECT_SEEN, DirectionClass.P_SEP, DirectionClass.SEP)
    )
    query = 1 - setting.eta_kq_subj * setting.total(c[DirectionClass.P_QUERY])
    context = 1 - setting.eta_kq_subj * setting.total(c[DirectionClass.P_CONTEXT])
    alone = setting.window.m == 1 or query > context
    if not zero or query < 1 or not (alone or max(setting.values) == 1):
        raise ArithmeticError(f"subject head: query {query}, context {context} in {setting}")
    return alone
