"""Findings 1-4 and Fig. 5: the 2-layer transformer on facts in grammar, judged by rules that precede the runs."""
