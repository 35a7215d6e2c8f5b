"""The pages as documents: well formed, linked, accessible, complete against the ledger, and the same twice."""

from __future__ import annotations

import json
import re
from html import unescape
from itertools import pairwise
from pathlib import PurePosixPath
from xml.etree import ElementTree

import pytest

from paper_checks.contextual_recall import claims
from paper_checks.contextual_recall.graph import edges
from verify.arguments import parser
from verify.judges import measured
from verify.judges.by_setting import by_setting
from verify.judges.committed import committed
from verify.judges.measured import parts_of
from verify.report.formula import words
from verify.report.page import rerun, slug
from verify.report.pictures import FIGURES, RESULTS
from verify.report.site import site
from verify.report.stamp import Stamp, stamp

H = "{http://www.w3.org/1999/xhtml}"


def texts(root: ElementTree.Element) -> str:
    return "".join(root.itertext())


def headings(root: ElementTree.Element) -> list[int]:
    found = (re.fullmatch(r"h([1-6])", node.tag.removeprefix(H)) for node in root.iter())
    return [int(one.group(1)) for one in found if one]


def test_a_page_for_every_claim_and_nothing_else(files, ledger):
    pages = {f"claims/{slug(entry['id'])}.html" for entry in ledger["claims"]}
    assert set(files) == pages | {"index.html", "erratum.html", "figures.html", "reading.html", "style.css"}


