"""Runs: resumable bit for bit, what they leave, what they refuse, and that a network learns what the objective asks."""

import json
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
import torch

from numerics.corpus import CorpusConfig, ICLSampler
from numerics.gpt import ModelConfig, RunConfig, accuracies, build, finetune, load, pretrain, run, trivial
from numerics.gpt.evaluate import EVALUATION
from numerics.training import PhaseConfig
from numerics.training.checkpoint import read_checkpoint
from numerics.training.files import read_metrics

torch.set_num_threads(1)


class Killed(Exception):
    pass


def both(config, folder, kind="icl+grm", **arguments):
    pretrain(config, folder / "pt", **arguments)
    return finetune(config, folder / "ft", folder / "pt", kind, **arguments)


def same(one, two) -> bool:
    """Bit for bit: weights, moments and generator of both phases, the snapshot, and every byte of the metrics."""
    for name in ("pt/checkpoint", "ft/checkpoint", "pt/weights_000007"):
        left, right = (read_checkpoint(folder / f"{name}.safetensors").tensors for folder in (one, two))
        if set(left) != set(right) or not all(torch.equal(left[key], right[key]) for key in left):
            return False
    return all((one / n).read_bytes() == (two / n).read_bytes() for n in ("pt/metrics.jsonl", "ft/metrics.jsonl"))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("whole")
    both(tiny, folder)
    return folder


@pytest.mark.parametrize("stops", [(1,), (5,), (6, 14), (17,), (18,), (22, 25), tuple(range(1, 26, 3))])
def test_a_stopped_run_goes_on_bit_for_bit(uninterrupted, tmp_path, tiny, stops):
    # Iterations are counted over both phases; the run stops right after the step of each of them.
    for stop in stops:

        def stop_there(step, stop=stop):
            if step.step + (17 if step.phase == "finetuning" else 0) == stop:
                raise Killed

        with pytest.raises(Killed):
            both(tiny, tmp_path, callbacks=[stop_there])
    both(tiny, tmp_path)
    assert same(uninterrupted, tmp_path)


def test_what_a_run_leaves(uninterrupted, tiny):
    records = read_metrics(uninterrupted / "pt/metrics.jsonl")
    assert [r["step"] for r in records if "loss" in r] == [1, 4, 8, 12, 16, 17]
    assert [r["step"] for r in records if "evaluation" in r] == [6, 12, 17]
    last = records[-1]["evaluation"]
    assert set(last) == {"pt", "icl_seen", "icl_heldout", "grm_seen", "grm_heldout"}
    assert all(set(found) == {"exact", "type", "subject", "attribute", "ties", "total"} for found in last.values())
    assert all(found["total"] == 16 for found in last.values())
    model = load(uninterrupted / "pt")
    assert accuracies(model, tiny.corpus.build(), tiny, 16, tiny.pretraining.seed) == last
    sidecar = json.loads((uninterrupted / "ft/checkpoint.json").read_text())
    assert sidecar["step"] == 9
    assert sidecar["identity"]["kind"] == "icl+grm"
    assert sidecar["identity"]["subjects"] == [0, 1, 2, 3]
    weights = load(uninterrupted / "pt/weights_000007.safetensors").state_dict()
    assert not torch.equal(weights["token"], model.state_dict()["token"])


def test_progress(tmp_path, tiny):
    seen = []
    pretrain(tiny, tmp_path, progress=seen.append)
    assert [one.step for one in seen] == [1, 4, 8, 12, 16, 17]
    assert {"batch", "pt_exact", "icl_heldout_type"} <= set(seen[-1].accuracies)
    assert all(isinstance(value, float) for value in seen[-1].accuracies.values())


def test_what_only_watches_is_no_other_run(uninterrupted, tiny):
    seen = []
    watched = replace(tiny, n_demos=2, pretraining=replace(tiny.pretraining, evaluate_every=3), context="all")
    found = pretrain(watched, uninterrupted / "pt", progress=seen.append)
    assert not seen
    assert torch.equal(found.token, load(uninterrupted / "pt").token)


@pytest.mark.parametrize(
    "changes",
    [
        {"p_G": 0.3},
        {"model": ModelConfig(d=8, seed=1)},
        {"loss": "last"},
        {"corpus": {"seed": 1}},
        {"autocast": "bfloat16"},
    ],
)
def test_another_run_is_refused(uninterrupted, tiny, changes):
    if isinstance(changes.get("corpus"), dict):
        changes = {"corpus": replace(tiny.corpus, **changes["corpus"])}
    with pytest.raises(ValueError, match=r"folder must be new or hold the same run"):
        pretrain(replace(tiny, **changes), uninterrupted / "pt")


