"""True gradients of whole populations, certified: every entry with a proven radius, no enumeration of sequences."""

from numerics.population.certified.gradients import certified_gradients
from numerics.population.certified.result import CertifiedGradients, NotCertified

__all__ = ["CertifiedGradients", "NotCertified", "certified_gradients"]
