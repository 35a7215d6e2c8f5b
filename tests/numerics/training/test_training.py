import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pytest
import torch

from numerics.training import (
    ModelConfig,
    PhaseConfig,
    RunConfig,
    WorldConfig,
    from_json,
    pretrain_and_finetune,
    to_json,
)
from numerics.training.checkpoint import read_checkpoint
from numerics.training.files import read_metrics
from numerics.training.loop import learning_rate

torch.set_num_threads(1)

TINY = RunConfig(
    world=WorldConfig(M=8, L=2, U=4, M_ft=4, n_grammar=2),
    model=ModelConfig(n_heads=2, d_h=8),
    S=3,
    n_tr=2,
    n_demos=2,
    pretraining=PhaseConfig(
        23, batch=8, log_every=4, evaluate_every=6, evaluate_size=16, checkpoint_every=5, snapshots=(7,)
    ),
    finetuning=PhaseConfig(
        11, batch=8, schedule="constant", seed=1, log_every=3, evaluate_every=4, evaluate_size=16, checkpoint_every=4
    ),
)
FILES = ("pretraining/metrics.jsonl", "finetuning/metrics.jsonl")


class Killed(Exception):
    pass


def run(config, folder, **arguments):
    return pretrain_and_finetune(config, folder, final_size=32, **arguments)


def same(one, two) -> bool:
    """Bit for bit: weights, moments and generator of both phases, snapshots, and every byte of the metrics."""
    for name in ("pretraining/checkpoint", "finetuning/checkpoint", "pretraining/weights_000007"):
        left, right = (read_checkpoint(folder / f"{name}.safetensors").tensors for folder in (one, two))
        if set(left) != set(right) or not all(torch.equal(left[key], right[key]) for key in left):
            return False
    return all((one / name).read_bytes() == (two / name).read_bytes() for name in FILES)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    run(TINY, folder)
    return folder


@pytest.mark.parametrize("stops", [(1,), (5,), (6, 14), (23,), (24,), (29, 33), (34,), tuple(range(1, 35, 3))])
def test_a_stopped_run_goes_on_bit_for_bit(uninterrupted, tmp_path, stops):
    # Iterations are counted over both phases; the run stops right after the step of each of them.
    for stop in stops:

        def stop_there(step, stop=stop):
            if step.step + (23 if step.phase == "finetuning" else 0) == stop:
                raise Killed

        with pytest.raises(Killed):
            run(TINY, tmp_path, callbacks=[stop_there])
    run(TINY, tmp_path)
    assert same(uninterrupted, tmp_path)


@pytest.mark.parametrize("write", range(1, 23, 3))
def test_a_run_that_dies_while_writing_goes_on_bit_for_bit(uninterrupted, tmp_path, write, monkeypatch):
    # A run writes 22 files.  Dies inside the n-th write, after half of its bytes, before it takes its name.
    count, replace_file = 0, os.replace

    def dies(source, target):
        nonlocal count
        count += 1
        if count == write:
            with open(source, "r+b") as file:
                file.truncate(os.path.getsize(source) // 2)
            raise Killed
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(Killed):
        run(TINY, tmp_path)
    monkeypatch.undo()
    # What was written after the last checkpoint, half a line included, is cut off.
    for name in FILES:
        if (tmp_path / name).exists():
            with open(tmp_path / name, "ab") as file:
                file.write(b'{"step": 99, "lo')
    run(TINY, tmp_path)
    assert same(uninterrupted, tmp_path)


@pytest.mark.long
def test_a_killed_process_goes_on_bit_for_bit(tmp_path):
    long = replace(TINY, pretraining=replace(TINY.pretraining, iterations=600, checkpoint_every=20))
    (tmp_path / "config").write_text(json.dumps(to_json(long)))
    script = textwrap.dedent(
        """
        import json, sys, torch
        from numerics.training import RunConfig, from_json, pretrain_and_finetune
        torch.set_num_threads(1)
        pretrain_and_finetune(from_json(RunConfig, json.load(open(sys.argv[1]))), sys.argv[2], final_size=32)
        """
    )
    command = [sys.executable, "-c", script, str(tmp_path / "config")]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, str(whole)], check=True)
    kills = 0
    for attempt in range(12):
        process = subprocess.Popen([*command, str(killed)])
        # Wait until it trains, then kill it a little later each time.
        before = (killed / "pretraining/checkpoint.json").stat().st_mtime if attempt else 0
        while process.poll() is None:
            path = killed / "pretraining/checkpoint.json"
            if path.exists() and path.stat().st_mtime != before:
                break
            time.sleep(0.01)
        time.sleep(0.013 * attempt)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert kills > 3
    subprocess.run([*command, str(killed)], check=True)
    assert same(whole, killed)


def test_what_a_run_leaves(uninterrupted):
    records = read_metrics(uninterrupted / "pretraining/metrics.jsonl")
    assert [r["step"] for r in records if "loss" in r] == [1, 4, 8, 12, 16, 20, 23]
    assert [r["step"] for r in records if "evaluation" in r] == [6, 12, 18, 23]
    assert {"pt_exact", "icl_seen_type", "icl_heldout_attribute", "n"} <= set(records[-1]["evaluation"])
    sidecar = json.loads((uninterrupted / "pretraining/checkpoint.json").read_text())
    assert sidecar["step"] == 23
    assert sidecar["identity"] == to_json(TINY)
    assert set(sidecar["versions"]) == {"python", "torch", "numpy", "safetensors"}
    assert sidecar["revision"]
    assert not list(uninterrupted.rglob("*.partial"))
    summary = json.loads((uninterrupted / "summary.json").read_text())
    final = summary["finetuning"]["accuracies"]["icl_heldout"]
    assert final["total"] == 32
    assert final["interval"]["exact"][0] <= final["accuracy"]["exact"] <= final["interval"]["exact"][1]
    assert final["trivial"]["chance"] == 1 / 8


