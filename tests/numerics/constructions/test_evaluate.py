import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.constructions import Construction, Head, evaluate, network, prop1, prop2, prop3, prop4
from numerics.models.attention_only import prop1 as literal_prop1
from numerics.population.enumerate import sequences as icl_sequences
from numerics.pretraining import Layout, sequences
from numerics.world import World

WORLD = World([[0, 0], [1, 0], [1, 1]], [0, 1], 2)


def built(kind: int, world: World, S: int, n: int, reading: str) -> Construction:
    if kind in (1, 3):
        return {1: prop1, 3: prop3}[kind](world, S, n, reading)
    return prop2(world, n, reading) if kind == 2 else prop4(world, n, S, reading)


def some_sequences(kind: int, world: World, S: int, n: int, generator: np.random.Generator):
    batch = next(sequences(world, S, n)) if kind in (1, 3) else next(icl_sequences(world, n, "all", "all"))
    rows = generator.choice(len(batch.tokens), min(6, len(batch.tokens)), replace=False)
    return batch.tokens[rows], batch.targets[rows]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_exact_evaluation_is_the_oracle_and_the_literal_network(tables, oracle, data):
    world, kind = data.draw(tables), data.draw(st.sampled_from([1, 2, 3, 4]))
    S, n, reading = (
        data.draw(st.integers(1, 3)),
        data.draw(st.integers(1, 2)),
        data.draw(st.sampled_from(["set", "literal"])),
    )
    construction = built(kind, world, S, n, reading)
    tokens, _ = some_sequences(kind, world, S, n, np.random.default_rng(data.draw(st.integers(0, 9))))
    rule, hard, beta = oracle(world, kind, S + 2, reading), network(construction), data.draw(st.floats(0, 4))
    soft = network(construction, beta)
    for t in range(1, construction.T + 1):
        found = evaluate(construction, tokens, t)
        with torch.no_grad():
            literal, at_beta = hard(torch.from_numpy(tokens), t).numpy(), soft(torch.from_numpy(tokens), t).numpy()
        for b, row in enumerate(tokens.tolist()):
            exact = tuple(rule.logits(row, t))
            assert found.logits(b) == exact
            assert found.argmax[b].tolist() == [x == max(exact) for x in exact]
            np.testing.assert_allclose(literal[b], [float(x) for x in exact], rtol=0, atol=1e-12)
            np.testing.assert_allclose(at_beta[b], rule.logits(row, t, beta), rtol=0, atol=1e-11)
            assert sum(output.f(b)[0] for output in found.heads.values()) == exact[0]
        for name, output in found.heads.items():
            alpha = hard.attention(name, torch.from_numpy(tokens), t).detach().numpy()
            for b in range(len(tokens)):
                np.testing.assert_allclose(alpha[b], [float(a) for a in output.attention(b)], rtol=0, atol=1e-14)
                assert sum(output.g(b, tokens).values()) == 1


def test_same_matrices_as_the_initial_network():
    # S = 3 and one subsequence: T = 5, as with one demonstration.
    for reading in ("set", "literal"):
        ours, theirs = prop1(WORLD, 3, 1, reading), literal_prop1(WORLD, 1, 5, reading)
        assert ours.T == theirs.T == 5
        for name in ("subj", "rel"):
            assert (theirs.kq[name].detach().numpy() == ours.heads[name].kq).all()
            assert (theirs.ov[name].detach().numpy() == ours.heads[name].ov).all()


def test_relation_heads_of_props_2_and_4_on_sequences():
    # Without relation tokens in the sequence the two printed forms attend and write the same.
    two, four = prop2(WORLD, 2), prop4(WORLD, 2, 3)
    assert (two.heads["rel"].kq != four.heads["rel"].kq).any()
    for batch in icl_sequences(WORLD, 2, "all", "all"):
        one, other = evaluate(two, batch.tokens).heads["rel"], evaluate(four, batch.tokens).heads["rel"]
        assert (one.attended == other.attended).all() and (one.f_numerator == other.f_numerator).all()


def test_window_of_the_grammar_head_of_prop4_is_that_of_prop3():
    # ICL sequences never ask with a grammar or relation token; the matrix still has p over S + 2 positions.
    for S in (1, 3):
        construction = prop4(WORLD, 2, S)
        by_position = construction.heads["grm"].kq[WORLD.V :]
        for query in range(WORLD.V):
            asks = WORLD.relation_token(0) <= query < WORLD.sep_token
            assert by_position[:, query].tolist() == [int(asks and back < S + 2) for back in range(construction.T)]


