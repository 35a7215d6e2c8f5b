"""Formulas that hold sequence by sequence, and bounds over all sequences, derived from the definitions."""
