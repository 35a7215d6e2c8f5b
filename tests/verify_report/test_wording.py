"""What the pages claim for themselves: no more than the ledger and the argument hold."""

from __future__ import annotations

from paper_checks.contextual_recall.graph import edges
from verify.report.argument import Standing
from verify.report.page import slug
from verify.report.pictures import FIGURES


def texts(root) -> str:
    return " ".join("".join(root.itertext()).split())


def test_what_was_reproduced_at_a_setting_is_no_proof_and_is_counted_apart(trees, files, found):
    names = {s: [n for n in found.claims if found.standing(n) is s] for s in Standing}
    tried = [n for n in found.claims if found.verdict(n) == "reproduced"]
    assert names[Standing.TRIED] == tried and tried
    said = texts(trees["index.html"])
    assert f"{len(names[Standing.SOUND])} of {len(found.claims)} are" in said
    assert (
        f"{len(tried)} statement" in said
        and "reproduced at the setting tried, which says nothing of other sizes" in said
    )
    summary = files["erratum.html"].partition('id="summary"')[2].partition('id="entries"')[0]
    groups = {key: summary.partition(f"<strong>{key}")[2].partition("</li>")[0] for key in ("Keep", "Leave")}
    for name in tried:
        assert f">{name}<" not in groups["Keep"] and f">{name}<" in groups["Leave"]
        page = texts(trees[f"claims/{slug(name)}.html"])
        assert "so does everything" not in page and "It was reproduced at the setting tried here" in page
        assert (
            f'class="node v-reproduced s-tried" aria-label="{name}: reproduced at the setting tried"'
            in files["index.html"]
        )


def test_lines_of_the_graph_that_the_paper_does_not_draw_are_said_to_be_ours(trees):
    quoted = sum("“" in e.words for e in edges())
    said = texts(trees["index.html"])
    assert f"Of the {len(edges())} lines, {quoted} come with words of the paper" in said
    assert f"the other {len(edges()) - quoted} are uses that this referee names" in said
    assert "as the paper itself refers" not in said


def test_no_counterexample_is_called_the_smallest(trees, ledger):
    for entry in ledger["claims"]:
        said = texts(trees[f"claims/{slug(entry['id'])}.html"])
        assert "mallest counterexample" not in said
        qualified = "That no smaller case exists is not said" in said
        assert qualified == (bool(entry["counterexample"]) and entry["id"] not in FIGURES), entry["id"]
    assert "mallest counterexample" not in texts(trees["index.html"]) + texts(trees["erratum.html"])
