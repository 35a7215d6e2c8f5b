"""ICL sequences at beta -> infinity: Propositions 2 (two heads) and 4 (three heads), for all m and tables.

X = [s_1, sep, a_1, ..., s_m, sep], T = 3m - 1; U' the values of finetuning subjects, y the target, n' the number of
context attributes that lie in U'.

Subject head: the query scores 2, context subjects 1, all else 0: g is the query, f_u = 1[own] - w, w = 1 (set) or N_u.
Relation head: tokens of U' score 1, all else 0 (no relation token occurs). If n' >= 1 the head attends those n' tokens;
all their columns are u'_l = sum of U'_l, so f = u'_l whatever n' is. If n' = 0 all scores are 0: uniform attention, but
every column on the sequence is zero (subjects, sep, values outside U'), so f = 0.
Grammar head: the column of sep is zero: uniform attention, 2m/T on G and R, n_j/T <= (m-1)/T on a subject, n_j the
number of context draws that share the value of subject j.

Values other than y never exceed 0: in U' of the type 1 - w, own of another type 1 - w, others -w. So the margin is
1[y in U', n' >= 1] + 1 - w_y, less 2m/(3m-1) in Proposition 4, where 2m/(3m-1) < 1 exactly if m > 1 (and m = 1 has n' = 0).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import sympy

from theory.constructions.case import Case, Head, Law, Outcome, Quantity, Statement, added, steps_of
from theory.constructions.classes import Key, TokenClass, Verdict
from theory.constructions.pretraining_heads import weight
from theory.constructions.pretraining_outcomes import NON_VALUES, N_max, n_0
from theory.constructions.situation import ONE, ZERO
from theory.constructions.symbols import G, N_u, N_y, n_j
from theory.finetuning.sequence import Reading
from theory.frequencies import Frequencies
from theory.symbols import L, M, m

T = 3 * m - 1
n_queries, unseen_targets, unseen_values = sympy.symbols("n_queries unseen_targets unseen_values", nonnegative=True)
Token = tuple[str | int, ...]


def icl_case(
    proposition: int, target_seen: bool = True, any_seen: bool = True, reading: Reading | str = Reading.SET
) -> Case:
    """The last row under Proposition 2 or 4: whether y is in U', and whether any context attribute is (n' >= 1).

    ValueError for another proposition.
    """
    if proposition not in (2, 4):
        raise ValueError(f"proposition = {proposition}: valid are 2 and 4 (the constructions for ICL sequences)")
    return _case(proposition, bool(target_seen), bool(any_seen), Reading(reading))


@cache
def _case(proposition: int, target_seen: bool, any_seen: bool, reading: Reading) -> Case:
    w_y, w_u = weight(reading, N_y), weight(reading, N_u)
    negative = (TokenClass.OTHER_OF_TYPE, TokenClass.UNSEEN_OF_TYPE, TokenClass.OTHER_OF_OTHER_TYPE)
    filtered = {TokenClass.TARGET: 1 - w_y, TokenClass.OWN_OF_OTHER_TYPE: 1 - w_u} | {u: -w_u for u in negative}
    heads = [Head("subject", "The query alone has a subject's score and p_-1.", {Key.SUBJECT: ONE}, filtered)]
    uniform = {Key.SUBJECT: 1 / T, Key.CONTEXT_SUBJECT: (m - 1) / T, Key.SEP: m / T, Key.ATTRIBUTE: (m - 1) / T}
    if any_seen:
        kept = {TokenClass.OTHER_OF_TYPE: ONE} | ({TokenClass.TARGET: ONE} if target_seen else {})
        heads.append(Head("relation", "The context attributes of U', uniformly.", {Key.SEEN_ATTRIBUTE: ONE}, kept))
    else:
        heads.append(Head("relation", "No token of U': uniform, and all columns are zero.", uniform, {}))
    if proposition == 4:
        both, sharing = 2 * m / T, n_j / T
        output = {TokenClass.GRAMMAR: both, TokenClass.RELATION: both}
        output |= {TokenClass.OWN_SUBJECT: sharing, TokenClass.SUBJECT: sharing}
        heads.append(Head("grammar", "The column of sep is zero: uniform.", uniform, output))
    logits = added(heads)
    outcomes = _outcomes(proposition, target_seen and any_seen, any_seen, reading)
    why = [f"{o.condition}: {', '.join(sorted(w.value for w in o.winners))} ({o.verdict.value})" for o in outcomes]
    name = f"Proposition {proposition}, y {'in' if target_seen else 'outside'} U', n' {'>= 1' if any_seen else '= 0'}"
    occurs = m >= 2 if any_seen else m >= 1
    law = Law({TokenClass.TARGET: ONE})
    return Case(name, occurs, tuple(heads), logits, law, outcomes, steps_of(heads, logits, why))


def _outcomes(proposition: int, reinforced: bool, any_seen: bool, reading: Reading) -> tuple[Outcome, ...]:
    """`reinforced`: the relation head gives the target 1."""
    target = frozenset((TokenClass.TARGET,))
    score = (2 if reinforced else 1) - weight(reading, N_y)
    if proposition == 4:
        rest = frozenset((TokenClass.GRAMMAR, TokenClass.RELATION))
        right = sympy.true if reading == Reading.SET else sympy.Eq(N_y, 1)
        if not reinforced:
            return (Outcome(sympy.true, rest, Verdict.WRONG, ONE),)
        failing = () if reading == Reading.SET else (Outcome(N_y >= 2, rest, Verdict.WRONG, ONE),)
        return (Outcome(right, target, Verdict.EXACT, ZERO), *failing)
    # Values tie with 0 where w = 1; there are n_0 of them besides the target.
    rest = NON_VALUES | {TokenClass.OWN_OF_OTHER_TYPE} | ({TokenClass.OTHER_OF_TYPE} if any_seen else set())
    tied = 1 - 1 / (1 + n_0 + M + L + G + 1)
    found = (
        Outcome(sympy.Gt(score, 0), target, Verdict.EXACT, ZERO),
        Outcome(sympy.Eq(score, 0), rest | target, Verdict.TIE, tied),
        Outcome(sympy.Lt(score, 0), rest, Verdict.WRONG, ONE),
    )
    return tuple(o for o in found if o.condition is not sympy.false)


def icl_margin(
    proposition: int, target_seen: bool = True, any_seen: bool = True, reading: Reading | str = Reading.SET
) -> Quantity:
    """Logit of the target less the largest other logit: exact, as a function of N_y and m."""
    case = icl_case(proposition, target_seen, any_seen, reading)
    rival = case.logits.get(TokenClass.GRAMMAR, ZERO)
    return Quantity("margin", sympy.factor(case.logits[TokenClass.TARGET] - rival), "No other token exceeds the rival.")


def icl_statement(proposition: int, reading: Reading | str = Reading.SET, contexts: str = "finetune") -> Statement:
    """When the target is the unique argmax on every sequence of a population. Parameters as in icl_parameters.

    Contexts from F always lie in U'; contexts from all subjects can avoid U'_l as soon as U'_l != U_l. In the literal
    reading a held-out query is never right: its value has to be in U', so a finetuning subject has it and N_y >= 2.
    """
    icl_case(proposition, reading=reading)
    if contexts not in ("finetune", "all"):
        raise ValueError(f"contexts = {contexts!r}: valid are 'finetune' and 'all'")
    needed = [m >= 2, sympy.Eq(unseen_targets, 0)]
    if contexts == "all":
        needed.append(sympy.Eq(unseen_values, 0))
    if Reading(reading) == Reading.LITERAL:
        needed.append(N_max <= 1)
    condition = sympy.Or(sympy.Eq(n_queries, 0), sympy.And(*needed))
    return Statement(f"Proposition {proposition} on all sequences", condition, "Every margin is positive.")


def icl_parameters(facts: Frequencies, m: int, queries: str = "seen") -> dict[str, int]:
    """m, number of queries, their (query, type) pairs with the value outside U', values outside U', and the largest N_u
    over the queries' values. O(M L). ValueError for a query pool other than "seen" and "heldout"."""
    chosen = pool(facts, queries)
    counts = [[0] * len(column) for column in facts.values]
    for own in facts.subjects:
        for l, u in enumerate(own):
            counts[l][u] += 1
    pairs = [(l, facts.subjects[q][l]) for q in chosen for l in range(facts.L)]
    return {
        "m": m,
        "n_queries": len(chosen),
        "unseen_targets": sum(facts.values[l][u] == 0 for l, u in pairs),
        "unseen_values": sum(f == 0 for column in facts.values for f in column),
        "N_max": max((counts[l][u] for l, u in pairs), default=1),
    }


