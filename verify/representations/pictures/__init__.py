"""Fig. 8 and 16-18 from a record, drawn like the paper's, with seeds, and what has no task beside."""

from verify.representations.pictures.canvas import draw

__all__ = ["draw"]
