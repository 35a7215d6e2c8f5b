"""Formulas as text mean what they meant: read back by SymPy, they are the expressions that they were printed from."""

import io

import pytest
import sympy
from rich.console import Console
from sympy.parsing.sympy_parser import convert_xor, implicit_multiplication, parse_expr, standard_transformations

from theory.finetuning import derivation
from verify.derive import chains, show_chain
from verify.plain import plain, terms

RULES = (*standard_transformations, implicit_multiplication, convert_xor)


def read_back(text: str, expression: sympy.Expr) -> sympy.Expr:
    names = {symbol.name: symbol for symbol in expression.free_symbols}
    return parse_expr(
        text.replace("√", "sqrt").replace("η", "eta"), local_dict=names | {"sqrt": sympy.sqrt}, transformations=RULES
    )


@pytest.mark.parametrize("name", ["kq_subj", "ov_rel", "ov_rel_projected", "kq_rel"])
def test_balanced_coefficients_are_read_back(name):
    found = derivation(name).coefficients
    assert any(c.balanced() != 0 for c in found.values())
    for coefficient in found.values():
        expression = coefficient.balanced()
        assert sympy.simplify(read_back(plain(sympy.latex(expression)), expression) - expression) == 0


@pytest.mark.parametrize(
    "text", ["(a + b)/(c*d)", "a/b/c", "sqrt(a**2 + b)/c", "-(a - 1)/(b**2*(c + 1)**3)", "a**(b + 1)", "1/(1 + 1/a)"]
)
def test_fractions_and_roots_are_bracketed(text):
    expression = sympy.sympify(text)
    assert sympy.simplify(read_back(plain(sympy.latex(expression)), expression) - expression) == 0


def test_exponents():
    assert plain(r"a_{j_{q}}^{\ell} + b^{2} + c^{n + 1} + d^{-1}") == "a_j_q^ℓ + b^2 + c^(n + 1) + d^(-1)"
    assert plain(r"\left(a \leq b\right)") == "(a ≤ b)"
    with pytest.raises(ValueError, match="must have no fraction or root in an exponent"):
        plain(r"a^{\frac{1}{2}}")


def test_no_latex_is_left_and_a_term_has_a_line():
    for name, make in chains().items():
        chain = make()
        console = Console(width=100, record=True, file=io.StringIO())
        show_chain(console, chain, latex=False)
        text = console.export_text()
        assert "\\" not in text and "{" not in text, name
        assert max(len(line) for line in text.splitlines()) <= 100
    step = chains()["kq_subj"]().steps[0]
    assert terms(plain(step.latex)) == [
        "∑_s ∈ heldout,seen ∑_l ∈ types ∑_u ∈ values (1) 1[u = a_s^l] h(u) h(s)^T",
        "+ ∑_s ∈ heldout,seen ∑_l ∈ types ∑_u ∈ values (-1) h(u) h(s)^T",
    ]
    assert terms("a + b (c + d) + e") == ["a + b (c + d) + e"]
    assert terms("h(a) + b (c + d) h(e) + f") == ["h(a)", "+ b (c + d) h(e)", "+ f"]
