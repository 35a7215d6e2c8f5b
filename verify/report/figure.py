"""A plot as inline SVG whose colours come from the page's style sheet, so that it is right in light and in dark.

matplotlib draws with stand-in colours; in the SVG they are replaced by CSS variables, and black by currentColor. Text
stays text. Identifiers are prefixed by the figure's name, so that several figures fit on one page. Two runs give the
same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure as Canvas

#: Stand-in colours for the curves; each becomes var(--curve-k).
CURVES = ("#0a0001", "#0a0002", "#0a0003", "#0a0004", "#0a0005")
FAINT = "#0a0009"
STYLES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.6)), (0, (7, 2, 1.5, 2)), (0, (1, 1)))
MARKS = ("o", "s", "^", "D", "v")
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "contextual-recall-referee",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "mathtext.default": "regular",
}


@dataclass(frozen=True)
class Figure:
    """A plot with what is needed to do without it: words that say what it shows, and its numbers as a table.

    claims     ids of the claims that it belongs to
    columns    headers of the table; the first names the parameter that is swept
    """

    id: str
    title: str
    claims: tuple[str, ...]
    caption: str
    alternative: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    svg: Markup


def number(value: float | None) -> str:
    """A cell: whole numbers whole, others with four digits, a dash where there is none."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    return f"{value:.4g}".replace("-", "−")


def plotted(name: str, title: str, alternative: str, draw: Callable[[Any], None], height: float = 3.5) -> Markup:
    """Draw on fresh axes and return the <svg> element. `draw` gets the axes."""
    with mpl.rc_context(_SETTINGS):
        canvas = Canvas(figsize=(6.8, height), layout="constrained")
        axes = canvas.add_subplot()
        draw(axes)
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Markup(_dressed(buffer.getvalue(), name, title, alternative))


def _dressed(svg: str, name: str, title: str, alternative: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.S)  # it would style the whole page
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{name}-\2"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    for k, colour in enumerate(CURVES, 1):
        svg = svg.replace(colour, f"var(--curve-{k})")
    svg = svg.replace(FAINT, "var(--faint)").replace("#000000", "currentColor")
    # Text without a fill of its own would be black in dark mode too; its font is the page's.
    svg = re.sub(r"font: ([\d.]+)px[^;\"]*", r"font-size: \1px", svg)
    svg = svg.replace("<text ", '<text fill="currentColor" ')
    head = re.search(r"<svg[^>]*>", svg)
    assert head is not None
    box = re.search(r'viewBox="[^"]+"', head.group())
    assert box is not None
    opening = (
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box.group()} '
        f'role="img" aria-labelledby="{name}-title {name}-words"><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-words">{escape(alternative)}</desc>'
    )
    return "\n".join(line.rstrip() for line in (opening + svg[head.end() :]).splitlines() if line.strip())


def lines(axes: Any, x: tuple[float, ...], columns: Mapping[str, tuple[float | None, ...]], every: int = 1) -> None:
    """One curve a column, told apart by colour, dash and mark."""
    for k, (label, values) in enumerate(columns.items()):
        shown = [float("nan") if v is None else v for v in values]
        mark = {"marker": MARKS[k], "markersize": 4.5, "markevery": (0, every)}
        axes.plot(x, shown, color=CURVES[k], linestyle=STYLES[k], linewidth=1.8, label=label, **mark)
