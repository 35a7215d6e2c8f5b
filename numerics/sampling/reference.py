"""The same sequences drawn one token after another in Python, from the definitions: what the vectorised ones are tested by."""

import random

from numerics.world import World


def pretraining_sequence(
    world: World, S: int, n_tr: int, draw: random.Random, p_G: float = 0.0, grammar_only: str = "kept"
) -> list[int]:
    """The (S + 3) n_tr tokens of one PT sequence, the last attribute included."""
    j = draw.randrange(world.M)
    out: list[int] = []
    for _ in range(n_tr):
        if draw.random() < p_G:
            for offset in range(S + 3):
                keep = grammar_only == "kept" and offset == S + 1
                out.append(world.sep_token if keep else world.grammar_token(draw.randrange(world.G)))
            continue
        position = draw.randint(1, S)
        l = draw.randrange(world.L)
        out.append(world.subject_token(j))
        for i in range(1, S + 1):
            out.append(world.relation_token(l) if i == position else world.grammar_token(draw.randrange(world.G)))
        out.append(world.sep_token)
        out.append(int(world.attribute_token[j, l]))
    return out


def icl_sequence(
    world: World, n_demos: int, draw: random.Random, queries: list[int], contexts: list[int]
) -> tuple[list[int], int]:
    """Tokens and target of one ICL sequence."""
    l = draw.randrange(world.L)
    out: list[int] = []
    for _ in range(n_demos):
        j = draw.choice(contexts)
        out += [world.subject_token(j), world.sep_token, int(world.attribute_token[j, l])]
    j = draw.choice(queries)
    return [*out, world.subject_token(j), world.sep_token], int(world.attribute_token[j, l])
