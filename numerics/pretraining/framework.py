"""The sequences of Section 2 as token lists, written from their definitions: subject-grammar-attribute subsequences.

Tokens are named tuples of strings and indices; nothing is drawn here, the draws are arguments.
"""

from collections.abc import Sequence

Token = tuple[str, int] | tuple[str, int, int] | tuple[str]
SEP: Token = ("sep",)


def subsequence(j: int, kind: int, grammar: Sequence[int]) -> list[Token]:
    """X_j^l = [s_j, g_1, .., g_S, a_j^l]."""
    return [("subject", j), *(("grammar", g) for g in grammar), ("attribute", j, kind)]


def joined(parts: Sequence[list[Token]]) -> list[Token]:
    """X || [sep] || X' || [sep] ..."""
    out = list(parts[0])
    for part in parts[1:]:
        out += [SEP, *part]
    return out


def pretraining(j: int, kinds: Sequence[int], grammar: Sequence[Sequence[int]]) -> list[Token]:
    """A PT sequence: one subject, a type and grammar tokens for each subsequence."""
    return joined([subsequence(j, kind, g) for kind, g in zip(kinds, grammar, strict=True)])


def in_context(kind: int, subjects: Sequence[int]) -> list[Token]:
    """An ICL sequence: [s, a, [sep], s', a', [sep], ..], one type."""
    out: list[Token] = []
    for n, j in enumerate(subjects):
        out += ([SEP] if n else []) + [("subject", j), ("attribute", j, kind)]
    return out


def in_context_with_grammar(kind: int, subjects: Sequence[int], grammar: Sequence[Sequence[int]]) -> list[Token]:
    """An ICL+Grm sequence: the subsequences of several subjects, one type."""
    return joined([subsequence(j, kind, g) for j, g in zip(subjects, grammar, strict=True)])
