"""True gradients of a whole population by meeting in the middle: every sequence counts, halves of it are enumerated."""

from numerics.population.halves.first import FirstStep
from numerics.population.halves.gradients import halves_first_step, halves_gradients

__all__ = ["FirstStep", "halves_first_step", "halves_gradients"]
