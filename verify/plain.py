"""Formulas of the derivations as text that one can read in a terminal: no LaTeX, fractions in brackets, a term a line."""

from __future__ import annotations

import re
from functools import cache

from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

OPENING, CLOSING = "([{", ")]}"
#: All draws of the context, as the derivations write them.
EVERY_CONTEXT = "attribute_only,no_subject,outside,whole"
#: What the letters of the derivations stand for.
LEGEND = (
    "M_ft finetuning subjects, L types, U values of each, m subjects in a sequence, η_ov the step of W_OV^rel; s subjects, l types, u values,"
    " i draws of a sequence, j_q the query's subject and j_i that of draw i, ℓ the type asked for; a_s^l the value of type l that s has, r_l"
    " the type's relation token; h one-hot vectors, p[s_i] and p[a_i] the positions of subject and attribute of draw i, p[sep_i] of [sep];"
    " f(u) the share of the finetuning subjects that have u, f_s and f_u the same of a subject's value and of a value, P_k = ∑_u f_u^k",
    "draws: the query, and m - 1 of the context, of which 'whole' lie in the window with subject, [sep] and attribute, 'no_subject' with [sep]"
    " and attribute, 'attribute_only' with the attribute, 'outside' not at all; the window of w positions holds n_a attributes, n_s [sep],"
    " n_c context subjects and n_q queries (0 or 1). Where it holds all: w = T = 3m - 1, n_a = n_c = m - 1, n_s = m, n_q = 1",
)
#: The same of the thresholds of beta.
THRESHOLDS = "b = e^beta; m = N_ft + 1; S grammar length, N_tr subsequences of a PT sequence; the other letters as in the claims on beta"


@cache
def _converter() -> LatexNodes2Text:
    known = get_default_latex_context_db()
    known.add_context_category(
        "fractions",
        prepend=True,
        macros=[
            MacroTextSpec("frac", simplify_repl="(%s)/(%s)"),
            MacroTextSpec(
                "sqrt", simplify_repl=lambda node: f"√({_converter().nodelist_to_text(node.nodeargd.argnlist[1:])})"
            ),
        ],
    )
    return LatexNodes2Text(latex_context=known, math_mode="text")


def plain(latex: str) -> str:
    """The formula as text.  Fractions and exponents are bracketed, so that it means what it meant.  Raises ValueError for a fraction or root
    in an exponent."""
    if re.search(r"\^\{[^{}]*\\(frac|sqrt)", latex):
        raise ValueError(f"latex must have no fraction or root in an exponent, got {latex!r}")
    # An exponent of more than a letter, a number or a lone macro.
    bracketed = re.sub(r"\^\{(?!\\?\w+\})([^{}]*)\}", r"^{(\1)}", latex)
    spaced = re.sub(r"\\(left|right)(?![a-z])", "", bracketed.replace(r"\,", " "))
    text = _converter().latex_to_text(spaced).replace(EVERY_CONTEXT, "context")
    for sign in "∈≥≤":
        text = text.replace(sign, f" {sign} ")
    return " ".join(text.split())


def terms(formula: str) -> list[str]:
    """The terms of a sum of vectors or products of them, parted at every + outside all brackets, which stands in front of the next; of
    any other formula, the formula."""
    if "h(" not in formula:
        return [formula]
    found, depth, begun = [], 0, 0
    for i, letter in enumerate(formula):
        depth += (letter in OPENING) - (letter in CLOSING)
        if depth == 0 and formula[i : i + 3] == " + " and i > begun:
            found.append(formula[begun:i])
            begun = i + 1
    return [*found, formula[begun:]]
