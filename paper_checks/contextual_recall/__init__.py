"""Transcription of "Understanding Contextual Recall in Transformers" (arXiv:2603.20969v1), Sections 2 to 4 and Appendices B and C."""

from paper_checks.claim import Claim
from paper_checks.contextual_recall import (
    conclusions,
    constructions,
    figures,
    findings,
    framework,
    gradient,
    lemmas,
    relation_kq,
    relation_ov,
    subject_head,
)


def claims() -> dict[str, Claim]:
    """Every transcribed claim by its id, in the order of the paper's argument."""
    algebra = (framework, constructions, gradient, lemmas, subject_head, relation_ov, relation_kq, conclusions)
    modules = (*algebra, findings, figures)
    found = [claim for module in modules for claim in module.claims()]
    return {claim.id: claim for claim in found}
