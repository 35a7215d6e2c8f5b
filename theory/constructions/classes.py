"""Classes of tokens that have one logit in one situation, and how an argmax set relates to the next-token law."""

from enum import StrEnum


class TokenClass(StrEnum):
    """Output tokens. `type` is the type of the current relation token (PT, at sep) or of the sequence (ICL)."""

    TARGET = "own attribute of the type"
    OTHER_OF_TYPE = "other value of the type"
    UNSEEN_OF_TYPE = "other value of the type, outside U'"
    OWN_OF_OTHER_TYPE = "own attribute of another type"
    OTHER_OF_OTHER_TYPE = "other value of another type"
    OWN_VALUE = "own attribute of any type l"
    OTHER_VALUE = "other value of any type l"
    GRAMMAR = "G"
    RELATION = "R"
    SEP = "[sep]"
    OWN_SUBJECT = "the subject"
    SUBJECT = "another subject j"


class Key(StrEnum):
    """Input tokens by what the value matrices make of them; a share is the head's total attention on them."""

    SUBJECT = "the subject"
    CONTEXT_SUBJECT = "context subjects"
    RELATION = "relation tokens"
    CURRENT_RELATION = "the current relation token"
    GRAMMAR = "grammar tokens"
    SEP = "[sep]"
    ATTRIBUTE = "attribute tokens"
    SEEN_ATTRIBUTE = "attribute tokens of U'"


class Verdict(StrEnum):
    """How the argmax set A relates to the support of the exact next-token law."""

    EXACT = "A is the support"
    SUBSET = "A lies strictly inside the support"
    TIE = "A has possible and impossible tokens"
    WRONG = "A has no possible token"

    @property
    def right(self) -> bool:
        """Every token of A can come next (if only one can: it is the unique argmax)."""
        return self in (Verdict.EXACT, Verdict.SUBSET)
