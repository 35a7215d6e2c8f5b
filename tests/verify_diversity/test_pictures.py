"""The pictures of the committed records: no two entries of a legend look the same."""

import pytest
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer

from verify import fig13, fig14
from verify.diversity import plot13, plot14


def legend(monkeypatch, module, plot) -> dict[str, tuple[str, ...]]:
    """Words -> (colour, line, mark) of the legend that the committed record is drawn with."""
    drawn = []
    monkeypatch.setattr(plot, "save", lambda figure, path: drawn.append(figure))
    plot.draw(module.committed(), "unused.png")
    shown = {}
    for axis in drawn[0].axes:
        for handle, words in zip(*axis.get_legend_handles_labels(), strict=True):
            line = handle[0] if isinstance(handle, ErrorbarContainer) else handle
            shown[words] = (to_hex(line.get_color()), line.get_linestyle(), line.get_marker())
    assert set(shown) == {text.get_text() for text in drawn[0].legends[0].get_texts()} and len(shown) == 6
    return shown


@pytest.mark.parametrize(("module", "plot"), [(fig13, plot13), (fig14, plot14)])
def test_entries_differ_in_colour_or_line(monkeypatch, module, plot):
    shown = list(legend(monkeypatch, module, plot).values())
    assert len(set(shown)) == len(shown), shown


def test_every_entry_of_fig14_has_its_own_colour(monkeypatch):
    colours = [colour for colour, *_ in legend(monkeypatch, fig14, plot14).values()]
    assert len(set(colours)) == len(colours), colours
