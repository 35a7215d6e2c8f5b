import pytest

from numerics.pretraining import KINDS, Layout, Role, roles, sequences
from numerics.world import World


def by_hand(world: World, S: int, row: list[int], t: int) -> Role:
    relations = {world.relation_token(ell) for ell in range(world.L)}
    start = (t - 1) // (S + 3) * (S + 3)
    offset = t - 1 - start
    window = sum(token in relations for token in row[max(0, t - S - 2) : t])
    name = {0: "subject", S + 1: "sep", S + 2: "attribute"}.get(offset)
    if name is None:
        here, before = row[t - 1] in relations, any(token in relations for token in row[start : t - 1])
        name = "at" if here else "after" if before else "before"
        name = f"last_{name}" if offset == S else name
    return Role(start // (S + 3), offset, name, window)


@pytest.mark.parametrize("S", [1, 2, 4])
def test_roles(S):
    world, layout = World([[0, 0], [1, 0]], [0], 1), Layout(S, 2)
    seen = set()
    for batch in sequences(world, S, 2):
        for t in range(1, layout.T + 1):
            found = roles(world, layout, batch.tokens, t)
            for i, row in enumerate(batch.tokens.tolist()):
                role = found.role(i)
                assert role == by_hand(world, S, row, t)
                seen.add(role)
    assert {role.kind for role in seen} == set(KINDS) - (
        {"before", "at", "after", "last_after"} if S == 1 else {"after"} if S == 2 else set()
    )
    # The relation of the previous subsequence is still in the window of a slot far enough left of it.
    assert any(role.relations_in_window == 2 for role in seen) == (S > 2)
    assert all(role.first == (role.subsequence == 0) for role in seen)
