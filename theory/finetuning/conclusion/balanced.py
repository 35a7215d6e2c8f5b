"""The conclusion in a balanced world: is the target the unique argmax on every sequence, as beta -> infinity?

Cases, with the full window, reading "set" (the general evaluation below covers all of them):
  attributes      the target gets eta_ov n_a f^2/(w L) > 0 where the subject head has 0 on the query's own values and -1
                  elsewhere: right for every eta_ov > 0, also if the query (seen or held out) ties in score.
  seen query      its own values get eta_ov (1 + n_c f_l)/(M_ft w L): with a common U an L-way tie, right only if L = 1;
                  if the U_l differ, right only for a type whose U_l is strictly the smallest.
  held-out query  the relation head gives 0 everywhere: tie with the other own values and with every token that is no
                  value; wrong for every L.
  contexts        (held-out query only) their own values compete: wrong for L >= 2; for L = 1 right only for small
                  eta_ov, or if U = 1.
  sep             never: attribute - sep = (1 + (m-1)/(LU)) v_a + (m - (m-1)/(LU)) vbar > 0.
"""

from dataclasses import dataclass
from fractions import Fraction

from theory.finetuning.conclusion.margins import Interval, Margin, interval, margins
from theory.finetuning.conclusion.scores import Group, Kind, Scores, relation_scores, subject_head_attends_query
from theory.finetuning.conclusion.setting import Setting, setting


@dataclass(frozen=True)
class Comparison:
    """Best attribute position against best other position, for one kind of sequence: the comparison that decides."""

    values: int
    seen: bool
    attribute: Fraction
    rival: str
    rival_score: Fraction

    @property
    def difference(self) -> Fraction:
        return self.attribute - self.rival_score


@dataclass(frozen=True)
class Case:
    """Sequences of one kind: type with `values` values, seen or held-out query; what is attended and the margins."""

    values: int
    seen: bool
    attended: tuple[Group, ...]
    margins: tuple[Margin, ...]
    eta_ov: Interval


@dataclass(frozen=True)
class Conclusion:
    """Whether the conclusion holds, and why.

    holds           holds_seen and holds_heldout (None if there is no held-out subject, M_ft = M)
    reason          one sentence
    binding         the smallest attribute-against-rival comparison (None for m = 1, which has no attributes)
    scores          final relation-head scores per unit beta, by class; the constant 1 of the full window left out;
                    with step sizes 1 for those not given
    eta_ov_above, eta_ov_below   the conclusion holds exactly for eta_ov between them (below None: infinity), at
                    the attention found; None if for no eta_ov
    cases           all kinds of sequences
    """

    holds: bool
    holds_seen: bool
    holds_heldout: bool | None
    reason: str
    binding: Comparison | None
    scores: dict[str, Fraction]
    eta_ov_above: Fraction | None
    eta_ov_below: Fraction | None
    subject_head_attends_query: bool
    cases: tuple[Case, ...]


