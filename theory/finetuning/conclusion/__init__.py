"""What the final weights predict in a balanced world, and the sharp condition for it to be right."""

from theory.finetuning.conclusion.balanced import Conclusion, balanced_conclusion
from theory.finetuning.conclusion.limit import LimitConclusion, limit_conclusion, limit_condition, limit_M_ft
from theory.finetuning.conclusion.sharp import SharpCondition, sharp_condition, sharp_M_ft

__all__ = [
    "Conclusion",
    "LimitConclusion",
    "SharpCondition",
    "balanced_conclusion",
    "limit_M_ft",
    "limit_conclusion",
    "limit_condition",
    "sharp_M_ft",
    "sharp_condition",
]
