"""Which claim rests on which: the references that the paper's own argument makes, Section 4 and Appendix C.2.

An edge (claim, ground, words) says that the paper's argument for `claim` uses `ground`; `words` say where. Printed
references (“using Lemma C.1”, “Substituting into Eq. 11”) are quoted: between “ and ” stand the paper's words, its
formulas in plain characters, … for what is left out. The others are definitions that the next line needs. Two edges
are ours, and their words say so: the paper does not say what its step sizes have to do with Lemma C.2, nor apply
Theorem 2 to the setting of App. C.3.2. Nothing here depends on a verdict. Ids are those of the claims; an id may be
named before its claim is transcribed, so readers keep only the edges whose two ends they know.

Two places need a word, because the proof refers ahead of itself. “as we will see, … is Theta(1/m)” makes the
comparison of true and hat gradients rest on the per-sequence gradient and on E[C_y], not on the update that is read
off later; and the updates rest on that comparison, since they replace the true gradient by the hat one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    """The argument for `claim` uses `ground`; `words` quote or name the place, or say that the relation is ours."""

    claim: str
    ground: str
    words: str


_RESTS_ON: dict[str, dict[str, str]] = {
    "prop1.f_subj": {"eq1": "“with beta -> inf, this head outputs”"},
    "prop1.logits": {"prop1.f_subj": "“Combining these outputs”"},
    "prop1.last": {
        "prop1.logits": "“yielding the correct prediction”",
        "prop3.t=T": "the outputs of the grammar head “do not affect the conclusions in this case, as shown in the full proof in App. C”",
    },
    "prop3.f_grm.T": {
        "eq1": "the output of the grammar head at t = T",
        "pt.length": "the weight 1/T of every position",
    },
    "prop3.t<T.rel_subj": {"eq1": "the outputs of the two heads at t < T"},
    "prop3.t=T": {
        "prop1.f_subj": "f_subj at t = T",
        "prop3.f_grm.T": "“Combining the outputs of the individual heads”",
    },
    "prop3.t=T-1": {"prop3.t<T.rel_subj": "“Combining the outputs of the individual heads”"},
    "prop3.t=T-S-1": {"prop3.t<T.rel_subj": "“Combining the outputs of the individual heads”"},
    "prop3.t=T-S-2": {"prop3.t<T.rel_subj": "“Combining the outputs of the individual heads”"},
    "prop3.window": {"prop3.t<T.rel_subj": "“Combining the outputs of the individual heads”"},
    "prop3.earlier": {
        "prop3.t=T-1": "“it can be easily extended to other cases where t < T - S - 2”",
        "prop3.t=T-S-1": "“it can be easily extended to other cases where t < T - S - 2”",
        "prop3.t=T-S-2": "“it can be easily extended to other cases where t < T - S - 2”",
        "prop3.window": "“it can be easily extended to other cases where t < T - S - 2”",
    },
    "prop3.always": {
        "prop3.t=T": "the case t = T",
        "prop3.t=T-1": "the case t = T - 1",
        "prop3.t=T-S-1": "the case t = T - S - 1",
        "prop3.t=T-S-2": "the case t = T - S - 2",
        "prop3.window": "the cases in between",
        "prop3.earlier": "the cases t < T - S - 2",
    },
    "prop2.last": {
        "prop1.f_subj": "“The subject head operates similarly”",
        "prop4.coverage": "“the set of attributes seen during finetuning U'_l should match the full set U_l”",
        "prop2_vs_4.rel": "its proof in App. C is that of Proposition 4",
    },
    "prop4.f": {
        "prop1.f_subj": "“minimal changes to the construction in the proof of Proposition 1”",
        "prop3.f_grm.T": "“the grammar head is unchanged”",
    },
    "prop4.last": {
        "prop4.f": "“Combining the outputs of the individual heads”",
        "prop4.coverage": "“when the scalar beta -> inf and U'_l = U”",
    },
    "fig9-10": {"prop1.last": "“as predicted by Proposition 1”"},
    "fig11-12": {
        "prop2.last": "“as predicted by Proposition 2”",
        "fig9-10": "“the model repurposes its heads for the new task”",
    },
    "fig13": {
        "prop4.coverage": "“generalization on held-out query subjects depends on how many unique attributes are seen during FT”"
    },
    "fig14": {"prop1.f_subj": "“the subject and relation head outputs predicted by the construction in Proposition 1”"},
    "fig19-21": {"fig11-12": "“Fig. 19 in the App. shows that the model generalizes on held-out subjects”"},
    "fig22-26": {"prop1.last": "“as predicted by Proposition 1”", "prop2.last": "“as predicted by Proposition 2”"},
    "beta.prop1": {"prop1.last": "“scaled by a sufficiently large beta”"},
    "beta.prop2": {"prop2.last": "“scaled by a sufficiently large beta”"},
    "beta.3head": {
        "prop3.always": "“when the scalar beta -> inf”",
        "prop4.last": "“when the scalar beta -> inf”",
    },
    "grad.f": {"eq1": "“Recall that f(X) = sum_{k=1}^H W_OV^k g_k(X)”"},
    "grad.softmax": {"grad.f": "“where we use ∇_{g_k} L = (W_OV^k)^T ∇_f L = (W_OV^k)^T u”"},
    "eq11": {"grad.softmax": "“Finally, we have that”: sum of dL/dlambda_j times the gradient of lambda_j"},
    "beta.bookkeeping": {"eq11": "the factor beta of Eq. (11), carried into the updated weights"},
    "lemC1": {"lemC1.logit": "“Using Eq. 13, we have Z = …”"},
    "subj.rhat": {
        "lemC1": "“From Lemma C.1, pi_u <= …”",
        "grad.f": "r_i is u^T W_OV x_i",
        "vocab.size": "“since V >= M + U_L L >> mL”",
    },
    "eq12": {
        "eq11": "“Substituting into Eq. 11, we obtain”",
        "subj.rhat": "r-hat_i - mean of r-hat in place of r_i - rbar",
        "index": "p_{3k} and q = 3 N_ft",
    },
    "subj.E_tokens": {
        "subj.E_Cy": "“since Pr(a_i^{l*} = y | y) = 1/U_L”",
        "thm2.unbalanced": "“Since each value appears on M/U_L subjects”",
    },
    "subj.true_vs_hat": {
        "subj.rhat": "the bound of |r-hat_i - r_i|",
        "eq11": "both gradients have the form of Eq. (11)",
        "eq12": "“as we will see, … is Theta(1/m)”",
        "subj.E_Cy": "“as we will see, … is Theta(1/m)”",
    },
    "subj.update": {
        "eq12": "“Taking expectation in Eq. 12 over the context”",
        "subj.E_Cy": "“and substituting these to simplify”",
        "subj.E_tokens": "“and substituting these to simplify”",
        "subj.true_vs_hat": "“Therefore, in the next part, we analyze” the hat gradient",
        "beta.bookkeeping": "“the updated weight matrix is W_KQ^subj ≈ beta(… + alpha_1 h(p_{-1})) h([sep])^T”",
    },
    "rel.first_kq": {
        "eq11": "the gradient is zero because every r_i is",
        "window": "“Since S + 2 >= T”",
    },
    "rel.ov.neglect": {
        "lemC1": "“Then, using Lemma C.1, we have that”",
        "grad.f": "the gradient with respect to W_OV",
        "window": "attention 1/T on every position",
    },
    "rel.ov.expect": {
        "grad.f": "the gradient with respect to W_OV without its softmax term",
        "window": "attention 1/T on every position",
        "thm2.unbalanced": "every value has the frequency 1/U_L",
    },
    "rel.ov.norm": {"rel.ov.expect": "“as we will see, … = Theta(sqrt(U_L L)) > 1”"},
    "rel.ov.projection": {"rel.ov.expect": "“We right project this gradient”: its fourth term"},
    "rel.ov.drop": {
        "rel.ov.expect": "“since M_ft >> U_L”: its second term",
        "rel.ov.projection": "“We right project this gradient”",
    },
    "rel.ov.update": {
        "rel.ov.drop": "“Since alpha_2 = eta_OV^rel (L T U_L^2)^-1, the updated weight matrix is”",
        "rel.ov.neglect": "“Therefore, we analyze” the hat gradient “hereon”",
        "rel.ov.norm": "“i.e. it dominates the norm of the difference”",
    },
    "lemC2.logit": {
        "rel.ov.update": "Lemma C.2: “when using the weights” after the first iteration",
        "subj.update": "Lemma C.2: “the subject head attends to the query subject”",
        "window": "Lemma C.2: “the relation head attends uniformly over all T positions”",
    },
    "lemC2.middle": {"lemC2.logit": "“Then, we have pi_v <= …”: the logits, exponentiated"},
    "lemC2": {
        "lemC2.middle": "the first inequality of the chain",
        "thm2.step_sizes": "“assuming alpha_2 <= (lambda_1 + m lambda_2)^-1”, which bounds eta_OV^rel: our relation, the paper does not speak of step sizes here",
    },
    "rel2.neglect": {
        "lemC2": "“using Lemma C.2, we have that”",
        "rel.ov.update": "“We use the updated W_OV^rel to compute the gradient”",
        "eq11": "“Following similar steps as in the update for the subject head”",
    },
    "rel2.sep": {
        "rel.ov.update": "“We use the updated W_OV^rel to compute the gradient”",
        "rel.first_kq": "“Since W_KQ^rel remains unchanged in the first iteration, alpha_i^rel = 1/T”",
        "eq11": "the gradient with respect to W_KQ",
        "index": "h(s_{j_i}) + p_{3i} and h(a_{j_i}) + p_{3i+2}",
    },
    "rel2.attr": {
        "rel2.sep": "the case tables of r-hat",
        "subj.E_Cy": "“E[C_y h(y)] = … = E[h(y) E[C_y | y]] = (m/U_L) E[h(y)]”",
    },
    "rel2.subject": {
        "rel2.sep": "the case tables of r-hat",
        "subj.E_tokens": "E sum_i 1[a_i = y] h(s_{j_i})",
        "subj.E_Cy": "E[C_y] = m/U_L",
    },
    "rel2.position": {
        "rel2.sep": "the case tables of r-hat",
        "subj.E_Cy": "E[C_y] = m/U_L",
        "index": "p_{3i+2} and p_{3i}",
    },
    "rel2.norm": {
        "rel2.attr": "“as we will see, … = Theta(m^2)”",
        "rel2.subject": "“as we will see, … = Theta(m^2)”",
        "rel2.position": "“as we will see, … = Theta(m^2)”",
    },
    "rel2.update": {
        "rel2.attr": "“Combining these terms”",
        "rel2.subject": "“Combining these terms”",
        "rel2.position": "“Combining these terms”",
        "rel2.neglect": "“Therefore, we analyze” the hat gradient “hereafter”",
        "rel2.norm": "“i.e. it dominates the norm of the difference”",
        "rel.first_kq": "“two steps of GD on W_KQ^rel”, the first of which changes nothing",
        "beta.bookkeeping": "“the updated weight matrix is W_KQ^rel ≈ beta(… + alpha_3(…)) h([sep])^T”",
    },
    "thm2.last_step": {
        "subj.update": "“Using these updated weights”",
        "rel.ov.update": "“Using these updated weights”",
        "rel2.update": "“Using these updated weights”",
        "prop4.last": "“following similar steps as in the proof of Proposition 4”",
    },
    "thm2.finite_beta": {"thm2.last_step": "“These weights, with sufficiently large beta”"},
    "thm2.accuracy": {
        "subj.update": "“the updated weights satisfy”",
        "rel.ov.update": "“the updated weights satisfy”",
        "rel2.update": "“the updated weights satisfy”",
        "thm2.last_step": "“Further, when beta -> inf, this model gets perfect accuracy”",
        "thm2.hypotheses": "“Assume that …”",
        "thm2.step_sizes": "“with step size eta_KQ^subj”, eta_OV^rel, eta_KQ^rel",
        "window": "“Assume that … T <= S + 2”",
    },
    "thm2.unique_attr": {
        "thm2.accuracy": "our relation: Theorem 2 read at the setting of App. C.3.2, which is offered “to corroborate our theoretical constructions”"
    },
    "thm1_vs_2": {
        "subj.update": "Eq. (6)",
        "rel.ov.update": "Eq. (7)",
        "rel2.update": "Eq. (7)",
        "thm2.hypotheses": "“sufficiently large M, M_ft, small N_ft” against the hypotheses of Theorem 2",
        "index": "p_{1-3i} against p_{3i+2}",
    },
}


def edges() -> tuple[Edge, ...]:
    """Every edge, in the order of the claims above. O(number of edges)."""
    return tuple(
        Edge(claim, ground, words) for claim, grounds in _RESTS_ON.items() for ground, words in grounds.items()
    )


def grounds() -> dict[str, tuple[str, ...]]:
    """Claim id -> ids that its argument uses directly; claims that use none are not keys."""
    return {claim: tuple(found) for claim, found in _RESTS_ON.items()}
