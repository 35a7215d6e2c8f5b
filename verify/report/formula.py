r"""LaTeX as MathML, in the form that browsers draw without help.

latex2mathml does the conversion. Three things are settled around it:
  before    macros that it does not know are put into words that it does (\mathds 1, \lVert, multi-letter \mathrm);
  pieces    a wording of several formulas is cut at its top-level ",\quad" and ",\ ", so that each has its own line;
  after     MathML Core ignores mathvariant, so bold, script and double-struck letters become the Unicode letters.
What cannot be converted is shown as LaTeX in <code>: nothing is silently lost.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup, escape

MATHML = "http://www.w3.org/1998/Math/MathML"

#: Letters that Unicode had given another place before the mathematical alphabets.
_HOLES = {
    ("script", "B"): "ℬ",
    ("script", "E"): "ℰ",
    ("script", "F"): "ℱ",
    ("script", "H"): "ℋ",
    ("script", "I"): "ℐ",
    ("script", "L"): "ℒ",
    ("script", "M"): "ℳ",
    ("script", "R"): "ℛ",
    ("double-struck", "C"): "ℂ",
    ("double-struck", "H"): "ℍ",
    ("double-struck", "N"): "ℕ",
    ("double-struck", "P"): "ℙ",
    ("double-struck", "Q"): "ℚ",
    ("double-struck", "R"): "ℝ",
    ("double-struck", "Z"): "ℤ",
}
_ALPHABETS = {
    "bold-italic": "MATHEMATICAL BOLD ITALIC",
    "bold": "MATHEMATICAL BOLD",
    "script": "MATHEMATICAL SCRIPT",
    "double-struck": "MATHEMATICAL DOUBLE-STRUCK",
}
#: How many parts an element has by definition; an unfinished macro leaves one out.
_PARTS = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
#: A \\text{...} without braces inside, and how many letters of it make a formula a sentence.
_PROSE = r"(\\text\{[^{}]*\})"
_LONG = 40
_OPERATORS = {"≔", "⟶", "→", "∀", "∃"}


class Unconvertible(ValueError):
    """LaTeX that does not become MathML; the message says what is left over."""


@dataclass(frozen=True)
class Formula:
    """One wording: its LaTeX, its MathML pieces (empty if it could not be converted), and why not."""

    latex: str
    pieces: tuple[Markup, ...]
    problem: str = ""

    def __html__(self) -> str:
        if not self.pieces:
            return Markup('<code class="latex">{}</code>').format(self.latex)
        return Markup("\n").join(Markup('<div class="formula">{}</div>').format(piece) for piece in self.pieces)


def formula(latex: str) -> Formula:
    """The wording as MathML, piece by piece, or as LaTeX where a piece resists. O(length)."""
    try:
        return Formula(latex, tuple(_set(piece) for piece in pieces(latex)))
    except Unconvertible as problem:
        return Formula(latex, (), str(problem))


def _set(piece: str) -> Markup:
    """A formula in display, or a sentence whose words wrap like any words, with its formulas inside."""
    parts = [part for part in re.split(_PROSE, piece) if part.strip()]
    prose = [part for part in parts if re.fullmatch(_PROSE, part) and " " in part]
    if sum(map(len, prose)) < _LONG:
        return Markup(mathml(piece))
    made, pending = Markup(""), ""
    for part in [*parts, r"\text{ }"]:
        if part not in prose and part != r"\text{ }":
            pending += part
            continue
        if pending:
            made += Markup(mathml(pending, display="inline"))
        made += part.removeprefix(r"\text{").removesuffix("}").replace("``", "“").replace("''", "”")
        pending = ""
    return Markup('<span class="sentence">{}</span>').format(Markup(made.strip()))


def pieces(latex: str) -> list[str]:
    r"""Cut after commas at the top level (outside braces, brackets, environments) that ",\quad" or ",\ " follows."""
    found, depth, start, i = [], 0, 0, 0
    while i < len(latex):
        cut = re.compile(r",?\\quad\s*|,\\ ").match(latex, i) if depth == 0 else None
        if cut and i > start:
            found.append(latex[start:i] + ("," if cut.group().startswith(",") else ""))
            start = i = cut.end()
            continue
        token = re.compile(r"\\begin|\\end|\\[a-zA-Z]+|\\.|.", re.S).match(latex, i)
        assert token is not None
        depth += {"\\begin": 1, "\\end": -1, "{": 1, "}": -1, "(": 1, ")": -1, "[": 1, "]": -1}.get(token.group(), 0)
        i = token.end()
    return [*found, latex[start:]]


def prepared(latex: str) -> str:
    """The same formula in macros that the converter knows."""
    latex = re.sub(r"\\mathds\s*\{?1\}?", "𝟙", latex)
    latex = latex.replace("M_{ft}", r"M_{\text{ft}}")
    latex = re.sub(r"\\eta_\{ov\}(?!\^)", r"\\eta_{OV}^{\\text{rel}}", latex)
    latex = re.sub(r"\\mathrm\{([A-Za-z]{2,})\}", r"\\text{\1}", latex)
    latex = re.sub(r"(\\text\{[^{}]*\}): ", r"\1:\\ ", latex).replace(":=", "≔")
    return latex.replace(r"\lVert", r"\Vert ").replace(r"\rVert", r"\Vert ")


def mathml(latex: str, display: str = "block") -> str:
    """A <math> element with the LaTeX as its alternative text. Raises Unconvertible."""
    try:
        # The converter leaves some ampersands bare where it does not understand an alignment: those fail to parse here.
        root = ElementTree.fromstring(convert(prepared(latex), display=display))
    except Exception as problem:  # whatever a converter or parser does not like, the reader still gets the LaTeX
        raise Unconvertible(f"{type(problem).__name__}: {problem}") from None
    for node in root.iter():
        text = node.text or ""
        if re.search(r"[\\$&]", text):
            raise Unconvertible(f"not understood: {text}")
        name = node.tag.removeprefix(f"{{{MATHML}}}")
        if len(node) != _PARTS.get(name, len(node)):
            raise Unconvertible(f"{name} with {len(node)} parts")
        variant = node.attrib.pop("mathvariant", None)
        if variant in _ALPHABETS and len(text) == 1:
            node.text = _letter(variant, text)
        elif variant == "normal" and len(text) == 1:
            node.set("mathvariant", "normal")
        if text in _OPERATORS:
            node.tag = f"{{{MATHML}}}mo"
        if text == "∞":
            node.tag = f"{{{MATHML}}}mi"
        if text == "𝟙":
            node.tag = f"{{{MATHML}}}mn"
    root.attrib.pop("display", None)
    root.set("display", display)
    root.set("alttext", latex)
    ElementTree.register_namespace("", MATHML)
    return ElementTree.tostring(root, encoding="unicode")


def _letter(variant: str, text: str) -> str:
    """The mathematical letter of a base letter or digit, or the letter itself where Unicode has none."""
    if (variant, text) in _HOLES:
        return _HOLES[variant, text]
    alphabet = _ALPHABETS["bold" if variant == "bold-italic" and text.isdigit() else variant]
    name = unicodedata.name(text, "")
    for pattern in ("LATIN ", "GREEK ", ""):
        name = name.removeprefix(pattern)
    name = name.replace("CAPITAL LETTER", "CAPITAL").replace("SMALL LETTER", "SMALL")
    try:
        return unicodedata.lookup(f"{alphabet} {name}")
    except KeyError:
        return text


def words(text: str) -> Markup:
    """Plain words with their comparison signs set as signs; identifiers stay as they are."""
    for typed, sign in ((" <= ", " ≤ "), (" >= ", " ≥ "), (" << ", " ≪ "), (" >> ", " ≫ "), (" -> ", " → ")):
        text = text.replace(typed, sign)
    return escape(text)
