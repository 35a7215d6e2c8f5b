"""A precision that the processor lacks is said before hours go into it."""

import time

import pytest
import torch

from verify.findings import command, products


@pytest.fixture
def timed(monkeypatch):
    """Seconds of a product by dtype, in place of this processor's."""
    found = {torch.float32: 1.0, torch.bfloat16: 45.0}
    monkeypatch.setattr(products, "seconds_of", lambda dtype, device="cpu": found[dtype])
    return found


def test_only_what_is_slower_here_is_said(timed):
    said = products.slower("bfloat16", "cpu")
    assert said is not None and "takes 45 times as long for a product in bfloat16 as in float32" in said
    assert products.slower("float32", "cpu") is None and products.slower("bfloat16", "cuda") is None
    timed[torch.bfloat16] = 0.4
    assert products.slower("bfloat16", "cpu") is None
    timed[torch.bfloat16] = 1.004
    assert "1 times" in (products.slower("bfloat16", "cpu") or "")


def test_a_product_is_timed_in_the_type_that_is_asked_for(monkeypatch):
    seen = []
    clock = iter([0.0, 5.0, 5.0, 7.0, 7.0, 10.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    real = torch.Tensor.__matmul__
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda a, b: seen.append((a.dtype, b.dtype)) or real(a, b))
    assert products.seconds_of(torch.bfloat16) == 2.0
    assert seen == [(torch.bfloat16, torch.bfloat16)] * (1 + products.TRIALS)


@pytest.mark.parametrize(("precision", "lines"), [("bfloat16", 1), ("float32", 0)])
def test_the_command_says_it_in_one_line_and_goes_on(timed, tmp_path, capsys, monkeypatch, precision, lines):
    asked = []

    def making(shown, preset, seeds, where, progress):
        asked.append(where.precision)
        raise ValueError("seen")

    arguments = ["--device", "cpu", "--runs", str(tmp_path / "runs"), "--precision", precision]
    assert command.main("finding1", arguments, making) == 2
    said = capsys.readouterr().err.splitlines()
    assert asked == [precision] and len(said) == lines + 1
    assert said[-1] == "python -m verify.finding1: seen"
    assert all(line.startswith("python -m verify.finding1: --precision bfloat16: this processor") for line in said[:-1])
