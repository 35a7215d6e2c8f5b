"""Accuracies by format: the cells that the evaluation while training has too, positions, what is drawn."""

from dataclasses import replace

import pytest
from matplotlib import pyplot as plt

from numerics.gpt import accuracies, build
from verify.findings import formats, pictures
from verify.findings.settings import SIZES, config

CONFIG = replace(config(SIZES["tiny"], 0), n_demos=3, S_ft=(1, 2))


@pytest.fixture(scope="module")
def made():
    corpus = CONFIG.corpus.build()
    model = build(CONFIG, corpus=corpus)
    return model, corpus, formats.formats(model, corpus, CONFIG, 64, 5, "cpu")


def test_icl_and_one_grammar_token_are_what_the_evaluation_finds(made):
    model, corpus, found = made
    other = accuracies(model, corpus, CONFIG, 64, 5)
    at = found["n_demos"].index(CONFIG.n_demos)
    for S_ft, name in ((0, "icl_heldout"), (1, "grm_heldout")):
        row = found["S_ft"].index(S_ft)
        for metric in ("exact", "attribute"):
            assert found[metric][row][at] == other[name][metric]
    # A network at its initial weights answers something, or nothing would be compared.
    assert any(share for row in found["attribute"] for share in row if share)


def test_the_grid_is_as_large_as_the_positions_allow(made):
    model, _, found = made
    assert found["S_ft"] == [0, 1, 2, 3, 4] and found["n_demos"] == [1, 2, 3] and found["trained"] == [1, 2]
    for S_ft, row in zip(found["S_ft"], found["exact"], strict=True):
        for n_demos, share in zip(found["n_demos"], row, strict=True):
            tokens = (
                (n_demos + 1) * (S_ft + 2) + n_demos - 1
            )  # [s, g.., a] each, [sep] between, without the last attribute
            assert (share is not None) == (tokens <= model.T)
    assert found["exact"][-1][-1] is None


def test_the_picture_prints_means_over_seeds_and_frames_what_was_trained(made):
    found = made[2]
    other = found | {"exact": [[None if x is None else 1.0 for x in row] for row in found["exact"]]}
    record = {"networks": [{"formats": {"finetuned": one, "last": one}} for one in (found, other)]}
    figure = pictures.formats(record | {"seeds": [0, 1], "findings": ["gap: none", "other_lengths: none"]}, "title")
    for axis, first in zip(figure.axes, (0, 2), strict=True):
        texts = {text.get_position(): text.get_text() for text in axis.texts}
        expected = {
            (j, i): f"{(share + 1) / 2:.2f}"
            for i, row in enumerate(found["exact"])
            for j, share in enumerate(row)
            if share is not None
        }
        assert texts == expected
        (frame,) = axis.patches
        assert (frame.get_x(), frame.get_y()) == (first - 0.5, 0.5)
        assert (frame.get_width(), frame.get_height()) == (3 - first, 2)
        assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "2", "3"]
    # Shared, they stand on the left alone.
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["0 (ICL)", "1", "2", "3", "4"]
    plt.close(figure)
