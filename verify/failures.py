"""The sequences that fail, in words: how many do, and what is known of all of them or seen on a named one.

A count over a whole pool says nothing of the failing part of it, unless every sequence of the pool is alike. So what the
heads attend is said of all failing sequences where the heads do the same on every sequence, and else of the sequence that
the decision names.
"""

from __future__ import annotations

from collections.abc import Sequence

from numerics.conclusion.decision import Counterexample, Decision
from verify.conclude import POOLS, Conclusion

WORDS = {"query": "the query", "context subjects": "context subjects", "attributes": "attributes", "sep": "[sep]"}
CENTRE = "at the centre of the bounds"
#: How the method of a decision ends whose counts are those of the weights at the centre (verify.conclude).
OPEN = "at the centre of the enclosures"
#: How the method of a conclusion begins that the derivation decided for a vocabulary too large for dense matrices.
DERIVED = "derivation"
#: Tokens of a sequence shown in full: seven demonstrations and the query. Longer ones lose their middle.
SHOWN = 23
#: Tokens predicted that are named.
NAMED = 4


def unproven(d: Decision, bounds: tuple[int, int]) -> str:
    """The mark of a count beside these bounds: what it is a count of, where they are not a point and it is not proven."""
    return "" if bounds[0] == bounds[1] else mark(d)


def mark(d: Decision) -> str:
    """What is shown of a decision that is not exact, besides its bounds: of the weights at the centre, or of none with radii."""
    if d.exact:
        return ""
    return "at the centre" if d.method.endswith(OPEN) else "not proven"


def _kind(place: str) -> str:
    """Kind of a place "p_-4 name" by its position: query p_-1, attributes p_{1-3i}, [sep] p_{-3i}."""
    back = -int(place.split(" ", 1)[0].removeprefix("p_"))
    return "query" if back == 1 else ("sep", "context subjects", "attributes")[back % 3]


def _attends(head: str, kinds: Sequence[str]) -> str:
    """The head and what it attends; of the relation head also what it misses."""
    words = " and ".join(WORDS[kind] for kind in WORDS if kind in kinds)
    name = {"subj": "subject", "rel": "relation"}[head]
    alone = " only" if list(kinds) == ["attributes"] else ""
    missed = ", not the attributes" if head == "rel" and "attributes" not in kinds else ""
    return f"the {name} head attends {words}{alone}{missed}"


def _heads(subj: Sequence[str], rel: Sequence[str]) -> str:
    """Both heads; of the subject head only what is not as it should be."""
    wrong = "" if list(subj) == ["query"] else f"{_attends('subj', subj)}, "
    return wrong + _attends("rel", rel)


def certain(d: Decision) -> bool:
    """Whether attention is known for all weights that are meant, and not only for those at the centre."""
    return d.exact and d.attention is not None


def _everywhere(d: Decision) -> str:
    """What both heads do on every sequence of the pool, hence on every failing one; empty where sequences differ."""
    if d.attention is None or not certain(d):
        return ""
    found = {head: [label for label, count in shares.items() if count] for head, shares in d.attention.items()}
    if any(len(labels) != 1 for labels in found.values()):
        return ""
    subj, rel = (found[head][0].split(" + ") for head in ("subj", "rel"))
    return _heads(subj, rel)


def _besides(c: Conclusion, heads: str) -> str:
    """What keeps attention from being taken for the cause: sequences that are right alike, or nothing amiss with the heads."""
    if any(_everywhere(d) == heads and d.right_bounds[0] for d in c.decisions.values()):
        return ", as on sequences that are right"
    return ", and the target still does not win" if heads == _heads(["query"], ["attributes"]) else ""


def _sequence(tokens: Sequence[str]) -> str:
    shown = [*tokens[:3], "…", *tokens[-5:]] if len(tokens) > SHOWN else tokens
    return f"[{' '.join(shown)}]"


def _outcome(one: Counterexample) -> str:
    """Who is predicted instead of, or beside, the target."""
    rivals = [name for name in one.predicted if name != one.target]
    names = ", ".join(rivals[:NAMED]) + (f" and {len(rivals) - NAMED} more" if len(rivals) > NAMED else "")
    if one.verdict == "tie":
        return f"the target {one.target} ties with {names}"
    return f"{names} {'wins' if len(rivals) == 1 else 'win'} over the target {one.target}"


def example(d: Decision) -> str:
    """What happens on the named sequence; empty where there is none."""
    one = d.counterexample
    if one is None:
        return ""
    where = "" if certain(d) else f", {CENTRE},"
    heads = _heads(*(sorted({_kind(p) for p in places}) for places in (one.attended_subj, one.attended_rel)))
    return f"on {_sequence(one.tokens)}{where} {heads}, and {_outcome(one)}"


def _many(pool: str, d: Decision) -> str:
    """How many sequences of a pool fail, for certain."""
    least = d.total - d.right_bounds[1]
    if d.right_bounds[0] < d.right_bounds[1]:
        return f"at least {least} of {d.total} {POOLS[pool]}"
    return f"all {d.total} {POOLS[pool]}" if least == d.total > 1 else f"{least} of {d.total} {POOLS[pool]}"


def failures(c: Conclusion) -> str:
    """One sentence without its full stop on the sequences that fail after the steps of `c`; empty if it is not known to fail."""
    failing = {pool: d for pool, d in c.decisions.items() if d.holds is False}
    if not failing:
        return ""
    said = f"after {c.objective} steps {' and '.join(_many(pool, d) for pool, d in failing.items())} sequences fail"
    alike = {pool: _everywhere(d) for pool, d in failing.items()}
    first, *others = alike
    if not alike[first]:
        # Where neither is known, the derivation may have decided, and says of each pool why.
        named = example(failing[first]) or (c.reason if c.method.startswith(DERIVED) else "")
        return f"{said}; {'e.g. ' if failing[first].counterexample else ''}{named}" if named else said
    if not others or set(alike.values()) == {alike[first]}:
        return f"{said}; on every one of them {alike[first]}{_besides(c, alike[first])}"
    parts = [
        f"on every failing {POOLS[pool]} one {heads}{_besides(c, heads)}" for pool, heads in alike.items() if heads
    ]
    return f"{said}; {'; '.join(parts)}"
