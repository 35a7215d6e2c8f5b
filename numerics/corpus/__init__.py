"""The sequences of Section 2: facts and grammar chains, and samplers of PT, ICL and ICL+Grm on the device that trains."""

from numerics.corpus.batch import IGNORED, Batch
from numerics.corpus.config import ASSIGNMENTS, CorpusConfig
from numerics.corpus.corpus import Corpus
from numerics.corpus.icl import POOLS, ICLSampler
from numerics.corpus.pretraining import PTSampler

__all__ = ["ASSIGNMENTS", "IGNORED", "POOLS", "Batch", "Corpus", "CorpusConfig", "ICLSampler", "PTSampler"]
