"""A concrete prefix of a PT sequence: which situation it is in, and its exact logits, argmax set and next-token law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.constructions.case import Case
from theory.constructions.classes import TokenClass, Verdict
from theory.constructions.pretraining import pretraining_case
from theory.constructions.situation import Situation, next_law
from theory.finetuning.sequence import Reading
from theory.frequencies import Frequencies

Token = tuple[str | int, ...]


@dataclass(frozen=True)
class Prefix:
    """All that matters of x_1..x_t, t >= 1, whatever the grammar tokens are.

    facts     who has which value      S, G  grammar slots and tokens      subject  its index
    previous  (type, slot) of the relation token of every finished subsequence, slots 1..S
    offset    1 subject, 1+i slot i, S+2 sep, S+3 attribute
    current   (type, slot) of the current relation token if it has been seen, else None
    """

    facts: Frequencies
    S: int
    G: int
    subject: int
    previous: tuple[tuple[int, int], ...]
    offset: int
    current: tuple[int, int] | None

    @classmethod
    def from_tokens(cls, facts: Frequencies, S: int, G: int, tokens: Sequence[Token]) -> Prefix:
        """From x_1..x_t, keys ("subject", j), ("attribute", l, u), ("relation", l), ("grammar", g), ("sep",). O(t)."""
        if not tokens or tokens[0][0] != "subject":
            raise ValueError(f"tokens = {list(tokens)[:1]}: a PT prefix starts with a subject")
        length = S + 3
        relations: list[tuple[int, int] | None] = []
        for start in range(0, len(tokens), length):
            slots = enumerate(tokens[start + 1 : start + 1 + S], start=1)
            seen = [(int(token[1]), slot) for slot, token in slots if token[0] == "relation"]
            relations.append(seen[0] if seen else None)
        offset = (len(tokens) - 1) % length + 1
        previous = tuple(r for r in relations[:-1] if r is not None)
        if len(previous) != len(relations) - 1 or (offset > S and relations[-1] is None):
            raise ValueError(
                f"S = {S}: every finished subsequence of a PT sequence has one relation token in its slots"
            )
        return cls(facts, S, G, int(tokens[0][1]), previous, offset, relations[-1])

    @property
    def k(self) -> int:
        return len(self.previous) + 1

    @property
    def situation(self) -> Situation:
        slot = self.offset - 1
        named = {0: Situation.SUBJECT, self.S: Situation.LAST_SLOT, self.S + 1: Situation.SEP}
        if slot in named:
            return named[slot]
        if slot == self.S + 2:
            return Situation.ATTRIBUTE
        if self.k == 1:
            return Situation.FIRST_AFTER_RELATION if self.current else Situation.FIRST_BEFORE_RELATION
        kind, last = self.previous[-1]
        in_window = last >= slot + 2
        if self.current is None:
            return Situation.LATER_PREVIOUS_RELATION if in_window else Situation.LATER_NO_RELATION
        # The current relation token as the query has a key for its own type only.
        if self.current[1] == slot and self.current[0] != kind:
            in_window = False
        return Situation.LATER_TWO_RELATIONS if in_window else Situation.LATER_CURRENT_RELATION

    def relations(self, kind: int) -> int:
        """n_l."""
        seen = [*self.previous] + ([self.current] if self.current else [])
        return sum(l == kind for l, _ in seen)

    def count(self, kind: int, value: int) -> int:
        """N_u."""
        return sum(own[kind] == value for own in self.facts.subjects)

    def shared(self, other: int) -> int:
        """n_j of another subject: attended attribute tokens that are values of it."""
        own = self.facts.subjects
        kinds = [kind for kind, _ in self.previous]
        if self.situation == Situation.ATTRIBUTE and self.current:
            kinds = [self.current[0]]
        return sum(own[other][kind] == own[self.subject][kind] for kind in kinds)

    def parameters(self) -> dict[str, Fraction | int]:
        """k, i, S, G, L, M, n_R and N_y (the number of subjects that share the current attribute, where there is one)."""
        row = {
            "k": self.k,
            "i": max(self.offset - 1, 1),
            "S": self.S,
            "G": self.G,
            "L": self.facts.L,
            "M": self.facts.M,
        }
        row["n_R"] = len(self.previous) + (self.current is not None)
        if self.current:
            kind = self.current[0]
            row["N_y"] = self.count(kind, self.facts.subjects[self.subject][kind])
        return dict(row)

    def case(self, heads: int = 3, reading: Reading | str = Reading.SET) -> Case:
        return pretraining_case(self.situation, heads, reading)

    def classes(self) -> dict[Token, tuple[TokenClass, dict[str, Fraction | int]]]:
        """Every token of the vocabulary: its class and the parameters of its logit."""
        row = self.parameters()
        own = self.facts.subjects[self.subject]
        at_sep = self.situation == Situation.SEP
        found: dict[Token, tuple[TokenClass, dict[str, Fraction | int]]] = {}
        for j in range(self.facts.M):
            kind = TokenClass.OWN_SUBJECT if j == self.subject else TokenClass.SUBJECT
            found[("subject", j)] = (kind, row | {"n_j": self.shared(j)})
        for l, column in enumerate(self.facts.values):
            for u in range(len(column)):
                mine = own[l] == u
                kind = TokenClass.OWN_VALUE if mine else TokenClass.OTHER_VALUE
                if at_sep and self.current and l == self.current[0]:
                    kind = TokenClass.TARGET if mine else TokenClass.OTHER_OF_TYPE
                elif at_sep:
                    kind = TokenClass.OWN_OF_OTHER_TYPE if mine else TokenClass.OTHER_OF_OTHER_TYPE
                found[("attribute", l, u)] = (kind, row | {"n_l": self.relations(l), "N_u": self.count(l, u)})
            found[("relation", l)] = (TokenClass.RELATION, row)
        found |= {("grammar", g): (TokenClass.GRAMMAR, row) for g in range(self.G)}
        found[("sep",)] = (TokenClass.SEP, row)
        return found

    def logits(self, heads: int = 3, reading: Reading | str = Reading.SET) -> dict[Token, Fraction]:
        """Exact logits of the whole vocabulary, from the symbolic case. O(V)."""
        case = self.case(heads, reading)
        return {token: case.value(kind, values) for token, (kind, values) in self.classes().items()}

    def law(self) -> dict[Token, Fraction]:
        """Exact next-token law (tokens of positive probability)."""
        masses = next_law(self.situation).value(self.parameters())
        classes = {token: kind for token, (kind, _) in self.classes().items()}
        sizes = {kind: sum(c == kind for c in classes.values()) for kind in masses}
        return {token: masses[kind] / sizes[kind] for token, kind in classes.items() if masses.get(kind)}

    def argmax(self, heads: int = 3, reading: Reading | str = Reading.SET) -> frozenset[Token]:
        logits = self.logits(heads, reading)
        top = max(logits.values())
        return frozenset(token for token, value in logits.items() if value == top)

    def verdict(self, heads: int = 3, reading: Reading | str = Reading.SET) -> Verdict:
        """The argmax set against the support of the law."""
        winners, support = self.argmax(heads, reading), set(self.law())
        if not winners & support:
            return Verdict.WRONG
        if not winners <= support:
            return Verdict.TIE
        return Verdict.EXACT if winners == support else Verdict.SUBSET

    def distance(self, heads: int = 3, reading: Reading | str = Reading.SET) -> Fraction:
        """Total variation distance of the uniform law on the argmax set from the exact law."""
        winners, law = self.argmax(heads, reading), self.law()
        share = Fraction(1, len(winners))
        tokens = winners | law.keys()
        zero = Fraction(0)
        return sum((abs((share if x in winners else zero) - law.get(x, zero)) for x in tokens), zero) / 2
