"""What a head does in one situation, what the logits are, and what follows from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from theory.constructions.classes import Key, TokenClass, Verdict
from theory.derivation import Step
from theory.rational import evaluate

Number = int | Fraction
Parameters = Mapping[str, Number]


def substituted(expression: sympy.Basic, parameters: Parameters) -> sympy.Basic:
    """Replace symbols by name. ValueError if a symbol is left without a value."""
    values = {}
    for symbol in expression.free_symbols:
        if symbol.name not in parameters:
            needed = sorted(s.name for s in expression.free_symbols)
            raise ValueError(f"parameters: no value for {symbol.name!r}; {expression} needs {needed}")
        value = Fraction(parameters[symbol.name])
        values[symbol] = sympy.Rational(value.numerator, value.denominator)
    return expression.subs(values, simultaneous=True)


def exact(expression: sympy.Basic, parameters: Parameters) -> Fraction:
    """Exact rational value. ValueError if a symbol is missing or the value is not rational."""
    if not expression.has(sympy.Abs, sympy.Max):
        return evaluate(expression, {s: parameters[s.name] for s in expression.free_symbols if s.name in parameters})
    value = substituted(expression, parameters)
    if not isinstance(value, sympy.Rational):
        raise ValueError(f"expression = {expression}: its value {value} is not rational")
    return Fraction(int(value.p), int(value.q))


@dataclass(frozen=True)
class Statement:
    """A condition in the parameters, as a SymPy Boolean."""

    name: str
    condition: sympy.Basic
    explanation: str

    def holds(self, parameters: Parameters) -> bool:
        """Exact truth at integers or Fractions, by symbol name."""
        return bool(substituted(self.condition, parameters))


@dataclass(frozen=True)
class Quantity:
    """A number that depends on the parameters."""

    name: str
    expression: sympy.Expr
    explanation: str = ""

    def value(self, parameters: Parameters) -> Fraction:
        return exact(self.expression, parameters)


@dataclass(frozen=True)
class Head:
    """Attention (shares by key class, summing to 1) and output f_h (coefficients by token class, 0 if absent)."""

    name: str
    attended: str
    shares: Mapping[Key, sympy.Expr]
    output: Mapping[TokenClass, sympy.Expr]


@dataclass(frozen=True)
class Law:
    """Next-token law: mass of each token class; inside a class all tokens are equally likely."""

    masses: Mapping[TokenClass, sympy.Expr]

    def value(self, parameters: Parameters) -> dict[TokenClass, Fraction]:
        return {token: exact(mass, parameters) for token, mass in self.masses.items()}


@dataclass(frozen=True)
class Outcome:
    """When `condition` holds, the argmax set is the union of `winners`; `distance` is the total variation distance of
    the uniform law on it from the exact next-token law."""

    condition: sympy.Basic
    winners: frozenset[TokenClass]
    verdict: Verdict
    distance: sympy.Expr

    def holds(self, parameters: Parameters) -> bool:
        return bool(substituted(self.condition, parameters))


@dataclass(frozen=True)
class Case:
    """One situation of a sequence: heads, logits, law, outcomes (exclusive and exhaustive where `occurs`)."""

    name: str
    occurs: sympy.Basic
    heads: tuple[Head, ...]
    logits: Mapping[TokenClass, sympy.Expr]
    law: Law
    outcomes: tuple[Outcome, ...]
    steps: tuple[Step, ...] = field(default=())

    def value(self, token: TokenClass, parameters: Parameters) -> Fraction:
        """Exact logit of a token of the class (0 for a class that does not appear)."""
        return exact(self.logits.get(token, sympy.Integer(0)), parameters)

    def outcome(self, parameters: Parameters) -> Outcome:
        """The outcome whose condition holds. ValueError if none does: the situation cannot occur there."""
        for outcome in self.outcomes:
            if outcome.holds(parameters):
                return outcome
        raise ValueError(f"parameters = {dict(parameters)}: {self.name} does not occur; it needs {self.occurs}")


def added(heads: Iterable[Head]) -> dict[TokenClass, sympy.Expr]:
    """f = sum of the heads' outputs."""
    total: dict[TokenClass, sympy.Expr] = {}
    for head in heads:
        for token, coefficient in head.output.items():
            total[token] = sympy.together(total.get(token, sympy.Integer(0)) + coefficient)
    return total


def steps_of(heads: Iterable[Head], logits: Mapping[TokenClass, sympy.Expr], why: Iterable[str]) -> tuple[Step, ...]:
    """One step per head (attention), one per head's output, and the logits."""

    def row(items: Mapping[TokenClass, sympy.Expr] | Mapping[Key, sympy.Expr]) -> str:
        return r",\quad ".join(rf"\text{{{key.value}}}: {sympy.latex(value)}" for key, value in items.items()) or "0"

    steps = []
    for head in heads:
        steps.append(Step(f"Attention of the {head.name} head", head.attended, row(head.shares)))
        steps.append(Step(f"Output of the {head.name} head", "Columns of W_OV times the shares.", row(head.output)))
    steps.append(Step("Logits", "Sum of the outputs; every class that is not listed has 0.", row(logits)))
    steps.extend(Step("Argmax", sentence, "") for sentence in why)
    return tuple(steps)
