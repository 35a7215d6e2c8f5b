"""The constructions of Propositions 1-4: exact at beta = inf, float64 and certified at finite beta."""

from numerics.constructions.evaluate import Evaluation, HeadOutput, evaluate
from numerics.constructions.finite import Accuracy, accuracy, logit_balls, margin_ball, network
from numerics.constructions.heads import Construction, Head, prop1, prop2, prop3, prop4
from numerics.constructions.margins import Margins, margins
from numerics.constructions.populations import Case, grouped, icl_tallies, pretraining_tallies
from numerics.constructions.tally import NOTIONS, Failure, Tally, merged
from numerics.constructions.threshold import Threshold, bisected_threshold, certified_threshold, limit_margins

__all__ = [
    "NOTIONS",
    "Accuracy",
    "Case",
    "Construction",
    "Evaluation",
    "Failure",
    "Head",
    "HeadOutput",
    "Margins",
    "Tally",
    "Threshold",
    "accuracy",
    "bisected_threshold",
    "certified_threshold",
    "evaluate",
    "grouped",
    "icl_tallies",
    "limit_margins",
    "logit_balls",
    "margin_ball",
    "margins",
    "merged",
    "network",
    "pretraining_tallies",
    "prop1",
    "prop2",
    "prop3",
    "prop4",
]
