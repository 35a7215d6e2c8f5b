"""True gradients of whole populations, certified: every entry with a proven radius, no enumeration of sequences."""