def test_a_finished_run_is_read_and_another_refused(uninterrupted):
    seen = []
    again = run(TINY, uninterrupted, progress=seen.append)
    assert not seen
    assert (
        again.model.key == read_checkpoint(uninterrupted / "finetuning/checkpoint.safetensors").tensors["model.key"]
    ).all()
    with pytest.raises(ValueError, match=r"out_dir must be new or hold the same run.*another configuration"):
        run(replace(TINY, n_demos=3), uninterrupted)
    with pytest.raises(ValueError, match="another world"):
        run(replace(TINY, world=replace(TINY.world, seed=1)), uninterrupted)


def test_finetuning_from_a_checkpoint(uninterrupted, tmp_path):
    # The same finetuning from the file of the pretraining is the same run.
    run(TINY, tmp_path, pretrained=uninterrupted / "pretraining/checkpoint.safetensors")
    assert not (tmp_path / "pretraining").exists()
    left, right = (read_checkpoint(f / "finetuning/checkpoint.safetensors").tensors for f in (uninterrupted, tmp_path))
    assert all(torch.equal(left[key], right[key]) for key in left)
    other = replace(TINY, model=replace(TINY.model, d_h=9))
    with pytest.raises(ValueError, match="checkpoint must hold weights of shapes"):
        run(other, tmp_path / "other", pretrained=uninterrupted / "pretraining/checkpoint.safetensors")


def test_missing_metrics_are_noticed(uninterrupted, tmp_path):
    with pytest.raises(Killed):
        run(TINY, tmp_path, callbacks=[lambda step: (_ for _ in ()).throw(Killed) if step.step == 12 else None])
    (tmp_path / "pretraining/metrics.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"metrics.jsonl must be at least \d+ bytes long"):
        run(TINY, tmp_path)


@pytest.mark.parametrize("engine", ["gathers", "dense"])
def test_engines_train_alike(uninterrupted, tmp_path, engine):
    # Float64, so that a difference in rounding stays below what AdamW makes of it in a few steps.
    ends = []
    for number, name in enumerate((engine, "distinct")):
        config = replace(TINY, engine=name, dtype="float64")
        ends.append(run(config, tmp_path / str(number)).model)
    for one, two in zip(ends[0].parameters(), ends[1].parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-8)


def test_training_recalls_facts(tmp_path):
    # A world small enough for seconds; far above every trivial predictor on held-out draws of PT sequences.
    config = RunConfig(
        world=WorldConfig(M=8, L=2, U=4, M_ft=4, n_grammar=2),
        model=ModelConfig(d_h=16, std=0.1),
        S=2,
        n_tr=2,
        pretraining=PhaseConfig(500, batch=32, lr=1e-2, evaluate_every=500, checkpoint_every=500),
        finetuning=PhaseConfig(0),
    )
    found = pretrain_and_finetune(config, tmp_path).summary["pretraining"]["accuracies"]["pt"]
    assert found["trivial"]["majority"] < 0.2
    assert found["interval"]["exact"][0] > 0.95


def test_learning_rates():
    cosine, constant = PhaseConfig(10, lr=2.0), PhaseConfig(10, lr=2.0, schedule="constant")
    assert learning_rate(cosine, 0) == 2.0
    assert abs(learning_rate(cosine, 5) - 1.0) < 1e-15
    assert 0 < learning_rate(cosine, 9) < 0.05
    assert {learning_rate(constant, step) for step in range(10)} == {2.0}


def test_config_to_json_and_back():
    config = replace(TINY, world=WorldConfig(U=(256, 32, 32, 32, 32, 32, 32, 32), assignment="random"))
    assert from_json(RunConfig, json.loads(json.dumps(to_json(config)))) == config
    assert from_json(RunConfig, {}) == RunConfig()
    assert from_json(RunConfig, {"pretraining": {"lr": 1}}).pretraining.lr == 1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": 1}, "config must have keys among .*, got x"),
        ({"world": {"M": 2.5}}, r"config.world.M must be int, got 2\.5"),
        ({"world": {"U": "a"}}, "config.world.U must be int or tuple.*, got 'a'"),
        ({"world": 3}, "config.world must be an object, got 3"),
        ({"pretraining": {"batch": 0}}, "batch must be an integer >= 1, got 0"),
        ({"pretraining": {"schedule": "x"}}, "schedule must be one of 'constant', 'cosine', got 'x'"),
        ({"pretraining": {"betas": [0.9]}}, "betas must be two numbers"),
        ({"engine": "x"}, "engine must be one of"),
        ({"compile": True}, "compile must be False with engine 'distinct'"),
    ],
)
def test_config_errors(given, message):
    with pytest.raises(ValueError, match=message):
        from_json(RunConfig, given)


def test_a_file_that_is_no_checkpoint(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="checkpoint must be a safetensors file"):
        read_checkpoint(tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="does not exist"):
        read_checkpoint(tmp_path / "y.safetensors")


def test_training_needs_neither_flint_nor_latex2mathml():
    script = textwrap.dedent(
        """
        import sys
        class Refuses:
            def find_spec(self, name, *rest):
                if name.split(".")[0] in ("flint", "latex2mathml", "sympy"):
                    raise ImportError(name)
        sys.meta_path.insert(0, Refuses())
        import numerics.training.run, numerics.training.attention, numerics.training.bench_model
        """
    )
    subprocess.run([sys.executable, "-c", script], check=True)
