"""True gradients (softmax term kept) in closed form for product tables: F holds every combination of values once."""

from theory.finetuning.product.gradients import ProductGradients, product_gradients
from theory.finetuning.product.table import ProductTable

__all__ = ["ProductGradients", "ProductTable", "product_gradients"]
