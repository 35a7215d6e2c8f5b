"""What every committed picture of trained networks shows, in words: for captions and for readers who do not see it.

By the name of its file. The words say what is drawn and how, and no number: those are in the record and may change with it.
"""

from __future__ import annotations

_MATCHES = "exact match, attribute-type match, subject match and attribute match, means over seeds with every seed thin"
_BESIDE = (
    " Beside them exact match with the loss of the last token alone (dotted); in the panels of ICL sequences also exact match without"
    " pretraining (dash-dotted) and levels of two predictors that guess:"
    " all facts known and the type guessed, the type known and its commonest value."
)
_HEADS = (
    " Above, the attention of the last token, a row for each head; below, that of every token, a panel for each head. Of one seed;"
    " a5:17 is value 17 of type 5, types counted from 1 as in the paper."
)
_COSINES = (
    "with f_subj above and with f_rel below: over all coordinates, over the attributes, over the attributes with their mean removed, and as"
    " share of variation explained. Bars are means over seeds, a dot for each seed, hollow where its heads are collapsed. Grey bars are"
    " baselines, such as a constant vector, the outputs for other facts, and the network before training."
)

#: Name of the file without .png -> one or more sentences.
SHOWN = {
    "fig2": "Accuracy at the final token over the iterations of pretraining, in three panels: PT sequences, ICL sequences with seen"
    f" queries, ICL sequences with held-out queries. Lines: {_MATCHES}. Levels: what a reader of the grammar reaches on PT sequences and"
    " the best predictor without facts on ICL sequences.",
    "fig3": "Accuracy at the final token over the iterations of finetuning on ICL sequences, seen queries left and held-out queries"
    f" right. Lines: {_MATCHES}.{_BESIDE}",
    "unlearning": "Exact match on ICL sequences over the iterations of finetuning on them, seen queries left and held-out queries in the"
    " middle, a line for each loss: of every next token, of all but subjects, of attributes alone, of the final token alone, and of every"
    " next token with an unembedding that is no longer tied to the embedding. Right, held-out exact match at the end for each of them, as it"
    " is (filled) and with the embeddings of held-out subjects put back to what they were before finetuning (empty). Means over seeds with"
    " every seed thin, or as a dot. Levels: a predictor that knows all facts and guesses the type, one that knows the type and takes its"
    " commonest value.",
    "fig4_15": "Accuracy at the final token over the iterations of finetuning on ICL+Grm sequences, in four panels: ICL+Grm sequences with"
    f" one grammar token, then ICL sequences, each with seen and with held-out queries. Lines: {_MATCHES}.{_BESIDE}",
    "formats": "Held-out exact match after finetuning on ICL+Grm sequences, by grammar length (rows, 0 is ICL) and number of"
    " demonstrations (columns), means over seeds: left with the loss of all tokens, right with that of the last token alone. A frame"
    " stands around the lengths and numbers that finetuning trained; cells that are empty need more positions than the network has.",
    "fig5": "Exact match on ICL sequences against the number of finetuning subjects, finetuned on ICL sequences left and on ICL+Grm"
    " sequences right: held-out queries at the best step and at the end, seen queries at the end, and right also held-out ICL+Grm"
    " sequences. Lines are means over seeds, a dot for each seed.",
    "fig6_7": "Exact match against grammar length S (above) and number of subjects M (below), a line for each Div, in four panels: PT"
    " sequences after pretraining, held-out ICL and ICL+Grm sequences after finetuning on ICL+Grm, held-out ICL sequences after finetuning"
    " on ICL. Lines are means over seeds, a dot for each seed.",
    "fig8": "A row for each of two Div. Left, against demonstrations: accuracy on held-out queries and silhouette of layer-2 attention by"
    " type, over all pairs of sequences and between sequences without a shared value, beside a count of the values and the best trivial"
    " predictor. Middle: mean cosines within and between types after three numbers of demonstrations, first seed. Right: mean rank of the"
    " source's and the target's attribute against the steering weight beta, seen and held-out queries.",
    "fig16": "Silhouette by type against demonstrations for attention, MLP and residual stream of both layers, a column for each of two"
    " Div: over all pairs of sequences as printed (above) and between sequences that share no value (below), beside a count of the"
    " context's values. Means over seeds, every seed thin.",
    "fig17": "Mean cosines of layer-2 attention within and between types, a matrix of types for each number of demonstrations t and each"
    " of two Div, first seed; red is near 1 and blue near -1.",
    "fig18": "Mean rank of the source's attribute (blue) and of the target's (red) against the steering weight beta, a column for each"
    " target type (counted from 1, as in the paper), a row for each of two Div with seen and with held-out queries. Verticals mark where"
    " the target's passes the source's; means over source types and sequences, every seed thin.",
    "trivial": "Silhouette by type against demonstrations of layer-2 attention of the finetuned network, beside representations in which"
    " no task was learnt: a count of the context's values, a sum of their embeddings, the last value, the initial network, the network"
    " before finetuning, shuffled types, the query subject, random vectors. All pairs of sequences above, pairs without a shared value"
    " below, a column for each of two Div.",
    "learning": "Exact, type and subject match on PT sequences over the iterations of pretraining, a panel for each of two Div: where the"
    " grammar tells the type at once, type match comes first; where it is hard to read, what the subject tells may. Means over seeds,"
    " every seed thin.",
    "attention_pt": f"Attention over one PT sequence after pretraining.{_HEADS}",
    "attention_icl": f"Attention over one ICL sequence after finetuning.{_HEADS}",
    "cosine_pt": f"Cosine of each head's output on PT sequences after pretraining {_COSINES}",
    "cosine_icl": f"Cosine of each head's output on ICL sequences after finetuning {_COSINES}",
    "mechanisms": "Which mechanism the seeds find, as shares of the seeds with 95 % intervals, after pretraining left and after finetuning"
    " right, a bar for each variant of the setting. Suppressing: the subject head pushes down the values of others; boosting: it pushes its"
    " own up; unassociated: its own values do not come out above the others; collapsed: no head attends the subject, or none the type.",
    "accuracy": "Exact match on ICL sequences over the iterations of finetuning (left), seen and held-out queries, every seed thin, beside"
    " two levels of guessing; and at the end (right) by where queries and contexts come from, mean with least and largest over seeds.",
    "slices": "Parts of the matrix W_OV of the subject head (left) and of the relation head (right), after pretraining above and after"
    " finetuning below, one seed: some subjects, values of two types (counted from 1, as in the paper), grammar tokens and [sep],"
    " relations. Columns are input tokens, rows are output tokens; red is positive and blue negative.",
    "fig13": "Exact match on held-out queries against the number of unique attributes seen in finetuning, a panel for each number of PT"
    " and of finetuning subjects, a line for each seed with 95 % intervals. Beside it what Prop. 2 can answer: the share of queries whose"
    " value was seen (solid), its construction's own accuracy (dotted); and copying, majority and chance.",
    "fig14": "A row for each of two numbers of PT subjects. Left and middle: cosine of the subject head's output with f_subj and of the"
    " relation head's with f_rel after pretraining, over all coordinates, the attributes, and the attributes with their mean removed,"
    " beside a constant vector, shuffled facts and the initial network. Right: exact, type, subject and attribute match on held-out"
    " queries after finetuning, beside the share whose value was seen and copying a context attribute. Bars are means over seeds, a dot"
    " for each seed.",
}
