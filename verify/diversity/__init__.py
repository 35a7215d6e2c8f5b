"""Figs. 13 and 14: how many different attributes finetuning shows, and how many subjects pretraining has.

Reading order: subjects (finetuning sets with a controlled number of values), settings (sizes), runs (training), ceiling
(what Prop. 2 can answer), measured (what a network shows), rules13, rules14 (verdicts), plot13, plot14, command.
"""
