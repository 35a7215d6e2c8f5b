"""Finetuning on in-context recall: the hat gradients of both steps and what follows from them."""

from theory.finetuning.balanced import GradientStep, balanced_coefficients, derivation
from theory.finetuning.evaluation import HatGradients, hat_gradients

__all__ = ["GradientStep", "HatGradients", "balanced_coefficients", "derivation", "hat_gradients"]
