"""The four groups of figures: what the paper says of them, the statements they are judged by, the pictures drawn."""

from dataclasses import dataclass

from verify.trained.rules import (
    Statement,
    accuracy_statement,
    further,
    heads_statement,
    matrices_statement,
    matrix_parts,
    occurrence,
)


@dataclass(frozen=True)
class Figure:
    """name of the entry point, claim id, positions, the paper's words, statements, parts of the measures, pictures."""

    name: str
    claim: str
    title: str
    positions: str
    printed: str
    statements: tuple[Statement, ...]
    parts: tuple[str, ...]
    pictures: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of sequences that it shows heads on."""
        return tuple(kind for kind in ("pt", "icl") if kind in self.parts)


_RECENT = occurrence("own_subject", "the most recent occurrence of the subject")
_FIRST = occurrence("first_subject", "the first occurrence of the subject")

FIGURES = {
    figure.name: figure
    for figure in (
        Figure(
            "fig9_10",
            "fig9-10",
            "Fig. 9, 10: heads after pretraining",
            "relative",
            "Head 2 attends to the most recent subject, head 0 to the most recent relation token, as predicted by Prop. 1;"
            " their outputs closely match f_subj and f_rel.",
            (heads_statement("pt"), *further("pt"), _RECENT),
            ("pt", "accuracy"),
            ("attention_pt", "cosine_pt", "mechanisms"),
        ),
        Figure(
            "fig11_12",
            "fig11-12",
            "Fig. 11, 12: heads after finetuning",
            "relative",
            "Head 2 attends to the most recent subject, head 0 to the attribute tokens, as predicted by Prop. 2;"
            " their outputs closely match f_subj and f_rel.",
            (heads_statement("icl"), *further("icl")),
            ("icl", "accuracy"),
            ("attention_icl", "cosine_icl", "mechanisms"),
        ),
        Figure(
            "fig19_21",
            "fig19-21",
            "Fig. 19-21: held-out accuracy and OV matrices",
            "relative",
            "Finetuning on a subset of subjects enables generalization to held-out query subjects; subject heads suppress"
            " attributes not associated with the subject and do not change much after finetuning; the relation head encodes"
            " relation-attribute associations, after finetuning attribute-attribute associations of the same type.",
            (
                accuracy_statement("heldout", covered=False),
                matrices_statement(),
                *matrix_parts(),
            ),
            ("ov", "accuracy", "curve"),
            ("accuracy", "slices"),
        ),
        Figure(
            "fig22_26",
            "fig22-26",
            "Fig. 22-26: absolute positions",
            "absolute",
            "Head 0 attends to the first subject, head 1 to the most recent relation token; after finetuning to the most recent"
            " subject and the attribute tokens; outputs closely match f_subj and f_rel; finetuning enables generalization to"
            " held-out query subjects.",
            (
                heads_statement("pt"),
                heads_statement("icl"),
                accuracy_statement("heldout_covered", covered=True),
                accuracy_statement("heldout", covered=False, main=False),
                *further("pt"),
                *further("icl"),
                _FIRST,
                _RECENT,
                matrices_statement(main=False),
                *matrix_parts(),
            ),
            ("pt", "icl", "ov", "accuracy", "curve"),
            ("attention_pt", "cosine_pt", "attention_icl", "cosine_icl", "accuracy", "mechanisms"),
        ),
    )
}


def figure(name: str) -> Figure:
    """Raises ValueError for an unknown name."""
    if name not in FIGURES:
        raise ValueError(f"figure must be one of {', '.join(FIGURES)}, got {name!r}")
    return FIGURES[name]
