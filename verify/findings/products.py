"""Whether a processor has products in bfloat16, found by timing one: without them --precision bfloat16 costs hours where it should save some."""

from __future__ import annotations

import time

import torch

# Rows, inner, columns: of a layer of the paper's network, on fewer tokens than a batch has, so that it takes milliseconds.
SIZE = (512, 256, 256)
TRIALS = 3


def seconds_of(dtype: torch.dtype, device: str = "cpu") -> float:
    """Of one product of matrices of SIZE, the least of TRIALS after one that is not timed."""
    rows, inner, columns = SIZE
    left, right = (
        torch.ones(rows, inner, dtype=dtype, device=device),
        torch.ones(inner, columns, dtype=dtype, device=device),
    )
    _ = left @ right
    found = []
    for _ in range(TRIALS):
        begun = time.perf_counter()
        _ = left @ right
        found.append(time.perf_counter() - begun)
    return min(found)


def slower(precision: str, device: str) -> str | None:
    """What is to be said before networks are trained in a precision that makes it slower; None where it does not, and on CUDA,
    where every device that PyTorch still builds for has products in bfloat16 or says so itself."""
    if precision != "bfloat16" or device != "cpu":
        return None
    ratio = seconds_of(torch.bfloat16) / seconds_of(torch.float32)
    if ratio <= 1:
        return None
    return (
        f"--precision bfloat16: this processor takes {ratio:.3g} times as long for a product in bfloat16 as in float32;"
        " --precision float32 is faster here"
    )