def test_printed_outputs_at_the_last_position():
    # g_rel the most recent relation, g_subj the subject, f_grm with the coefficients of all T tokens over T.
    S, n_tr = 2, 3
    construction, T = prop3(WORLD, S, n_tr), Layout(S, n_tr).T
    for batch in sequences(WORLD, S, n_tr):
        rows = slice(0, len(batch.tokens), 997)
        tokens, types, subjects = batch.tokens[rows], batch.types[rows], batch.subjects[rows]
        found = evaluate(construction, tokens)
        for b in range(len(tokens)):
            assert found.heads["rel"].g(b, tokens) == {WORLD.relation_token(int(types[b, -1])): 1}
            assert found.heads["subj"].g(b, tokens) == {int(subjects[b]): 1}
            f = found.heads["grm"].f(b)
            assert f[WORLD.sep_token] == Fraction(n_tr, T)
            # One from the subject and one from [sep] in every subsequence, a half from the relation.
            assert f[WORLD.grammar_token(0)] == Fraction(5 * n_tr, 2 * T)
            assert f[WORLD.relation_token(0)] == Fraction(2 * n_tr, T)


def test_subject_and_relation_head_before_the_last_position():
    # Away from [sep] both heads are uniform over 1..t: every relation and every subject token so far counts.
    S, n_tr = 2, 2
    construction, layout = prop3(WORLD, S, n_tr), Layout(S, n_tr)
    for batch in sequences(WORLD, S, n_tr):
        for t in range(1, layout.T):
            tokens = batch.tokens[::37]
            found = evaluate(construction, tokens, t)
            for b, row in enumerate(tokens[:, :t].tolist()):
                if row[-1] == WORLD.sep_token:
                    continue
                f_rel, f_subj = found.heads["rel"].f(b), found.heads["subj"].f(b)
                own = WORLD.attribute_token[row[0]].tolist()
                for ell in range(WORLD.L):
                    for u in WORLD.attribute_range(ell):
                        assert f_rel[u] == Fraction(row.count(WORLD.relation_token(ell)), t)
                        assert f_subj[u] == (0 if u in own else -Fraction(row.count(row[0]), t))


def test_margins_and_outcomes():
    numerator = np.array([[3, 1, 0], [2, 2, 0], [0, 5, 5], [-1, -2, -3]])
    found = evaluate(prop1(WORLD, 1, 1), np.array([[0, WORLD.relation_token(0), WORLD.sep_token]] * 4))
    found = type(found)(3, found.heads, numerator, np.array([1, 2, 3, 4]))
    assert found.margin_numerator(np.array([0, 0, 0, 1])).tolist() == [2, 0, -5, -1]
    assert found.outcome(np.array([0, 0, 0, 1])).tolist() == [0, 1, 2, 2]
    assert found.logits(3) == (Fraction(-1, 4), Fraction(-1, 2), Fraction(-3, 4))


def test_errors():
    good = prop1(WORLD, 2, 1)
    with pytest.raises(ValueError, match=r"t must be an integer in 1\.\.4, got 5"):
        evaluate(good, np.zeros((1, 5), dtype=np.int64), 5)
    with pytest.raises(ValueError, match=r"tokens must be \(B, T\) with T >= t = 4, got shape \(1, 3\)"):
        evaluate(good, np.zeros((1, 3), dtype=np.int64))
    head = good.heads["subj"]
    with pytest.raises(ValueError, match="heads must be at least one head, got none"):
        Construction(WORLD, 4, {})
    with pytest.raises(ValueError, match="ov of head 'x' must be integers"):
        Construction(WORLD, 4, {"x": Head(head.kq, head.ov * 0.5)})
    with pytest.raises(ValueError, match="kq of head 'x' must be integers"):
        Construction(WORLD, 5, {"x": head})
    for call in (lambda: prop1(WORLD, 1, 1, "both"), lambda: prop4(WORLD, 1, 1, "both")):
        with pytest.raises(ValueError, match="reading must be one of 'set', 'literal', got 'both'"):
            call()
    with pytest.raises(ValueError, match="S must be an integer >= 1, got 0"):
        prop4(WORLD, 1, 0)
    with pytest.raises(ValueError, match="beta must be a finite number or inf"):
        network(good, math.nan)
