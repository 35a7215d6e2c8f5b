"""The conclusion of the theorem at the user's setting: after hat and after true steps, on every sequence."""

from verify.conclude.after_hat import at_other_S, hat
from verify.conclude.after_true import true
from verify.conclude.any_beta import any_beta
from verify.conclude.conclusion import POOLS, Conclusion
from verify.conclude.least import sharp, sharp_limit

__all__ = ["POOLS", "Conclusion", "any_beta", "at_other_S", "hat", "sharp", "sharp_limit", "true"]
