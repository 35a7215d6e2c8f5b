"""LaTeX to MathML: every wording of the ledger, the letters, the pieces, and the way back when it fails."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from verify.report.formula import MATHML, formula, mathml, pieces, words


def test_no_wording_of_the_ledger_falls_back(ledger):
    fallen = [
        (entry["id"], key, formula(entry[key]).problem)
        for entry in ledger["claims"]
        for key in ("statement", "correction_latex")
        if entry[key] and formula(entry[key]).problem
    ]
    assert fallen == [], f"shown as LaTeX: {fallen}"


def test_every_piece_is_a_math_element_without_rests_of_latex(ledger):
    for entry in ledger["claims"]:
        for key in ("statement", "correction_latex"):
            for piece in formula(entry[key]).pieces if entry[key] else ():
                root = ElementTree.fromstring(piece)
                assert root.tag == "span" or root.tag == f"{{{MATHML}}}math"
                # A sentence may have no formula in it.
                assert list(root.iter(f"{{{MATHML}}}math")) or (root.tag == "span" and "".join(root.itertext()).strip())
                assert not any(set("\\$&{}") & set(node.text or "") - set("{}") for node in root.iter())
                assert all(node.get("mathvariant") in (None, "normal") for node in root.iter())


def text(latex: str) -> str:
    return "".join(ElementTree.fromstring(mathml(latex)).itertext())


@pytest.mark.parametrize(
    ("latex", "letters"),
    [
        (r"\bm W", "𝑾"),
        (r"\bm\pi", "𝝅"),
        (r"\mathcal L", "ℒ"),
        (r"\mathcal U", "𝒰"),
        (r"\mathbb E", "𝔼"),
        (r"\mathds 1", "𝟙"),
        (r"\mathds{1}", "𝟙"),
        (r"\lVert x\rVert", "‖x‖"),
        (r"\mathrm{rel}", "rel"),
        (r"x:=y", "x≔y"),
        (r"M_{ft}", "Mft"),
    ],
)
def test_letters(latex, letters):
    assert text(latex) == letters


def test_cases_become_a_table():
    root = ElementTree.fromstring(mathml(r"\begin{cases}1,&x\\0,&y\end{cases}"))
    assert len(list(root.iter(f"{{{MATHML}}}mtr"))) == 2


def test_the_latex_is_the_alternative_text():
    assert ElementTree.fromstring(mathml(r"a<\frac12")).get("alttext") == r"a<\frac12"


@pytest.mark.parametrize("latex", [r"\foo x", r"\begin{cases*}1,&if $t$\end{cases*}", r"\frac{1"])
def test_what_is_not_understood_is_shown_as_latex(latex):
    found = formula(latex)
    assert not found.pieces and found.problem
    assert found.__html__().startswith('<code class="latex">')


def test_shown_latex_is_escaped():
    assert "<b>" not in formula(r"\foo <b>").__html__()


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"a=b,\quad c=d", ["a=b,", "c=d"]),
        (r"a\quad b,\ c", ["a", "b,", "c"]),
        (r"f(a,\ b),\ c", ["f(a,\\ b),", "c"]),
        (r"\{x\},\ \begin{cases}1,\ 2\end{cases}", ["\\{x\\},", "\\begin{cases}1,\\ 2\\end{cases}"]),
        (r"\text{a, \quad b}", [r"\text{a, \quad b}"]),
        ("x", ["x"]),
    ],
)
def test_pieces(latex, expected):
    assert pieces(latex) == expected


def test_words_escape_and_set_signs():
    assert words("a <= b << c <x>") == "a ≤ b ≪ c &lt;x&gt;"


def test_a_sentence_keeps_its_words_as_words():
    found = formula(r"\text{when }\beta\to\infty\text{, this model gets ``perfect'' accuracy on every sequence}")
    root = ElementTree.fromstring(found.pieces[0])
    assert root.get("class") == "sentence"
    assert "".join(root.itertext()) == "when β→∞, this model gets “perfect” accuracy on every sequence"
    assert [node.get("display") for node in root.iter(f"{{{MATHML}}}math")] == ["inline"]


def test_a_sentence_is_escaped_and_keeps_short_texts_in_the_formula():
    found = formula(r"\text{a < b is what this long sentence says of the token }[\text{sep}]\text{ and of <b>}")
    root = ElementTree.fromstring(found.pieces[0])
    assert "".join(root.itertext()) == "a < b is what this long sentence says of the token [sep] and of <b>"
    assert len(list(root.iter(f"{{{MATHML}}}math"))) == 1
