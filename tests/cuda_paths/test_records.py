"""The findings and figures of trained networks, and the benchmark's loops, on the device."""

import math

import pytest
import torch

from verify import fig13
from verify.bench import gpt as bench
from verify.diversity import command as diversity
from verify.findings import command as findings
from verify.findings.findings import finding
from verify.representations import command as representations

# A run's name (`run`, `scratch_run`, …) is a hash of its setting, the device's name among it.
ABOUT = {"seconds", "device", "processor", "run", "versions", "revision"}


def differences(one, two, place=""):
    """Where two records differ by more than rounding can explain in six steps of training."""
    if isinstance(one, dict):
        for key in one.keys() | two.keys():
            if key not in ABOUT and not key.endswith("_run"):
                yield from differences(one.get(key), two.get(key), f"{place}/{key}")
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, pair in enumerate(zip(one, two, strict=True)):
            yield from differences(*pair, f"{place}/{number}")
    elif isinstance(one, float) and isinstance(two, float):
        if not math.isclose(one, two, rel_tol=1e-3, abs_tol=1e-3):
            yield place, one, two
    elif one != two:
        yield place, one, two


def both(make):
    one, two = make("cpu"), make("cuda")
    assert two["device"] in ("cuda", "cuda (pretended)")
    return list(differences(one, two))


# Findings 2 and 4 train and measure as 3 and Fig. 5 do.
@pytest.mark.parametrize("name", ["finding1", "finding3", "fig5"])
def test_findings(tmp_path, cuda, name):
    assert both(lambda d: findings.run(finding(name), "tiny", 1, findings.Options(tmp_path / d, 1, d))) == []


def test_finding5(tmp_path, cuda):
    assert both(lambda d: representations.run("tiny", 1, representations.Options(tmp_path / d, 1, d))) == []


def test_diversity(tmp_path, cuda):
    assert both(lambda d: diversity.check(fig13.FIGURE, "tiny", device=d, runs=tmp_path / d, seeds=1)) == []


def test_the_benchmarks_loops(cuda):
    config, _ = bench.settings("quick")
    corpus = config.corpus.build()
    for ours in (False, True):
        bench.job(bench.Form(ours, "float32"), config, corpus, "cuda", 2)()
    # One wait ends a block; the plain loop, which samples on the CPU, may wait in between.
    cuda.clear()
    bench.job(bench.Form(True, "float32"), config, corpus, "cuda", 2)()
    assert cuda == ["synchronize"]
    assert bench.difference(config, corpus, "cuda") <= bench.SAME
    assert torch.get_float32_matmul_precision() == "highest"


def test_the_plain_loop_on_ready_sequences_draws_none(cuda, monkeypatch):
    """As many sequences as wait are drawn before the first iteration, and none in it; without `ready` a batch an iteration."""
    config, _ = bench.settings("quick")
    corpus, drawn = config.corpus.build(), []
    batch = bench.PlainSampler.batch
    monkeypatch.setattr(
        bench.PlainSampler, "batch", lambda own, size, device: drawn.append(size) or batch(own, size, device)
    )
    monkeypatch.setattr(bench, "READY", 2)
    for ready, before, after in ((True, 2, 2), (False, 0, 3)):
        drawn.clear()
        work = bench.job(bench.Form(False, "float32", ready=ready), config, corpus, "cuda", 3)
        assert len(drawn) == before
        work()
        assert len(drawn) == after and set(drawn) == {config.pretraining.batch}
