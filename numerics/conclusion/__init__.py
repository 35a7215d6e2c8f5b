"""Is the model right on all sequences? Decided by exact counting, never by sampling.

decide(world, n_demos, weights) answers for known final weights, decide_interval for weights between bounds. Reading
order: setting (the population), rational (weights as integers), levels (attention ranks), forward (one sequence,
plainly), enumerate (every sequence), cases, compose, tally and patterns (count patterns), search (smallest
counterexample), interval, singly (each sequence for itself), balls and symmetry (small populations after true steps of any
size: bounds, and entries that are equal).
"""

from numerics.conclusion.decide import TooManySequences, decide, decide_interval
from numerics.conclusion.decision import Counterexample, Decision
from numerics.conclusion.rational import Weights

__all__ = ["Counterexample", "Decision", "TooManySequences", "Weights", "decide", "decide_interval"]