def test_finetuning_starts_where_it_is_told(uninterrupted, tmp_path, tiny):
    still = replace(tiny, finetuning=replace(tiny.finetuning, iterations=1, lr=1e-30, weight_decay=0.0))
    begun = load(uninterrupted / "pt").state_dict()
    for start in (uninterrupted / "pt", uninterrupted / "pt/checkpoint.safetensors"):
        found = finetune(still, tmp_path / start.name, start, "icl").state_dict()
        assert all((found[name] - begun[name]).abs().max() < 1e-20 for name in begun)
    fresh, drawn = finetune(still, tmp_path / "fresh", None, "icl").state_dict(), build(tiny).state_dict()
    assert all((fresh[name] - drawn[name]).abs().max() < 1e-20 for name in drawn)
    early = finetune(still, tmp_path / "early", uninterrupted / "pt/weights_000007.safetensors").state_dict()
    assert not torch.equal(early["token"], begun["token"])
    with pytest.raises(ValueError, match="folder must be new or hold the same run"):
        finetune(still, tmp_path / "fresh", uninterrupted / "pt", "icl")


def test_finetuning_subjects(uninterrupted, tmp_path, tiny):
    queries = set()

    def watch(step):
        queries.update(step.tokens[step.tokens < 8].tolist())

    finetune(tiny, tmp_path / "some", uninterrupted / "pt", "icl", subjects=(2, 7), callbacks=[watch])
    assert queries - {-100} == {2, 7}
    with pytest.raises(ValueError, match="same run"):
        finetune(tiny, tmp_path / "some", uninterrupted / "pt", "icl")


@pytest.mark.parametrize(("kind", "lengths"), [("icl", {0}), ("icl+grm", {1, 2})])
def test_finetuning_draws_every_grammar_length(uninterrupted, tmp_path, tiny, kind, lengths):
    # subject, S_ft grammar tokens, attribute, [sep]: the first [sep] tells the length.
    found = set()

    def watch(step):
        found.update(((step.tokens == tiny.corpus.build().sep).int().argmax(1) - 2).tolist())

    finetune(tiny, tmp_path, uninterrupted / "pt", kind, callbacks=[watch])
    assert found == lengths


def test_what_finetuning_refuses(uninterrupted, tmp_path, tiny):
    with pytest.raises(ValueError, match=r"kind must be one of 'icl', 'icl\+grm', got 'pt'"):
        finetune(tiny, tmp_path, uninterrupted / "pt", "pt")
    other = replace(tiny, corpus=replace(tiny.corpus, seed=1))
    with pytest.raises(ValueError, match="pretrained must be of the same facts and chains"):
        finetune(other, tmp_path, uninterrupted / "pt")
    wide = replace(tiny, model=ModelConfig(d=16))
    with pytest.raises(ValueError, match=r"pretrained must be a network with d = 16, got .* with d = 8"):
        finetune(wide, tmp_path, uninterrupted / "pt")
    # Of the same shapes.
    for changes, words in (({"gelu": "tanh"}, "gelu = 'tanh'"), ({"n_heads": 2}, "n_heads = 2")):
        other = replace(tiny, model=replace(tiny.model, **changes))
        with pytest.raises(ValueError, match=f"pretrained must be a network with {words}, got"):
            finetune(other, tmp_path, uninterrupted / "pt")
    with pytest.raises(ValueError, match="does not exist"):
        finetune(tiny, tmp_path, tmp_path / "nothing")


def test_a_tied_network_is_untied(uninterrupted, tmp_path, tiny):
    loose = replace(tiny, model=replace(tiny.model, tied=False))
    still = replace(loose, finetuning=replace(tiny.finetuning, iterations=1, lr=1e-30, weight_decay=0.0))
    begun = load(uninterrupted / "pt").state_dict()
    found = finetune(still, tmp_path / "still", uninterrupted / "pt", "icl").state_dict()
    assert set(found) - set(begun) == {"unembedding"}
    assert all((found[name] - begun["token" if name == "unembedding" else name]).abs().max() < 1e-20 for name in found)
    tuned = finetune(loose, tmp_path / "tuned", uninterrupted / "pt", "icl").state_dict()
    assert not torch.equal(tuned["token"], tuned["unembedding"])
    assert torch.equal(load(tmp_path / "tuned").state_dict()["unembedding"], tuned["unembedding"])
    # The other way there is no telling which of the two it would be.
    pretrain(loose, tmp_path / "loose")
    with pytest.raises(ValueError, match=r"pretrained must be a network with tied = True, got .* with tied = False"):
        finetune(tiny, tmp_path / "no", tmp_path / "loose")
    # Its own unembedding is kept.
    own = finetune(still, tmp_path / "own", tmp_path / "loose", "icl").state_dict()
    assert (own["unembedding"] - load(tmp_path / "loose").state_dict()["unembedding"]).abs().max() < 1e-20


def test_an_unfinished_pretraining_is_refused_and_a_snapshot_is_not(tmp_path, tiny):
    def stop_there(step):
        if step.step == 16:
            raise Killed

    with pytest.raises(Killed):
        pretrain(tiny, tmp_path / "pt", callbacks=[stop_there])
    with pytest.raises(ValueError, match=r"pretrained must be finished, got .* after \d+ of 17 iterations"):
        finetune(tiny, tmp_path / "ft", tmp_path / "pt")
    finetune(tiny, tmp_path / "ft", tmp_path / "pt" / "weights_000007.safetensors")


