"""The same sequences drawn one token after another in Python, from the definitions: what the vectorised ones are tested by."""

import random
from collections.abc import Sequence

from numerics.corpus.corpus import Corpus


def grammar(corpus: Corpus, chain: Sequence[Sequence[float]], length: int, draw: random.Random) -> list[int]:
    """`length` grammar tokens of a chain (G, G), the first one uniform."""
    states = range(corpus.G)
    path: list[int] = []
    for _ in range(length):
        path += draw.choices(states, chain[path[-1]]) if path else [draw.randrange(corpus.G)]
    return [corpus.first_grammar + g for g in path]


def _subsequence(corpus: Corpus, j: int, l: int, S: int, draw: random.Random) -> list[int]:
    """X_j^l = [s_j, g_1, .., g_S, a_j^l]."""
    return [j, *grammar(corpus, corpus.transitions[l].tolist(), S, draw), int(corpus.attribute_token[j, l])]


def pt_sequence(corpus: Corpus, S: int, n_tr: int, p_G: float, draw: random.Random) -> list[int]:
    """One PT sequence, the final token included."""
    j = draw.randrange(corpus.M)
    out: list[int] = []
    for number in range(n_tr):
        out += [corpus.sep] if number else []
        if draw.random() < p_G:
            out += grammar(corpus, corpus.grammar_only.tolist(), S + 2, draw)
        else:
            out += _subsequence(corpus, j, draw.randrange(corpus.L), S, draw)
    return out


def icl_sequence(
    corpus: Corpus,
    n_demos: int,
    S_ft: Sequence[int],
    draw: random.Random,
    queries: Sequence[int],
    contexts: Sequence[int],
) -> list[int]:
    """One ICL (S_ft = [0]) or ICL+Grm sequence, the final attribute included."""
    l, S = draw.randrange(corpus.L), draw.choice(S_ft)
    out: list[int] = []
    for _ in range(n_demos):
        out += [*_subsequence(corpus, draw.choice(contexts), l, S, draw), corpus.sep]
    return out + _subsequence(corpus, draw.choice(queries), l, S, draw)
