"""PT cases against the model evaluated on every prefix of every sequence of small settings."""

from collections import defaultdict
from fractions import Fraction

import pytest

from tests.theory.constructions.forward import Constructions, Token
from theory.constructions import (
    Prefix,
    Situation,
    TokenClass,
    Verdict,
    pretraining_case,
    pretraining_statement,
    sep_margin,
    smallest_failures,
)
from theory.frequencies import Frequencies

TWO, THREE = ("subject 1", "relation 1"), ("subject 1", "relation 1", "grammar")
SETTINGS = [
    ([[0]], 1, 1, 1),
    ([[0], [0], [0]], 1, 1, 1),
    ([[0, 0], [1, 0], [1, 0]], 2, 2, 1),
    ([[0], [1]], 1, 1, 2),
    ([[0], [0]], 1, 2, 2),
    ([[0, 0], [0, 1], [1, 1]], 2, 1, 2),
    ([[0, 0], [0, 1]], 2, 2, 2),
    ([[0, 0], [0, 0], [0, 1]], 2, 3, 1),
    ([[0, 1], [1, 0]], 1, 3, 2),
    ([[0], [0]], 2, 3, 2),
    ([[0], [1]], 1, 4, 2),
]


def prefixes(model: Constructions, N_tr: int) -> dict[tuple[Token, ...], dict[Token, Fraction]]:
    """Every proper prefix with its exact next-token law."""
    counts: dict[tuple[Token, ...], dict[Token, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for probability, tokens in model.pretraining(N_tr):
        for t in range(1, len(tokens)):
            counts[tuple(tokens[:t])][tokens[t]] += probability
    return {prefix: {x: p / sum(law.values()) for x, p in law.items()} for prefix, law in counts.items()}


@pytest.mark.parametrize("table, G, S, N_tr", SETTINGS)
@pytest.mark.parametrize("reading", ["set", "literal"])
def test_every_prefix(table: list[list[int]], G: int, S: int, N_tr: int, reading: str) -> None:
    model = Constructions(table, G, S, reading == "literal")
    facts = Frequencies.from_table(table, range(len(table)))
    N_max = max(sum(r[l] == row[l] for r in table) for row in table for l in range(len(row)))
    right: dict[tuple[int, Situation], list[Verdict]] = defaultdict(list)
    done: dict[tuple[int, Prefix], Verdict] = {}
    for tokens, law in prefixes(model, N_tr).items():
        prefix = Prefix.from_tokens(facts, S, G, tokens)
        assert prefix.law() == law
        for heads, names in ((2, TWO), (3, THREE)):
            logits = model.logits(names, tokens)
            known = (heads, prefix)
            if known not in done:
                done[known] = check_outcome(prefix, heads, reading)
                right[heads, prefix.situation].append(done[known])
            assert prefix_logits(prefix, heads, reading) == logits
            if prefix.situation == Situation.SEP:
                (y,) = law
                margin = logits[y] - max(x for v, x in logits.items() if v != y)
                assert sep_margin(heads, reading).value(prefix.parameters()) == margin
    check_occurrence({known for _, known in done}, S, N_tr)
    parameters = {"S": S, "N_tr": N_tr, "N_max": N_max}
    for heads in (2, 3):
        for situation in Situation:
            verdicts = right[heads, situation]
            statement = pretraining_statement(situation, heads, reading)
            assert statement.holds(parameters) == all(v.right for v in verdicts), (heads, situation)
            if heads == 3 or reading == "set" or situation == Situation.SEP:
                ties = pretraining_statement(situation, heads, reading, allow_ties=True)
                assert ties.holds(parameters) == (Verdict.WRONG not in verdicts), (heads, situation)


def check_occurrence(known: set[Prefix], S: int, N_tr: int) -> None:
    """The situations occur exactly where they say, among all k and slots i."""
    found = {(p.situation, p.k, p.offset - 1 if 2 <= p.offset <= S + 1 else 1) for p in known}
    for situation in Situation:
        for k in range(1, N_tr + 1):
            for i in range(1, S + 1):
                if situation == Situation.LAST_SLOT and i != S:
                    continue
                if i != 1 and situation in (Situation.SUBJECT, Situation.SEP, Situation.ATTRIBUTE):
                    continue
                occurs = pretraining_case(situation).occurs
                values = {"S": S, "N_tr": N_tr, "k": k, "i": i}
                truth = bool(occurs.subs({s: values[s.name] for s in occurs.free_symbols}))
                assert truth == ((situation, k, i) in found), (situation, k, i)


CACHE: dict[tuple[int, str, Prefix], dict[Token, Fraction]] = {}


def prefix_logits(prefix: Prefix, heads: int, reading: str) -> dict[Token, Fraction]:
    key = (heads, reading, prefix)
    if key not in CACHE:
        CACHE[key] = prefix.logits(heads, reading)
    return CACHE[key]


def check_outcome(prefix: Prefix, heads: int, reading: str) -> Verdict:
    """The symbolic outcome (winners, verdict, distance) against the argmax of the evaluated logits."""
    case = prefix.case(heads, reading)
    verdict, winners = prefix.verdict(heads, reading), prefix.argmax(heads, reading)
    for head in case.heads:
        values = {"k": prefix.k, "i": max(prefix.offset - 1, 1), "S": prefix.S}
        if head.name == "grammar" or prefix.situation == Situation.SEP:
            assert sum(e.subs({s: values[s.name] for s in e.free_symbols}) for e in head.shares.values()) == 1
    if not case.outcomes:
        return verdict
    classes = prefix.classes()
    kinds = {classes[token][0] for token in winners}
    values_tied = {TokenClass.OTHER_OF_TYPE, TokenClass.OWN_OF_OTHER_TYPE}
    parameters = prefix.parameters()
    if prefix.situation == Situation.SEP:
        parameters["n_0"] = sum(classes[token][0] in values_tied for token in winners)
    outcome = case.outcome(parameters)
    assert outcome.verdict == verdict
    assert kinds <= outcome.winners
    assert kinds >= {w for w in outcome.winners if w in {c for c, _ in classes.values()}} - values_tied - {
        TokenClass.SUBJECT
    }
    value = Fraction(str(outcome.distance.subs({s: parameters[s.name] for s in outcome.distance.free_symbols})))
    assert value == prefix.distance(heads, reading)
    return verdict


def test_two_relation_tokens_tie_sep_with_grammar() -> None:
    case = pretraining_case(Situation.LATER_TWO_RELATIONS)
    assert case.logits[TokenClass.GRAMMAR] == case.logits[TokenClass.SEP]
    assert case.outcome({"G": 2}).verdict == Verdict.TIE
    assert [step.title for step in case.steps][-1] == "Argmax"


def test_smallest_failures() -> None:
    """The printed examples are not right."""
    grammar, sep = ("grammar", 0), ("sep",)
    s, r, a = ("subject", 0), ("relation", 0), ("attribute", 0, 0)
    examples = {
        Situation.SUBJECT: (1, [s]),
        Situation.FIRST_BEFORE_RELATION: (2, [s, grammar]),
        Situation.FIRST_AFTER_RELATION: (2, [s, r]),
        Situation.LATER_NO_RELATION: (2, [s, r, grammar, sep, a, s, grammar]),
        Situation.LATER_TWO_RELATIONS: (3, [s, grammar, grammar, r, sep, a, s, r]),
        Situation.SEP: (1, [s, r, sep]),
        Situation.ATTRIBUTE: (1, [s, r, sep, a]),
    }
    assert examples.keys() == smallest_failures().keys()
    facts = Frequencies.from_table([[0], [0]], [0])
    for situation, (S, tokens) in examples.items():
        prefix = Prefix.from_tokens(facts, S, 1, tokens)
        assert prefix.situation == situation
        assert not prefix.verdict(3, "literal").right


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="heads = 4"):
        pretraining_case(Situation.SEP, heads=4)
    facts = Frequencies.from_table([[0]], [0])
    with pytest.raises(ValueError, match="starts with a subject"):
        Prefix.from_tokens(facts, 1, 1, [("sep",)])
