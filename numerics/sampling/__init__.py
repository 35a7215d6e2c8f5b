"""Samplers of the sequences of Section 4 on the device that trains."""

from numerics.sampling.batch import IclBatch, PretrainingBatch
from numerics.sampling.icl import IclSampler
from numerics.sampling.pretraining import GRAMMAR_ONLY, PretrainingSampler
from numerics.sampling.tables import Tables

__all__ = ["GRAMMAR_ONLY", "IclBatch", "IclSampler", "PretrainingBatch", "PretrainingSampler", "Tables"]
