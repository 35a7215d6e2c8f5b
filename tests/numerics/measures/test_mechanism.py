"""Roles and mechanisms at their borders, shares of attention, ablations."""

import pytest
import torch

from numerics.measures import SubjectPattern, ablations, mechanism, outputs, shares, uniform_outputs
from numerics.models.factored import Factored
from numerics.sampling import IclSampler, PretrainingSampler, Tables
from numerics.world import World


def pattern(own: float, others: float, rest: float) -> SubjectPattern:
    rho = (others - rest) / (own - others) if own != others else float("nan")
    return SubjectPattern(own, others, rest, rho, rho, 1.0)


SUPPRESSING, BOOSTING = pattern(0, -1, 0), pattern(1, 0, 0)


def kind(subject, relation, patterns) -> str:
    return mechanism(torch.tensor(subject), torch.tensor(relation), patterns).kind


def test_kinds():
    apart = ([0.5, 0.0], [0.0, 0.5])
    assert kind(*apart, [SUPPRESSING, BOOSTING]) == "suppressing"
    assert kind(*apart, [BOOSTING, SUPPRESSING]) == "boosting"
    assert kind(*apart, [pattern(-1, 0, 0), BOOSTING]) == "unassociated"
    assert kind(*apart, [pattern(1, 1, 0), BOOSTING]) == "unassociated"


@pytest.mark.parametrize(
    ("subject", "relation"),
    [([0.49, 0.0], [0.0, 0.9]), ([0.9, 0.0], [0.0, 0.49]), ([0.5, 0.0], [0.5, 0.0]), ([0.9, 0.9], [0.1, 0.1])],
)
def test_collapsed(subject, relation):
    assert kind(subject, relation, [SUPPRESSING, SUPPRESSING]) == "collapsed"


def test_half_way_between_the_constructions_decides():
    apart = ([0.9, 0.0], [0.0, 0.9])
    assert kind(*apart, [pattern(0.49, -0.51, 0), BOOSTING]) == "suppressing"
    assert kind(*apart, [pattern(0.51, -0.49, 0), BOOSTING]) == "boosting"


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"subject, relation must be \(2,\), got \(2,\), \(1,\)"):
        mechanism(torch.zeros(2), torch.zeros(1), [SUPPRESSING, BOOSTING])


def test_shares_of_a_network_without_keys_are_the_uniform_ones():
    world = World.balanced(8, 2, 4, 4)
    model = Factored(world.V, 20, 2, 4)
    with torch.no_grad():
        model.key.zero_()
    tables = Tables.of(world)
    for batch in (PretrainingSampler(world, 3, 3).draw(50), IclSampler(world, 3).draw(50)):
        found = shares(model, batch, tables)
        for role, share in found.by_role.items():
            torch.testing.assert_close(share, torch.full((2,), found.uniform[role]), rtol=1e-5, atol=1e-6)


def test_uniform_outputs_are_those_of_a_network_without_keys():
    world = World.balanced(8, 2, 4, 4)
    model = Factored(world.V, 20, 2, 4, std=0.5)
    tokens = IclSampler(world, 3).draw(10).tokens
    flat = uniform_outputs(model, tokens)
    assert not torch.allclose(flat, outputs(model, tokens))
    with torch.no_grad():
        model.key.zero_()
    torch.testing.assert_close(flat, outputs(model, tokens))


def test_ablations_name_the_head_that_is_needed():
    """A copying network: head 0 attends to the last attribute and puts it out, head 1 does nothing."""
    world = World.balanced(8, 2, 4, 4)
    batch = IclSampler(world, 1).draw(200)
    model = Factored(world.V, 5, 2, world.V)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.query[0], model.value[0], model.output[0] = (torch.eye(world.V) for _ in range(3))
        model.key[0, world.V + 2, world.sep_token] = 50.0
    found = ablations(model, batch.tokens, batch.tokens[:, 2])
    assert found["none"] == [1.0]
    assert found["mean"][1] == found["uniform"][1] == 1.0
    assert found["mean"][0] < 0.5