def test_streams_that_must_not_meet_do_not():
    """The generator of the CPU keeps 32 bits of a seed."""
    corpus = CorpusConfig(M=8, L=2, U=4, M_ft=4, G=4, pool=50, div=0.3).build()
    first, other = (ICLSampler(corpus, 2, seed=s).draw(64).tokens for s in (3, EVALUATION + 3))
    assert not torch.equal(first, other)


def test_a_network_learns_the_facts(tmp_path):
    # Far above every predictor that knows no fact on fresh PT sequences; on seen ICL queries after finetuning from nothing.
    config = RunConfig(
        corpus=CorpusConfig(M=8, L=2, U=8, M_ft=4, G=2, pool=50, div=0.5),
        model=ModelConfig(d=32, std=0.1),
        S=6,
        n_tr=2,
        p_G=0.0,
        n_demos=2,
        S_ft=(1,),
        pretraining=PhaseConfig(300, batch=32, lr=1e-2, evaluate_every=300, checkpoint_every=300),
        finetuning=PhaseConfig(80, batch=32, lr=1e-2, seed=1, evaluate_every=80, checkpoint_every=80),
    )
    corpus = config.corpus.build()
    found = accuracies(pretrain(config, tmp_path / "pt"), corpus, config, 512, 5)["pt"]
    base = trivial(corpus, config, 512, 5)["pt"]
    assert max(found["exact"] for found in base.values()) < 0.7
    assert found["exact"] > 0.9
    tuned = accuracies(finetune(config, tmp_path / "ft", None, "icl"), corpus, config, 512, 5)
    assert tuned["icl_seen"]["exact"] > 0.9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p_G": 1.0}, r"p_G must be in \[0, 1\) for an attribute to predict, got 1\.0"),
        ({"S_ft": ()}, r"S_ft must hold at least one length"),
        ({"S_ft": 3}, "S_ft must be"),
        ({"S_ft": (0,)}, "S_ft must be an integer >= 1, got 0"),
        ({"loss": "x"}, "loss must be one of 'all', 'last'"),
        ({"context": "x"}, "context must be one of 'query', 'finetune', 'heldout', 'all'"),
        ({"autocast": "float16"}, "autocast must be one of 'none', 'bfloat16'"),
        ({"dtype": "x"}, "dtype must be one of"),
        ({"corpus": 3}, "config.corpus must be an object with keys among M, .*, got 3"),
        ({"corpus": {"x": 3}}, "config.corpus must be an object with keys among M, "),
        ({"x": 3}, "config must have keys among .*, got x"),
    ],
)
def test_config_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        RunConfig.from_json(changes)


def test_config_to_json_and_back(tiny):
    for config in (tiny, RunConfig()):
        assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_positions():
    # The paper's sizes: every finetuning position is pretrained; at S = 20 four of ICL+Grm's are not.
    assert (RunConfig().T, RunConfig().untrained) == (413, 0)
    assert (RunConfig(S=20, S_ft=(1, 2, 3, 4)).T, RunConfig(S=20, S_ft=(1, 2, 3, 4)).untrained) == (117, 4)


def test_training_needs_neither_flint_nor_latex2mathml():
    script = textwrap.dedent(
        """
        import sys
        class Refuses:
            def find_spec(self, name, *rest):
                if name.split(".")[0] in ("flint", "latex2mathml", "sympy"):
                    raise ImportError(name)
        sys.meta_path.insert(0, Refuses())
        import numerics.gpt
        """
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("tf32", [False, True])
def test_evaluations_are_never_rounded(tmp_path, tiny, tf32, monkeypatch):
    trained, evaluated = set(), set()
    accuracies, loss_for = run.accuracies, run.loss_for

    def watched(*arguments):
        loss = loss_for(*arguments)
        return lambda *a: trained.add(torch.get_float32_matmul_precision()) or loss(*a)

    monkeypatch.setattr(run, "loss_for", watched)
    monkeypatch.setattr(
        run, "accuracies", lambda *a: evaluated.add(torch.get_float32_matmul_precision()) or accuracies(*a)
    )
    pretrain(replace(tiny, tf32=tf32), tmp_path)
    assert (trained, evaluated) == ({"high" if tf32 else "highest"}, {"highest"})
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_run_on_cuda(tmp_path, tiny, compiled):
    config = replace(tiny, autocast="bfloat16", tf32=True, compile=compiled)
    pretrain(config, tmp_path / "pt", "cuda")
    finetune(config, tmp_path / "ft", tmp_path / "pt", "icl+grm", "cuda")
    assert read_metrics(tmp_path / "ft/metrics.jsonl")[-1]["evaluation"]["icl_seen"]["total"] == 16
