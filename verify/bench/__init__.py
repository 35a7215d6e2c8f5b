"""Benchmarks: how long each way to the population gradients takes, on the same worlds and in the same run.

Reading order: plan (how thorough), methods (the ways), timing (interleaved repeats), fit (exponents), growth (one size
varied alone), closed (the closed forms), population (the run), record, showing, plot; training
(the trainer's iteration), training_showing; __main__ (the command line).
"""
