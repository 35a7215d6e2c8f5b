"""The parts on small worlds; what must make each of them fail."""

import json
import math
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch

from numerics.descent import Accuracy
from numerics.population import finetuning_gradients
from verify.against import __main__ as command
from verify.against import convergence as rate
from verify.against import ordering, recovery, settings
from verify.against.enumeration import enumeration
from verify.against.plot import draw
from verify.against.relation import summed

SCHEMA = Path(command.__file__).resolve().parents[1] / "schema" / "against.schema.json"
SMALL = settings.WorldSize(8, 2, 4, 4, 2)
PARTS = ("convergence", "recovery", "enumeration")


@pytest.fixture(scope="module")
def tiny():
    return command.check("tiny", PARTS)


def test_the_record_is_the_documented_json_and_is_drawn(tiny, tmp_path):
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(tiny, allow_nan=False)))
    for picture in draw(tiny, tmp_path):
        assert picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size < 300_000
    assert len(tiny["findings"]) == 3


def test_slopes_have_their_intervals():
    draw = np.random.default_rng(0)
    sizes = [64, 256, 1024, 4096] * 6
    noise = draw.normal(0, 0.05, len(sizes))
    good = rate.fitted(sizes, [math.exp(e) / math.sqrt(n) for n, e in zip(sizes, noise, strict=True)], 3)
    assert good["agrees"] and abs(good["slope"] + 0.5) < 0.05
    flat = rate.fitted(sizes, [math.exp(e) * (0.05 + 1 / math.sqrt(n)) for n, e in zip(sizes, noise, strict=True)], 3)
    steep = rate.fitted(sizes, [math.exp(e) / n for n, e in zip(sizes, noise, strict=True)], 3)
    vague = rate.fitted(sizes, [math.exp(20 * e) / math.sqrt(n) for n, e in zip(sizes, noise, strict=True)], 3)
    assert not flat["agrees"] and not steep["agrees"] and not vague["agrees"]
    assert (
        rate.fitted(sizes, [1 / math.sqrt(n) * math.exp(e) for n, e in zip(sizes, noise, strict=True)], 30)["interval"][
            0
        ]
        < good["interval"][0]
    )
    with pytest.raises(ValueError, match="at least 3"):
        rate.fitted([1, 2], [1.0, 2.0], 1)


def test_batches_converge_to_the_population_and_not_to_a_wrong_one(monkeypatch):
    part = settings.Convergence(SMALL, (64, 256, 1024, 4096), 16)
    assert rate.convergence((part,))["verdict"] == "agrees"
    right = rate.exact

    def wrong(world, n_demos):
        found, proven, method = right(world, n_demos)
        return found | {"kq_rel": found["kq_rel"] * 1.2}, proven, method

    monkeypatch.setattr(rate, "exact", wrong)
    found = rate.convergence((part,))
    assert found["verdict"] == "disagrees" and found["worlds"][0]["pooled"]["kq_rel"] > 2


def test_order_of_classes():
    world = SMALL.config().build()
    column = -finetuning_gradients(world, 2, "true").kq_rel
    exact = ordering.class_means(world, 8, column)
    same = ordering.compared(exact, exact)
    assert same["agree"] == same["pairs"] > 12 and not same["wrong"]
    other = ordering.compared({name: -value for name, value in exact.items()}, exact)
    assert other["agree"] == 0 and len(other["wrong"]) == other["pairs"] and other["spearman"]["places"] == -1
    # What attention cannot see changes nothing: a constant on all tokens, another on all positions.
    shifted = column + np.where(np.arange(len(column)) < world.V, 5.0, -3.0)
    assert ordering.compared(ordering.class_means(world, 8, shifted), exact)["agree"] == same["pairs"]
    paper = ordering.printed(world, 2)
    assert paper["subject_seen"] == paper["subject_heldout"] < 0 < paper["attribute"]
    assert "subject_seen > subject_heldout" not in ordering.compared(exact, paper)["wrong"], "the paper ties them"


