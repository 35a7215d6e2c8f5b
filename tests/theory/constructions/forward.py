"""Ground truth: the constructions written out as scores and columns, and the model evaluated row by row.

Tokens are ("subject", j), ("attribute", l, u), ("relation", l), ("grammar", g), ("sep",); all in plain Python numbers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product

Token = tuple[str | int, ...]
Column = dict[Token, Fraction]
HALF = Fraction(1, 2)


class Constructions:
    """Scores per unit beta and value columns of the printed heads over one table (rows of value indices)."""

    def __init__(self, table: Sequence[Sequence[int]], G: int, S: int, literal: bool, finetune: Sequence[int] = ()):
        self.table, self.G, self.S, self.literal = table, G, S, literal
        self.L, self.M = len(table[0]), len(table)
        self.values = [sorted({row[l] for row in table}) for l in range(self.L)]
        self.seen = {("attribute", l, table[j][l]) for l in range(self.L) for j in finetune}
        self.vocabulary: list[Token] = [("subject", j) for j in range(self.M)]
        self.vocabulary += [("attribute", l, u) for l in range(self.L) for u in self.values[l]]
        self.vocabulary += [("relation", l) for l in range(self.L)] + [("grammar", g) for g in range(G)] + [("sep",)]

    def score(self, head: str, key: Token, distance: int, query: Token) -> int:
        window = distance < self.S + 2
        if head == "grammar":
            if query[0] in ("attribute", "subject"):
                return int(key == query)
            if query[0] == "relation":
                return int(key == query) + (key[0] == "sep") + window
            return (key[0] in ("relation", "sep")) + window if query[0] == "grammar" else 0
        if query[0] != "sep":
            return 0
        return {
            "subject 1": int(key[0] == "subject"),
            "subject 2": (key[0] == "subject") + (distance == 1),
            "relation 1": (key[0] == "relation") + window,
            "relation 2": (key[0] == "relation") + (key in self.seen),
            "relation 4": int(key in self.seen),
        }[head]

    def column(self, head: str, token: Token) -> Column:
        out: Column = defaultdict(Fraction)
        kind = token[0]
        both = [v for v in self.vocabulary if v[0] in ("grammar", "relation")]
        if head.startswith("subject") and kind == "subject":
            j = int(token[1])
            for l in range(self.L):
                if self.literal:
                    for other in range(self.M):
                        out["attribute", l, self.table[other][l]] -= other != j
                else:
                    for u in self.values[l]:
                        out["attribute", l, u] -= u != self.table[j][l]
        if head.startswith("relation") and kind in ("relation", "attribute"):
            same = [v for v in self.vocabulary if v[0] == "attribute" and v[1] == token[1]]
            everything = head != "relation 4" and kind == "relation"
            if kind == "relation" or (head != "relation 1" and token in self.seen):
                for v in same:
                    out[v] += everything or v in self.seen
        if head == "grammar":
            if kind == "attribute":
                for j in range(self.M):
                    out["subject", j] += self.table[j][int(token[1])] == token[2]
            if kind in ("subject", "sep"):
                for v in both:
                    out[v] += 1
            if kind == "relation":
                out[("sep",)] += 1
                for v in both:
                    out[v] += HALF * (v[0] == "grammar")
        return out

    def logits(
        self, heads: Sequence[str], tokens: Sequence[Token], power: Callable[[int], Fraction] | None = None
    ) -> Column:
        """Last row; hard attention, or softmax with the weights power(score)."""
        total: Column = {v: Fraction(0) for v in self.vocabulary}
        for head in heads:
            scores = [self.score(head, x, len(tokens) - 1 - n, tokens[-1]) for n, x in enumerate(tokens)]
            weights = [power(s) if power else Fraction(int(s == max(scores))) for s in scores]
            whole = sum(weights)
            shares: Column = defaultdict(Fraction)
            for x, weight in zip(tokens, weights, strict=True):
                shares[x] += weight / whole
            for x, share in shares.items():
                for v, entry in self.column(head, x).items():
                    total[v] += share * entry
        return total

    def pretraining(self, N_tr: int) -> Iterator[tuple[Fraction, list[Token]]]:
        """(probability, sequence with the last attribute)."""
        grammar = [("grammar", g) for g in range(self.G)]
        parts = []
        for l, slot in product(range(self.L), range(self.S)):
            for others in product(grammar, repeat=self.S - 1):
                words = list(others)
                words.insert(slot, ("relation", l))
                parts.append((l, words))
        for j in range(self.M):
            for chosen in product(parts, repeat=N_tr):
                tokens: list[Token] = []
                for l, words in chosen:
                    tokens += [("subject", j), *words, ("sep",), ("attribute", l, self.table[j][l])]
                yield Fraction(1, self.M * len(parts) ** N_tr), tokens


def icl(table: Sequence[Sequence[int]], l: int, subjects: Sequence[int]) -> list[Token]:
    """[s, sep, a, ..., s, sep]."""
    tokens: list[Token] = []
    for j in subjects:
        tokens += [("subject", j), ("sep",), ("attribute", l, table[j][l])]
    return tokens[:-1]
