"""The lines of Fig. 6-7 are the means of the cells they name."""

import matplotlib.pyplot as plt
import pytest

from verify.findings import pictures

MEASURES = ("pt", "icl_heldout", "grm_heldout", "icl_direct")


def number(S: int, div: float, M: int, measure: str, seed: int) -> float:
    """Another one for every cell, measure and seed."""
    return 0.01 * S + 0.1 * div + 0.001 * M + 0.0001 * MEASURES.index(measure) + 0.02 * seed


def cell(S: int, div: float, M: int, seed: int) -> dict[str, float]:
    return {"S": S, "Div": div, "M": M} | {name: number(S, div, M, name, seed) for name in MEASURES}


def test_fig6_7_draws_the_cells(monkeypatch):
    monkeypatch.setattr(pictures, "_caption", lambda record: "")
    networks = [
        {
            "fig6": [cell(S, div, 8, seed) for S in (6, 8) for div in (0.2, 0.4)],
            "fig7": [cell(8, div, M, seed) for M in (8, 12, 16) for div in (0.2, 0.4)],
        }
        for seed in (0, 1)
    ]
    figure = pictures.fig6_7({"networks": networks}, "title")
    axes = iter(figure.axes)
    for x, at in (((6, 8), lambda S, div: (S, div, 8)), ((8, 12, 16), lambda M, div: (8, div, M))):
        for measure in MEASURES:
            lines = {line.get_label(): line for line in next(axes).lines}
            for div in (0.2, 0.4):
                line = lines[f"Div {div:g}"]
                assert tuple(line.get_xdata()) == x
                means = [(number(*at(v, div), measure, 0) + number(*at(v, div), measure, 1)) / 2 for v in x]
                assert list(line.get_ydata()) == pytest.approx(means)
    plt.close(figure)
