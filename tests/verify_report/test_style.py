"""The style sheet: contrast of every pair of colours that carries text or a mark, in light and in dark; focus is visible."""

from __future__ import annotations

import re

import pytest

TEXT = [("ink", "page"), ("ink", "sunk"), ("quiet", "page"), ("link", "page"), ("quiet", "sunk")]
TEXT += [(kind, f"{kind}-fill") for kind in ("good", "near", "amend", "bad", "turn")]
TEXT += [("ink", f"{kind}-fill") for kind in ("good", "near", "amend", "bad", "turn")]
TEXT += [(kind, "page") for kind in ("good", "near")]  # hatched boxes have the page as their ground
MARKS = [(f"curve-{k}", "page") for k in range(1, 6)]
MARKS += [("focus", "page"), ("focus", "sunk"), ("edge", "sunk"), ("edge", "page"), ("faint", "page")]


def palettes(css: str) -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", css, flags=re.S)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks)
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_contrast(files, mode):
    palette = palettes(files["style.css"])[mode]
    for a, b in TEXT:
        assert contrast(palette[a], palette[b]) >= 4.5, (mode, a, b, contrast(palette[a], palette[b]))
    for a, b in MARKS:
        assert contrast(palette[a], palette[b]) >= 2.5, (mode, a, b, contrast(palette[a], palette[b]))


def test_both_modes_name_the_same_colours(files):
    found = palettes(files["style.css"])
    assert set(found["light"]) == set(found["dark"])


def test_every_colour_that_is_used_is_named(files):
    named = set(palettes(files["style.css"])["light"]) | {
        "is",
        "is-fill",
        "hatch",
        "wide",
        "ground",
    }  # per verdict, graph, box
    used = {name for text in files.values() for name in re.findall(r"var\(--([\w-]+)\)", text)}
    assert used <= named


def test_focus_is_visible_and_dark_mode_is_offered(files):
    css = files["style.css"]
    assert ":focus-visible { outline: 3px" in css
    assert "prefers-color-scheme: dark" in css and "color-scheme: light dark" in css
