"""The 2-layer network's benchmark: documented JSON, the same network and sequences on both sides, exit status."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch

from numerics.corpus import CorpusConfig, PTSampler
from numerics.gpt import ModelConfig, RunConfig, build
from numerics.gpt.loss import mean_loss, sequences
from numerics.training import PhaseConfig
from verify.bench import __main__ as command
from verify.bench import gpt
from verify.bench.mingpt import PlainGPT, PlainSampler

torch.set_num_threads(1)
SCHEMA = Path(command.__file__).resolve().parents[1] / "schema" / "bench-gpt.schema.json"
CONFIG = RunConfig(
    CorpusConfig(M=8, L=2, U=(8, 4), G=3, pool=10, div=None),
    ModelConfig(d=8, n_heads=2),
    S=4,
    n_tr=3,
    pretraining=PhaseConfig(10, batch=4),
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(gpt, "settings", lambda preset: (CONFIG, 2))
    monkeypatch.setattr(gpt, "rates", lambda device: (dict.fromkeys(gpt.PRECISIONS[device], 1e10), 1e10))


def test_the_command_line(tmp_path, capsys):
    made, picture = tmp_path / "bench.json", tmp_path / "bench.png"
    before = torch.get_float32_matmul_precision()
    arguments = ["gpt", "--preset", "quick", "--device", "cpu", "--json", str(made), "--plot", str(picture)]
    assert command.main(arguments) == 0
    record, schema = json.loads(made.read_text()), json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(record)
    assert picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size < 300_000
    names = [one["form"] for one in record["forms"]]
    assert names == ["plain, float32", "ours, float32", "plain, bfloat16", "ours, bfloat16"]
    for one in record["forms"]:
        assert len(one["all_ms"]) == 2
        assert one["processor_ms"] > 0
        plain = record["forms"][names.index(f"plain, {one['precision']}")]
        ratios = [a / b for a, b in zip(plain["all_ms"], one["all_ms"], strict=True)]
        assert one["times_faster_than_plain"] == pytest.approx([sum(ratios) / 2, min(ratios), max(ratios)])
        assert one["pretraining_seconds"] == pytest.approx(one["median_ms"] / 100)
        assert one["operations_ms"] == pytest.approx(record["multiply_adds"] / 1e7)
        assert one["bytes_ms"] == pytest.approx(record["bytes_moved"][one["precision"]] / 1e7)
        assert one["ready"] is False and one["times_faster_than_ready"] is None
    assert torch.get_float32_matmul_precision() == before
    assert "ours, float32" in capsys.readouterr().out


def test_what_is_timed_on_each_device():
    cpu, cuda = gpt.forms("cpu"), gpt.forms("cuda")
    assert not any(form.compiled or form.ready for form in cpu)
    assert len({form.name for form in cuda}) == len(cuda) == 12
    for precision in gpt.PRECISIONS["cuda"]:
        own = [(form.ours, form.compiled, form.ready) for form in cuda if form.precision == precision]
        assert sorted(own) == sorted(
            [(False, False, False), (True, False, False), (False, False, True), (True, True, False)]
        )
    assert gpt.Form(False, "tf32", ready=True).name == "plain, tf32, ready"


def test_ratios_to_the_plain_loop_and_to_the_one_on_ready_sequences():
    times = {
        gpt.Form(False, "tf32"): (9.0, 8.0),
        gpt.Form(False, "tf32", ready=True): (6.0, 4.0),
        gpt.Form(True, "tf32"): (3.0, 2.0),
        gpt.Form(True, "float32"): (1.0, 1.0),
    }
    ms = {form: gpt.Timed(rounds, None) for form, rounds in times.items()}
    moved = {"tf32": 4, "float32": 4}
    none = {form: 1.0 for form in ms}
    result = gpt.Result(
        "paper", "cuda", 1, CONFIG, ms, {}, {}, none, 1, moved, dict.fromkeys(moved, 1.0), 1.0, 0.0, 1.0, ()
    )
    own = gpt.Form(True, "tf32")
    assert result.speedup(own).median == 3.5 and result.speedup(own, True).median == 2.0
    assert result.speedup(gpt.Form(True, "float32")) is None
    assert result.speedup(gpt.Form(False, "tf32")).median == 1


def test_bytes_halve_in_bfloat16_but_for_the_weights():
    numbers = 18 * CONFIG.model.n_layers * 4 * CONFIG.pretraining_T * 8
    assert gpt.bytes_moved(CONFIG, 100, "float32") == gpt.bytes_moved(CONFIG, 100, "tf32") == 2800 + 4 * numbers
    assert gpt.bytes_moved(CONFIG, 100, "bfloat16") == 2800 + 2 * numbers


def test_networks_that_differ_fail(monkeypatch):
    monkeypatch.setattr(gpt, "difference", lambda *a: 0.1)
    assert command.main(["gpt", "--quick", "--device", "cpu"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["training", "--preset", "quick"], "--preset quick: is for gpt; training has --quick"),
        (["gpt", "--preset", "paper", "--quick"], "--preset paper: contradicts --quick"),
    ],
)
def test_unusable_options(arguments, message, capsys):
    assert command.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_the_plain_network_is_the_same():
    corpus = CONFIG.corpus.build()
    model = build(CONFIG, corpus=corpus).double()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(10).add_(0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)).double())
    plain = PlainGPT(model)
    batch = PTSampler(corpus, CONFIG.S, CONFIG.n_tr).draw(5)
    logits, loss = plain(batch.tokens, batch.following)
    torch.testing.assert_close(logits, model(batch.tokens), rtol=0, atol=1e-10)
    ours = mean_loss(model, sequences(batch.tokens, batch.following))
    torch.testing.assert_close(loss, ours, rtol=0, atol=1e-12)
    loss.backward()
    ours.backward()
    for one, two in (
        (plain.wte.weight, model.token),
        (plain.wpe.weight, model.position),
        (plain.ln_f.bias, model.norm.bias),
    ):
        torch.testing.assert_close(one.grad, two.grad[: len(one)], rtol=0, atol=1e-10)
    assert gpt.difference(CONFIG, corpus, "cpu") < gpt.SAME
    with pytest.raises(ValueError, match="like must be a tied network"):
        PlainGPT(ModelConfig(d=8, tied=False).build(5, 4))


def test_the_plain_sequences_have_the_same_law():
    # Structure exactly; chains by the share of each bigram, within 5 standard deviations.
    corpus, S, n = CONFIG.corpus.build(), 6, 3
    sampler = PlainSampler(corpus, S, n, 0.3, 0)
    bigrams, generic, drawn = Counter(), 0, 1500
    for _ in range(drawn):
        parts = np.array([*sampler.sequence(), corpus.sep]).reshape(n, S + 3)
        assert (parts[:, -1] == corpus.sep).all()
        subjects = {int(row[0]) for row in parts if row[0] < corpus.M}
        assert len(subjects) <= 1
        for row in parts:
            chain, tokens = corpus.L, row[:-1]
            if row[0] < corpus.M:
                chain, tokens = int(corpus.type_of_token[row[S + 1]]), row[1 : S + 1]
                assert row[S + 1] == corpus.attribute_token[row[0], chain]
            generic += chain == corpus.L
            grammar = tokens - corpus.first_grammar
            assert ((grammar >= 0) & (grammar < corpus.G)).all()
            bigrams.update((chain, int(a), int(b)) for a, b in pairwise(grammar))
    assert abs(generic / (n * drawn) - 0.3) < 5 * (0.21 / (n * drawn)) ** 0.5
    for chain, matrix in enumerate([*corpus.transitions, corpus.grammar_only]):
        for a in range(corpus.G):
            total = sum(bigrams[chain, a, b] for b in range(corpus.G))
            for b in range(corpus.G):
                p = matrix[a, b]
                assert abs(bigrams[chain, a, b] / total - p) < 5 * (p * (1 - p) / total) ** 0.5 + 1e-3
    tokens, following = sampler.batch(4, "cpu")
    assert tokens.shape == following.shape == (4, PTSampler(corpus, S, n).T)
    assert torch.equal(tokens[:, 1:], following[:, :-1])


def test_multiply_adds_by_counting():
    # One matrix product after the other, forward; the gradient has two for each.
    model = build(CONFIG)
    B, T, d, V = 4, CONFIG.pretraining_T, 8, model.V
    linear = sum(w.numel() for name, w in model.named_parameters() if w.ndim == 2 and name.startswith("blocks"))
    seen = sum(t + 1 for t in range(T))
    forward = B * (T * (linear + V * d) + 2 * 2 * seen * d)
    assert gpt.multiply_adds(CONFIG, V) == 3 * forward


def test_the_committed_record_and_what_the_readme_says_of_it():
    root = Path(command.__file__).resolve().parents[2]
    record = json.loads((root / "results" / "bench" / "gpt_cpu.json").read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(record)
    assert record["setting"]["preset"] == "paper" and record["setting"]["device"] == "cpu" and record["problems"] == []
    assert not record["revision"].endswith("-dirty")
    ours = {one["precision"]: one for one in record["forms"] if one["ours"]}
    told = " ".join((root / "README.md").read_text().split())
    single, half = ours["float32"], ours["bfloat16"]
    assert f"{single['median_ms'] / 1000:.1f} s in float32 and {half['median_ms'] / 1000:.1f} s in bfloat16" in told
    ratios = [f"{one['times_faster_than_plain'][0]:.2f}" for one in (single, half)]
    assert f"{ratios[0]} and {ratios[1]} times as fast as the plain loop" in told
    floors = [f"{one['times_the_floor']:.2f}" for one in (single, half)]
    assert f"{floors[0]} and {floors[1]} times the floor" in told
