"""The claim graph as SVG: every node a link to its claim, colours by class so that light and dark come from the style sheet.

Border: the statement by itself, coloured by its verdict. Fill: the statement with all it rests on; filled green only
where everything holds. A statement that holds on failing ground keeps its border and is hatched; one that was reproduced
at the setting tried keeps its border and stays empty. Every node also says its verdict in words, so that no colour is needed to read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from markupsafe import Markup, escape

from verify.report.argument import Argument, Standing
from verify.report.layout import Layout, Sizes, laid_out

SIGNS = {
    "exact": "✓",
    "approximate": "≈",
    "corrected": "✎",
    "false": "✗",
    "reading": "◐",
    "undecided": "?",
    "reproduced": "✓",
    "not reproduced": "✗",
}


def drawn(
    argument: Argument,
    address: Callable[[str], str],
    names: Iterable[str] | None = None,
    key: str = "graph",
    title: str = "Claims and what they rest on",
    sizes: Sizes | None = None,
) -> Markup:
    """The <svg> element of these claims (default: all). `address` gives the page of a claim; `key` begins every id."""
    sizes = sizes or Sizes()
    layout = laid_out(argument.part(argument.claims if names is None else names), sizes)
    lines = [_edge(argument, edge, layout, sizes) for edge in layout.edges]
    nodes = [_node(argument, name, layout, sizes, address(name)) for name in layout.nodes]
    width, height = f"{layout.width:g}", f"{layout.height:g}"
    head = (
        f'<svg class="graph" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" style="--hatch: url(#{key}-hatch); --wide: {width}px" role="group" aria-labelledby="{key}-title {key}-words">'
        f'<title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-words">Each box is a claim and links to its page; a line runs from a claim down to the claims '
        "whose argument uses it. The table below the drawing says the same.</desc>"
        f'<defs><pattern id="{key}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="hatch-ground" width="6" height="6"/><line class="hatch-line" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
    )
    return Markup(head + "<g aria-hidden='true'>" + "".join(lines) + "</g>" + "".join(nodes) + "</svg>")


def _edge(argument: Argument, edge: tuple[str, str], layout: Layout, sizes: Sizes) -> str:
    """Smooth between layers and straight through them, past the nodes; broken where the ground does not hold as printed."""
    half = sizes.node_height / 2
    points = layout.edges[edge]
    x, y = points[0]
    path = [f"M{x:g} {y + half:g}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        path.append(f"C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1 - half:g}")
        if (x1, y1) != points[-1]:
            path.append(f"V{y1 + half:g}")
    kind = "edge" if argument.holds(edge[0]) else "edge weak"
    return f'<path class="{kind}" d="{"".join(path)}"/>'


def _node(argument: Argument, name: str, layout: Layout, sizes: Sizes, address: str) -> str:
    x, y = layout.nodes[name]
    verdict, standing = argument.verdict(name), argument.standing(name)
    differs = argument.differs(name)
    said = f"{SIGNS[verdict]} {verdict}" + (" *" if differs else "")
    spoken = f"{name}: {verdict}"
    if differs:
        spoken += ", " + ", ".join(f"{r}: {v}" for r, v in argument.claims[name]["readings"].items())
    if standing is Standing.ALONE:
        spoken += "; does not stand on its printed grounds in every reading"
    if standing is Standing.TRIED:
        spoken += " at the setting tried"
    left, top = x - sizes.node_width / 2, y - sizes.node_height / 2
    return (
        f'<a href="{escape(address)}" class="node v-{verdict.replace(" ", "-")} s-{standing}" aria-label="{escape(spoken)}">'
        f"<title>{escape(spoken)}. {escape(argument.claims[name]['title'])}</title>"
        f'<rect x="{left:g}" y="{top:g}" width="{sizes.node_width:g}" height="{sizes.node_height:g}" rx="7"/>'
        f'<text class="id" x="{x:g}" y="{y - 4:g}">{escape(name)}</text>'
        f'<text class="said" x="{x:g}" y="{y + 14:g}">{escape(said)}</text></a>'
    )