def pool(facts: Frequencies, name: str) -> tuple[int, ...]:
    """Subjects of the pool "seen" or "finetune" (F), "heldout" (the others) or "all"."""
    members = {"seen": (True,), "finetune": (True,), "heldout": (False,), "all": (True, False)}
    if name not in members:
        raise ValueError(f"pool = {name!r}: valid are {sorted(members)}")
    return tuple(j for j, seen in enumerate(facts.seen) if seen in members[name])


@dataclass(frozen=True)
class IclSequence:
    """One sequence: type l and the subjects j_1..j_m, the last one the query; G grammar tokens in the vocabulary."""

    facts: Frequencies
    G: int
    kind: int
    subjects: Sequence[int]

    @property
    def target_seen(self) -> bool:
        return self.facts.values[self.kind][self.facts.subjects[self.subjects[-1]][self.kind]] > 0

    @property
    def any_seen(self) -> bool:
        column = self.facts.values[self.kind]
        return any(column[self.facts.subjects[j][self.kind]] > 0 for j in self.subjects[:-1])

    def case(self, proposition: int, reading: Reading | str = Reading.SET) -> Case:
        return icl_case(proposition, self.target_seen, self.any_seen, reading)

    def parameters(self) -> dict[str, int]:
        """m, G, L, M and N_y."""
        own = self.facts.subjects
        y = own[self.subjects[-1]][self.kind]
        count = sum(row[self.kind] == y for row in own)
        return {"m": len(self.subjects), "G": self.G, "L": self.facts.L, "M": self.facts.M, "N_y": count}

    def classes(self) -> dict[Token, tuple[TokenClass, dict[str, int]]]:
        """Every token of the vocabulary: its class and the parameters of its logit."""
        own, query, base = self.facts.subjects, self.subjects[-1], self.parameters()
        found: dict[Token, tuple[TokenClass, dict[str, int]]] = {("sep",): (TokenClass.SEP, base)}
        for j in range(self.facts.M):
            shared = sum(own[c][self.kind] == own[j][self.kind] for c in self.subjects[:-1])
            role = TokenClass.OWN_SUBJECT if j == query else TokenClass.SUBJECT
            found[("subject", j)] = (role, base | {"n_j": shared})
        for l, column in enumerate(self.facts.values):
            for u, frequency in enumerate(column):
                other = TokenClass.OTHER_OF_TYPE if frequency else TokenClass.UNSEEN_OF_TYPE
                role = TokenClass.TARGET if own[query][l] == u else other
                if l != self.kind:
                    mine = own[query][l] == u
                    role = TokenClass.OWN_OF_OTHER_TYPE if mine else TokenClass.OTHER_OF_OTHER_TYPE
                found[("attribute", l, u)] = (role, base | {"N_u": sum(row[l] == u for row in own)})
            found[("relation", l)] = (TokenClass.RELATION, base)
        return found | {("grammar", g): (TokenClass.GRAMMAR, base) for g in range(self.G)}

    def logits(self, proposition: int, reading: Reading | str = Reading.SET) -> dict[Token, Fraction]:
        """Exact logits of the whole vocabulary. O(V M)."""
        case = self.case(proposition, reading)
        return {token: case.value(role, values) for token, (role, values) in self.classes().items()}
