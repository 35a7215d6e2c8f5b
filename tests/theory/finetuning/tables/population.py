"""Ground truth: the final weights and the predictions on every sequence, from the definitions, in Fractions.

Gradients come from the enumeration beside this folder (one term per sequence), the forward pass is dense.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from tests.theory.finetuning import enumeration

Table = list[list[int]]
Steps = tuple[Fraction, Fraction, Fraction]


def margins(
    table: Table, finetune: list[int], m: int, steps: Steps, pool: str
) -> Iterator[tuple[tuple, Fraction, bool, bool]]:
    """((type, contexts, query), target logit minus best other, subject head on the query alone, relation head on attributes)."""
    eta_ov, eta_subj, eta_rel = steps
    T, kinds = 3 * m - 1, range(len(table[0]))
    values = [sorted({row[kind] for row in table}) for kind in kinds]
    tokens = [("attribute", kind, u) for kind in kinds for u in range(len(values[kind]))] + [("sep",)]
    subj = enumeration.kq_subj(table, finetune, m, literal=False)
    rel = enumeration.kq_rel(table, finetune, m, T, eta_ov)
    gradient = enumeration.ov_rel(table, finetune, m, T)
    asked = finetune if pool == "seen" else [j for j in range(len(table)) if j not in finetune]
    for kind in kinds:
        for drawn in product(*[finetune] * (m - 1), asked):
            inputs: list[tuple] = []
            for j in drawn:
                inputs += [("subject", j), ("sep",), ("attribute", kind, values[kind].index(table[j][kind]))]
            *inputs, target = inputs
            inputs = inputs[::-1]
            first = [
                int(x[0] == "subject") - eta_subj * (subj.get(x, 0) + subj.get(("position", -i), 0))
                for i, x in enumerate(inputs)
            ]
            second = [1 - eta_rel * (rel.get(x, 0) + rel.get(("position", -i), 0)) for i, x in enumerate(inputs)]
            at_first = [x for x, score in zip(inputs, first, strict=True) if score == max(first)]
            at_second = [x for x, score in zip(inputs, second, strict=True) if score == max(second)]
            logits = {}
            for token in tokens:
                total = Fraction(0)
                if token[0] == "attribute":
                    _, l, u = token
                    lacking = sum(x[0] == "subject" and table[x[1]][l] != values[l][u] for x in at_first)
                    total -= Fraction(lacking, len(at_first))
                    updates = (-eta_ov * gradient.get((token, x), Fraction(0)) for x in at_second if x != ("sep",))
                    total += sum(updates, Fraction(0)) / len(at_second)
                logits[token] = total
            best = max(value for token, value in logits.items() if token != target)
            query = [("subject", drawn[-1])]
            alone = at_first == query and sum(score == max(first) for score in first) == 1 and first[1] == max(first)
            only = all(x[0] == "attribute" for x in at_second)
            yield (kind, drawn[:-1], drawn[-1]), logits[target] - best, alone, only
