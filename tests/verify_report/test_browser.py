"""The pages in a real browser, where there is one: nothing is wider than a phone, MathML is drawn, links are reachable."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))),
    None,
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
]
PAGES = (
    "index.html",
    "erratum.html",
    "figures.html",
    "claims/rel2.update.html",
    "claims/thm2.hypotheses.html",
    "claims/finding3.html",
    "reading.html",
)
#: Pages without formulas.
WORDS_ONLY = ("index.html", "figures.html", "reading.html", "claims/finding3.html")
WIDTHS = (360, 1100, 1200)
#: A page that shows the others at several widths and writes down what it sees.
HARNESS = """<!DOCTYPE html><meta charset="utf-8"/><body><script>
const pages = %s, widths = %s, seen = [];
const look = (name, width) => new Promise(done => {
  const frame = document.createElement('iframe');
  frame.width = width; frame.height = 800; frame.src = name;
  frame.onload = () => {
    const d = frame.contentDocument, root = d.documentElement;
    // The dots of an ellipsis alone are two pixels high.
    const boxes = [...d.querySelectorAll('math')].filter(m => !/^\\u2026+$/.test(m.textContent.trim()))
      .map(m => m.getBoundingClientRect());
    const style = node => frame.contentWindow.getComputedStyle(node);
    const wide = [...d.querySelectorAll('.formula, svg.graph')].map(n => n.parentElement).filter(n => n.scrollWidth > n.clientWidth);
    const links = [...d.querySelectorAll('svg.graph a')];
    if (links.length) links[3].focus();
    seen.push({name, width, overflow: root.scrollWidth - root.clientWidth, math: boxes.length,
      flat: boxes.filter(b => b.width < 4 || b.height < 4).length, links: links.length,
      wide: wide.length, bare: wide.filter(n => style(n).overflowX !== 'auto' || n.tabIndex !== 0
        || !style(n).backgroundAttachment.includes('local')).length,
      focused: links.length ? d.activeElement === links[3] : true,
      font: parseFloat(frame.contentWindow.getComputedStyle(d.body).fontSize)});
    frame.remove(); done();
  };
  document.body.append(frame);
});
(async () => { for (const p of pages) for (const w of widths) await look(p, w);
  document.body.dataset.seen = JSON.stringify(seen); })();
</script></body>"""


@pytest.fixture(scope="module")
def seen(folder, tmp_path_factory) -> list[dict]:
    """What the browser reports of every page at every width."""
    if BROWSER is None:
        reason = "no chromium or chrome on the path: the pages are not looked at in a browser"
        print(reason)
        pytest.skip(reason)
    copy = tmp_path_factory.mktemp("browser") / "site"
    shutil.copytree(folder, copy)
    (copy / "harness.html").write_text(HARNESS % (json.dumps(PAGES), json.dumps(WIDTHS)), encoding="utf-8")
    return _dumped(copy / "harness.html", tmp_path_factory.mktemp("profile"))


def _dumped(page: Path, profile: Path) -> list[dict]:
    run = subprocess.run(
        [
            str(BROWSER),
            *FLAGS,
            f"--user-data-dir={profile}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = re.search(r'data-seen="([^"]*)"', run.stdout)
    assert found is not None, f"the browser reports nothing: {run.stderr[-500:]}"
    return json.loads(unescape(found.group(1)))


def test_every_page_was_seen_at_every_width(seen):
    assert [(one["name"], one["width"]) for one in seen] == [(p, w) for p in PAGES for w in WIDTHS]


def test_no_page_is_wider_than_its_window(seen):
    assert [(one["name"], one["width"], one["overflow"]) for one in seen if one["overflow"] > 0] == []


def test_what_is_wider_scrolls_in_its_box_with_a_shadow_and_by_keyboard(seen):
    assert [(one["name"], one["width"], one["bare"]) for one in seen if one["bare"]] == []
    found = {(one["name"], one["width"]): one["wide"] for one in seen}
    assert found["index.html", 1100] and found["claims/thm2.hypotheses.html", 1100]


def test_formulas_are_drawn(seen):
    for one in seen:
        assert one["flat"] == 0, one
        assert one["math"] > 0 or one["name"] in WORDS_ONLY


def test_the_graph_can_be_walked_with_the_keyboard(seen, found):
    for one in seen:
        if one["name"] == "index.html":
            assert one["links"] >= len(found.claims) and one["focused"]


def test_text_is_large_enough(seen):
    assert all(one["font"] >= 16 for one in seen)