def balanced_conclusion(
    M: int,
    L: int,
    U: int | tuple[int, ...],
    M_ft: int,
    m: int,
    window: int | None = None,
    eta_ov: Fraction | None = None,
    eta_kq_rel: Fraction | None = None,
    eta_kq_subj: Fraction | None = None,
    reading: str = "set",
) -> Conclusion:
    """The balanced hat conclusion, exactly. f_u = 1/U_l also when U_l does not divide M_ft.

    With the full window the attention does not depend on any step size; without `eta_ov`, `holds` means for every
    eta_ov > 0 (reading "set") or for some eta_ov > 0, given by eta_ov_above and eta_ov_below (reading "literal", whose
    target always needs a minimal eta_ov). A window shorter than T needs eta_ov and eta_kq_rel.
    Contexts are drawn from F; a held-out query from outside F. Ties of logits are failures.
    Raises ValueError for parameters out of range. O(k^2) for k distinct U_l, independent of M, L, M_ft, m.
    """
    chosen = setting(M, L, U, M_ft, m, window, eta_ov, eta_kq_rel, eta_kq_subj, reading)
    scores = relation_scores(chosen)
    alone = subject_head_attends_query(chosen)
    kinds = [(u, seen) for seen in (True, False) if seen or M_ft < M for u in sorted(set(chosen.values))]
    cases = tuple(_case(chosen, scores, u, seen) for u, seen in kinds)
    right = {case: _right(case, chosen, eta_ov) for case in cases}
    seen = all(ok for case, ok in right.items() if case.seen)
    heldout = all(ok for case, ok in right.items() if not case.seen) if M_ft < M else None
    above = max(case.eta_ov.above for case in cases)
    finite = [case.eta_ov.below for case in cases if case.eta_ov.below is not None]
    below = min(finite) if finite else None
    empty = any(case.eta_ov.empty for case in cases) or (below is not None and below <= above)
    holds = seen and heldout is not False and (eta_ov is not None or not empty)
    return Conclusion(
        holds=holds,
        holds_seen=seen,
        holds_heldout=heldout,
        reason=_reason(cases, right, chosen.eta_ov, together=holds),
        binding=_binding(scores, kinds),
        scores=_named(scores),
        eta_ov_above=None if empty else above,
        eta_ov_below=None if empty else below,
        subject_head_attends_query=alone,
        cases=cases,
    )


def _case(chosen: Setting, scores: Scores, u: int, seen: bool) -> Case:
    attended = scores.attended(u, seen)
    found = margins(chosen, u, seen, attended)
    return Case(u, seen, attended, tuple(found), interval(found))


def _right(case: Case, chosen: Setting, eta_ov: Fraction | None) -> bool:
    if eta_ov is not None:
        return Fraction(eta_ov) in case.eta_ov
    return case.eta_ov.everything if chosen.reading == "set" else not case.eta_ov.empty


def _reason(cases: tuple[Case, ...], right: dict[Case, bool], eta_ov: Fraction, together: bool) -> str:
    """The first kind of sequence that fails: what is attended, and the competitor with the smallest margin."""
    for case in cases:
        if not right[case]:
            where = ", ".join(f"{g.kind.value}{'' if g.inside else ' (outside the window)'}" for g in case.attended)
            failing = [x for x in case.margins if x.at(eta_ov) <= 0 or not interval([x]).everything]
            worst = min(failing, key=lambda x: x.at(eta_ov))
            query = "seen" if case.seen else "held-out"
            return (
                f"with a {query} query and a type of {case.values} values the relation head attends: {where}; "
                f"the target does not beat {worst.competitor} (margin {worst.constant} + {worst.slope} eta_ov)"
            )
    if not together:
        return "every kind of sequence is right for some eta_ov, but none serves all kinds"
    return "the target is the unique argmax on every sequence"


def _binding(scores: Scores, kinds: list[tuple[int, bool]]) -> Comparison | None:
    found = []
    for u, seen in kinds:
        groups = scores.groups(u, seen)
        attributes = [g.score for g in groups if g.kind == Kind.ATTRIBUTE]
        rivals = [g for g in groups if g.kind != Kind.ATTRIBUTE]
        if attributes:
            rival = max(rivals, key=lambda g: g.score)
            name = rival.kind.value + ("" if rival.inside else "_outside")
            found.append(Comparison(u, seen, max(attributes), name, rival.score))
    return min(found, key=lambda c: c.difference, default=None)


def _named(scores: Scores) -> dict[str, Fraction]:
    """Scores by name: attribute (attribute[U_l] if the U_l differ), query_seen, query_heldout (if there is one),
    context, sep; with _outside for positions outside the window."""
    values = sorted(set(scores.setting.values))
    named: dict[str, Fraction] = {}
    for u in values:
        for seen in (True, False) if scores.setting.M_ft < scores.setting.M else (True,):
            for group in scores.groups(u, seen):
                name = group.kind.value
                if group.kind == Kind.QUERY:
                    name += "_seen" if seen else "_heldout"
                if group.kind == Kind.ATTRIBUTE and len(values) > 1:
                    name += f"[{u}]"
                named[name + ("" if group.inside else "_outside")] = group.score
    return named
