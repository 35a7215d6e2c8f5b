"""The theorem's gradients and conclusion against networks that are run and trained: `python -m verify.against`.

Reading order: settings, convergence (steps on batches against exact gradients), ordering and relation (what a trained relation head
attends to, and in which order), recovery (many plain steps), enumeration (exact against sampled accuracy), plot, __main__.
"""
