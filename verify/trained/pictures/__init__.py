"""Pictures of the figures, drawn like the paper's, with baselines and seeds beside."""

from verify.trained.pictures.canvas import PICTURES, draw

__all__ = ["PICTURES", "draw"]