def test_groups_of_networks():
    def one(agree):
        part = {"agree": agree, "pairs": 10, "wrong": ["a > b"] * (agree < 10), "spearman": {"tokens": 0.5}}
        return {"shares": {"query": 0.1}, "heldout_accuracy": 0.9, "change_against": {"paper": part, "derived": part}}

    assert summed([]) == {"of": 0}
    assert summed([one(8), one(9), one(8)])["paper"]["followed"]
    assert not summed([one(5), one(6), one(5)])["paper"]["followed"]
    assert not summed([one(10)])["paper"]["followed"], "one network has no interval"
    assert summed([one(8), one(9), one(10)])["derived"]["mostly_wrong"] == ["a > b"]


def test_what_counts_as_recovered(tiny):
    full, short = Accuracy(100, 100, False), Accuracy(99, 100, False)
    assert recovery.perfect({"seen": full, "heldout": full}) and not recovery.perfect({"seen": full, "heldout": short})
    drawn = Accuracy(1000, 1000, True)
    assert recovery.lower(drawn) == pytest.approx(0.025 ** (1 / 1000)) and recovery.perfect({"seen": drawn})
    assert not recovery.perfect({"seen": Accuracy(100, 100, True)}), "too few drawn to know"
    exact, sampled = tiny["parts"]["recovery"]["worlds"]
    assert exact["accuracies"] == "exact" and sampled["accuracies"] == "sampled, 16 sequences"
    for found in (exact, sampled):
        for course in found["courses"]:
            assert [one["step"] for one in course["course"]] == [0, 1, 2, 3, 4]
            assert sum(course["relation_shares"].values()) == pytest.approx(1, abs=1e-5)


def test_the_theorem_holds_where_it_should():
    # Two steps answer everything here (large M_ft / U), so that a world in which they fail is one indeed.
    part = settings.Recovery(settings.WorldSize(24, 3, 4, 12, 2, seed=1), (10.0,), (1.0,), (1.0,), 1, None, 0, (0,))
    assert recovery.theorem(part.world.config().build(), part)["perfect"]
    failing = replace(part, world=settings.SMALL)
    assert not recovery.theorem(settings.SMALL.config().build(), failing)["perfect"]


def test_counts_of_misses(monkeypatch):
    part = settings.plan("tiny").enumeration
    found = enumeration(part)
    assert found["misses"] <= found["allowed"] == 2 and found["verdict"] == "agrees"
    assert {row["total"] for row in found["rows"]} == {3 * 6**3, 3 * 6 * 12**2}
    from verify.against import enumeration as module

    monkeypatch.setattr(module, "SAMPLING", 1 << 30)
    real = module.icl_counts

    def shifted(model, sampler, size=None, **rest):
        counts = real(model, sampler, size, **rest)
        if size is not None:
            return counts
        return replace(counts, right={name: counts.total for name in counts.right})

    monkeypatch.setattr(module, "icl_counts", shifted)
    assert module.enumeration(part)["verdict"] == "disagrees"


def test_the_command_line(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "check", lambda *_: tiny)
    made = tmp_path / "out.json"
    status = command.main(["--json", str(made), "--plot", str(tmp_path)])
    assert status == (1 if tiny["problems"] else 0) and json.loads(made.read_text())["preset"] == "tiny"
    capsys.readouterr()
    for wrong in (["--plot", str(tmp_path / "none")], ["--json", str(tmp_path)]):
        assert command.main(wrong) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(SystemExit) as stopped:
        command.main(["--only", "everything"])
    assert stopped.value.code == 2

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "check", interrupted)
    assert command.main([]) == 130
    with pytest.raises(ValueError, match="parts must be among"):
        monkeypatch.undo()
        command.check("tiny", ("nothing",))
    with pytest.raises(ValueError, match="preset must be one of"):
        settings.plan("large")


def test_threads_are_put_back(tiny):
    del tiny
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    command.check("tiny", ("convergence",))
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