def test_slugs_are_plain_and_distinct():
    ids = {e.claim for e in edges()} | {e.ground for e in edges()}
    assert len({slug(name).lower() for name in ids}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", slug(name)) for name in ids)
    assert slug("prop3.t<T.rel_subj") == "prop3.t-lt-T.rel_subj"


def test_pages_are_well_formed_and_in_english(trees):
    for root in trees.values():
        assert root.tag == f"{H}html" and root.get("lang") == "en"
        assert root.find(f"{H}head/{H}title") is not None


def test_ids_are_unique_and_fragments_exist(trees):
    for name, root in trees.items():
        ids = [node.get("id") for node in root.iter() if node.get("id")]
        assert len(ids) == len(set(ids)), name
        for node in root.iter():
            for key in ("aria-labelledby", "aria-describedby"):
                assert all(one in ids for one in (node.get(key) or "").split()), (name, node.get(key))


def test_pictures_are_the_committed_ones_of_claims_on_networks(everything):
    made = {name: content for name, content in everything.items() if isinstance(content, bytes)}
    wanted = {
        f"pictures/{path.relative_to(RESULTS).as_posix()}": path.read_bytes()
        for claim, folder in FIGURES.items()
        if claim in claims()
        for pattern in ("*.png", "*/*.png")
        for path in (RESULTS / folder).glob(pattern)
    }
    assert made == wanted and made
    assert all(content.startswith(b"\x89PNG") for content in made.values())


def test_a_claim_on_networks_shows_its_numbers_and_pictures(trees, everything):
    for claim in set(FIGURES) & set(claims()):
        root = trees[f"claims/{slug(claim)}.html"]
        said = texts(root)
        for part in parts_of(FIGURES[claim], "")[1]:
            assert part.says in said and part.measured in said and part.needed in said
        beside = by_setting(FIGURES[claim])
        for row in () if beside is None else beside.rows:
            assert row.name in said and row.says in said and all(cell in said for cell in row.cells)
        shown = {node.get("src", "").removeprefix("../") for node in root.iter(f"{H}img")}
        assert shown == {name for name in everything if name.startswith(f"pictures/{FIGURES[claim]}/")}
        assert shown and all(node.get("alt") for node in root.iter(f"{H}img"))


def test_every_link_leads_somewhere(trees, everything):
    anchors = {name: {node.get("id") for node in root.iter()} for name, root in trees.items()}
    for name, root in trees.items():
        for node in root.iter():
            for key in ("href", "src", "{http://www.w3.org/1999/xlink}href"):
                where = node.get(key)
                if where is None:
                    continue
                assert ":" not in where and not where.startswith("/"), (name, where)
                path, _, fragment = where.partition("#")
                target = name if not path else _joined(name, path)
                assert target in everything, (name, where)
                assert not fragment or fragment in anchors[target], (name, where)


def _joined(page: str, path: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(page).parent.parts, *PurePosixPath(path).parts):
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def test_nothing_comes_from_the_network_and_nothing_runs(files):
    for name, text in files.items():
        assert "<script" not in text and "javascript:" not in text and " onclick" not in text, name
        assert "@import" not in text
        for address in re.findall(r"https?://[^\s\"'<)]+", text):
            assert address.startswith("http://www.w3.org/"), (name, address)  # namespaces


def test_accessible_skeleton(trees):
    for name, root in trees.items():
        body = root.find(f"{H}body")
        assert body is not None and body[0].get("class") == "skip" and body[0].get("href") == "#content", name
        assert len(list(root.iter(f"{H}main"))) == 1
        assert all(nav.get("aria-label") for nav in root.iter(f"{H}nav"))
        levels = headings(root)
        assert levels.count(1) == 1 and levels[0] == 1, name
        assert all(b <= a + 1 for a, b in pairwise(levels)), (name, levels)


def test_tables_have_captions_and_scoped_headers(trees):
    for root in trees.values():
        for table in root.iter(f"{H}table"):
            assert table.find(f"{H}caption") is not None
            assert all(th.get("scope") in ("col", "row") for th in table.iter(f"{H}th"))
            assert all(tr[0].tag == f"{H}th" for tr in table.iter(f"{H}tr"))


def test_pictures_have_words(trees):
    for name, root in trees.items():
        for svg in root.iter("{http://www.w3.org/2000/svg}svg"):
            assert svg.get("role") in ("img", "group") and svg.get("aria-labelledby"), name
        for math in root.iter("{http://www.w3.org/1998/Math/MathML}math"):
            assert math.get("alttext")


def test_a_claim_page_says_everything_that_the_ledger_does(trees, ledger, found):
    for entry in ledger["claims"]:
        said = texts(trees[f"claims/{slug(entry['id'])}.html"])
        assert entry["where"] in said and entry["verdict"] in said and entry["fingerprint"] in said
        for mutant in entry["mutants"]:
            assert mutant in said
        for edge in (*found.direct_grounds(entry["id"]), *found.direct_consequences(entry["id"])):
            assert edge.claim in said and edge.ground in said and unescape(words(edge.words)) in said
        for key in ("counterexample", "remainder", "correction", "note"):
            assert not entry.get(key) or unescape(words(entry[key])) in said, (entry["id"], key)


def test_erratum_has_the_documented_order_and_all_entries(trees, found):
    root = trees["erratum.html"]
    order = [a.get("aria-labelledby") for a in root.iter(f"{H}article")]
    assert order == [f"entry-{slug(name)}" for name in found.by_consequence()]


def test_summary_names_every_claim_once_among_the_groups(files, found):
    summary = files["erratum.html"].partition('id="summary"')[2].partition('id="entries"')[0]
    named = set(map(unescape, re.findall(r"<code>([^<]+)</code>", summary)))
    assert named == set(found.claims)
    for word in ("Begin with", "Replace", "Withdraw or restrict", "State the remainder", "Keep"):
        assert word in summary
    # Networks at a smaller size refute nothing.
    groups = {key: summary.partition(key)[2].partition("</li>")[0] for key in ("Withdraw or restrict", "Check")}
    for name in found.claims:
        assert (f">{name}<" in groups["Check"]) == found.unreproduced(name)
        assert (f">{name}<" in groups["Withdraw or restrict"]) == (found.verdict(name) == "false")


def test_index_counts_add_up(trees, ledger):
    numbers = [int(n.text or "") for n in trees["index.html"].iter(f"{H}span") if n.get("class") == "number"]
    assert sum(numbers) == len(ledger["claims"])


def test_rerun_commands_are_understood(ledger):
    for entry in ledger["claims"]:
        commands = [command for _, command in rerun(entry)]
        assert "python -m verify" in commands
        for command in commands:
            if command.startswith("python -m verify.theorem1 "):
                parser("theorem1", "").parse_args(command.split()[3:])


def test_the_world_of_a_counterexample_is_in_its_command():
    entry = {
        "id": "eq11",
        "readings": {"set": "corrected", "literal": "corrected"},
        "counterexample": "balanced M=8 L=2 U=2 M_ft=4 N_ft=1, beta=1.5, 32 sequences, worst: x",
    }
    wanted = "python -m verify.theorem1 --M 8 --L 2 --U 2 --M-ft 4 --N-ft 1 --beta 1.5"
    assert wanted in [command for _, command in rerun(entry)]


@pytest.mark.parametrize("claim", FIGURES)
def test_networks_are_trained_again_as_the_record_was(claim):
    """By preset, precision and unembedding: otherwise the networks would be others, and of a rounded record take longer."""
    entry = {"id": claim, "readings": {"set": "reproduced"}, "counterexample": None}
    (command,) = [command for _, command in rerun(entry) if "--preset" in command]
    made = committed(FIGURES[claim])
    wanted = f"python -m verify.{FIGURES[claim]} --preset {made['preset']}"
    if claim.startswith("finding"):
        config = made["config"].get("low", made["config"])
        wanted += "" if config["autocast"] == "none" else f" --precision {config['autocast']}"
        wanted += "" if config["model"]["tied"] else " --unembedding own"
    assert command == wanted


def test_an_unembedding_of_its_own_is_in_the_command(monkeypatch):
    own = committed("finding3")
    monkeypatch.setattr(measured, "committed", lambda name: own)
    assert measured.options_of("finding2") == "--preset paper-short --precision bfloat16 --unembedding own"


def test_two_runs_differ_in_the_stamp_only(everything, ledger):
    other = site(ledger, Stamp("2030-01-01T00:00:00Z", "fedcba9-dirty", (("python", "3.12.0"),)))
    assert other != everything

    def without(text: str | bytes) -> str | bytes:
        return text if isinstance(text, bytes) else re.sub(r'<p class="stamp">.*?</p>', "", text)

    assert {name: without(text) for name, text in other.items()} == {n: without(t) for n, t in everything.items()}


def test_every_page_is_stamped(trees):
    for root in trees.values():
        found = [node for node in root.iter(f"{H}p") if node.get("class") == "stamp"]
        assert len(found) == 1
        assert "2026-01-02T03:04:05Z" in texts(found[0]) and "0123abc" in texts(found[0])


def test_stamp_honours_the_source_date(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert stamp().made == "1970-01-01T00:00:00Z"
    assert {"python", "matplotlib", "latex2mathml"} <= {name for name, _ in stamp().versions}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ValueError, match="SOURCE_DATE_EPOCH = 'yesterday'"):
        stamp()


def test_claims_of_any_ledger_are_escaped(ledger, plots):
    changed = json.loads(json.dumps(ledger))
    changed["claims"][0] |= {"title": "<b>bold</b> & <script>", "counterexample": "a < b & c"}
    made = site(changed, Stamp("", "", ()), plots)
    assert "<script" not in made["index.html"]
    ElementTree.fromstring(made["index.html"].removeprefix("<!DOCTYPE html>\n"))


def test_a_claim_that_nothing_mentions_gets_a_page(ledger, plots):
    changed = json.loads(json.dumps(ledger))
    changed["claims"].append({**changed["claims"][0], "id": "prop9.t<T", "verdict": "undecided"})
    made = site(changed, Stamp("", "", ()), plots)
    assert 'href="claims/prop9.t-lt-T.html"' in made["index.html"]
    assert "undecided" in made["claims/prop9.t-lt-T.html"]
