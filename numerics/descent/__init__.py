"""Plain gradient descent from the initial construction: the two steps of the theorem on batches, and many more of them."""

from numerics.descent.accuracy import Accuracy, exact_accuracy, sampled_accuracy
from numerics.descent.descent import Point, Rates, after_first, descend, two_steps
from numerics.descent.network import Gradients, Network, gradients, initial, logits

__all__ = [
    "Accuracy",
    "Gradients",
    "Network",
    "Point",
    "Rates",
    "after_first",
    "descend",
    "exact_accuracy",
    "gradients",
    "initial",
    "logits",
    "sampled_accuracy",
    "two_steps",
]
