"""ICL cases against the model evaluated on every sequence of small tables, at beta = infinity and at finite beta."""

from fractions import Fraction
from itertools import product

import pytest

from tests.theory.constructions.forward import Constructions, icl
from theory.constructions import (
    IclSequence,
    TokenClass,
    Verdict,
    icl_case,
    icl_margin,
    icl_parameters,
    icl_statement,
    relation_heads,
)
from theory.frequencies import Frequencies

HEADS = {2: ("subject 2", "relation 2"), 4: ("subject 2", "relation 4", "grammar")}
TABLES = [
    ([[0, 0], [1, 0], [1, 1], [0, 1]], [0, 2]),
    ([[0, 0], [1, 0], [2, 1], [0, 1]], [0, 1]),
    ([[0], [1], [1], [2]], [0, 1]),
    ([[0, 0], [1, 1], [2, 2]], [0, 1, 2]),
    ([[0, 0], [1, 1], [2, 2]], [0, 1]),
    ([[0], [0], [0]], [0]),
]


@pytest.mark.parametrize("table, finetune", TABLES)
@pytest.mark.parametrize("reading", ["set", "literal"])
@pytest.mark.parametrize("proposition", [2, 4])
def test_every_sequence(table: list[list[int]], finetune: list[int], reading: str, proposition: int) -> None:
    facts = Frequencies.from_table(table, finetune)
    model = Constructions(table, 2, 1, reading == "literal", finetune)
    heldout = [j for j in range(len(table)) if j not in finetune]
    right: dict[tuple[str, str, int], list[bool]] = {}
    for m in (1, 2, 3):
        for kind, subjects in product(range(len(table[0])), product(range(len(table)), repeat=m)):
            sequence = IclSequence(facts, 2, kind, subjects)
            tokens = icl(table, kind, subjects)
            logits = model.logits(HEADS[proposition], tokens)
            assert sequence.logits(proposition, reading) == logits
            y = ("attribute", kind, table[subjects[-1]][kind])
            margin = logits[y] - max(x for v, x in logits.items() if v != y)
            top = {v for v, x in logits.items() if x == max(logits.values())}
            case = sequence.case(proposition, reading)
            quantity = icl_margin(proposition, sequence.target_seen, sequence.any_seen, reading)
            assert quantity.value(sequence.parameters()) == margin
            classes = sequence.classes()
            values = {TokenClass.OTHER_OF_TYPE, TokenClass.OWN_OF_OTHER_TYPE}
            parameters = sequence.parameters() | {"n_0": sum(classes[v][0] in values for v in top)}
            outcome = case.outcome(parameters)
            verdict = Verdict.EXACT if top == {y} else Verdict.TIE if y in top else Verdict.WRONG
            assert outcome.verdict == verdict
            assert {classes[v][0] for v in top} <= outcome.winners
            distance = 1 - Fraction(y in top, len(top))
            assert (
                Fraction(str(outcome.distance.subs({s: parameters[s.name] for s in outcome.distance.free_symbols})))
                == distance
            )
            for contexts, pool in (("finetune", finetune), ("all", range(len(table)))):
                for queries, chosen in (("seen", finetune), ("heldout", heldout)):
                    found = right.setdefault((queries, contexts, m), [])
                    if subjects[-1] in chosen and set(subjects[:-1]) <= set(pool):
                        found.append(margin > 0)
    for (queries, contexts, m), found in right.items():
        statement = icl_statement(proposition, reading, contexts)
        assert statement.holds(icl_parameters(facts, m, queries)) == all(found), (queries, contexts, m)


@pytest.mark.parametrize("table, finetune", TABLES)
def test_relation_heads(table: list[list[int]], finetune: list[int]) -> None:
    """Equal on ICL sequences at any beta; the value matrices are equal exactly if U' = U."""
    facts = Frequencies.from_table(table, finetune)
    model = Constructions(table, 1, 1, False, finetune)
    heads = relation_heads()
    columns = [
        {h: {v: x for v, x in model.column(h, token).items() if x} for h in ("relation 2", "relation 4")}
        for token in model.vocabulary
    ]
    same = all(c["relation 2"] == c["relation 4"] for c in columns)
    assert heads.same_ov.holds(icl_parameters(facts, 2)) == same
    assert not heads.same_kq.holds({}) and heads.same_on_icl.holds({})
    for subjects in product(range(len(table)), repeat=2):
        tokens = icl(table, 0, subjects)
        assert model.logits(("relation 2",), tokens) == model.logits(("relation 4",), tokens)

        def power(score: int) -> Fraction:
            return Fraction(7, 3) ** score

        assert model.logits(("relation 2",), tokens, power) == model.logits(("relation 4",), tokens, power)


def test_literal_never_answers_a_heldout_query() -> None:
    for table, finetune in TABLES:
        facts = Frequencies.from_table(table, finetune)
        parameters = icl_parameters(facts, 3, "heldout")
        if parameters["n_queries"]:
            assert not icl_statement(2, "literal").holds(parameters)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="proposition = 3"):
        icl_case(3)
    with pytest.raises(ValueError, match="contexts = 'none'"):
        icl_statement(2, contexts="none")
    with pytest.raises(ValueError, match="pool = 'unseen'"):
        icl_parameters(Frequencies.from_table([[0]], [0]), 2, "unseen")
