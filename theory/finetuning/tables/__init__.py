"""The two-step theorem for arbitrary value frequencies: the sharp conditions, the worst sequences, the exact verdict."""

from theory.finetuning.tables.conditions import Condition
from theory.finetuning.tables.diagnosis import Diagnosis, diagnose
from theory.finetuning.tables.differences import Comparison, differences
from theory.finetuning.tables.forward import Outcome, Prediction, Sequence

__all__ = ["Comparison", "Condition", "Diagnosis", "Outcome", "Prediction", "Sequence", "diagnose", "differences"]
