"""Exact populations and the gradients of the two-step procedure over them."""

from numerics.population.certified import CertifiedGradients, NotCertified, certified_gradients
from numerics.population.enumerate import population_size, sequences
from numerics.population.exact import ExactGradients, enumerated_hat_gradients
from numerics.population.gradients import Gradients, finetuning_gradients, gradients_at
from numerics.population.halves import FirstStep, halves_first_step, halves_gradients
from numerics.population.marginal import hat_gradients
from numerics.population.sampled import SampledGradients, sampled_gradients
from numerics.population.true import PopulationTooLarge

__all__ = [
    "CertifiedGradients",
    "ExactGradients",
    "FirstStep",
    "Gradients",
    "NotCertified",
    "PopulationTooLarge",
    "SampledGradients",
    "certified_gradients",
    "enumerated_hat_gradients",
    "finetuning_gradients",
    "gradients_at",
    "halves_first_step",
    "halves_gradients",
    "hat_gradients",
    "population_size",
    "sampled_gradients",
    "sequences",
]
