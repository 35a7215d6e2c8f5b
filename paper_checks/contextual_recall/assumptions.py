"""What the statements of Appendix C.2 assume, as predicates of a setting.

Theorem 2 names the five of THEOREM_2; Lemma C.1 adds C_LARGE and Lemma C.2 ALPHA_2_SMALL. BALANCED is a hypothesis of no
statement: the proof of Theorem 2 says it ("Since each value appears on M/U_L subjects"). BALANCED_FT is not printed at
all: it is ours, what the printed E of the hat gradient of W_OV^rel needs of the finetuning subjects.

A setting's parameters: M, L, U (largest number of values of a type), M_ft, N_ft, m, T, S, G, V, all_values_seen,
balanced_all (each value on M/U subjects), balanced_ft (each value equally often among the finetuning subjects), and,
where step sizes matter, alpha_2.
"""

from paper_checks.claim import Assumption, Parameters, much_larger

ALL_VALUES_SEEN = Assumption(
    "every value is seen in finetuning",
    r"\mathcal{U}'_\ell=\mathcal{U}_\ell\ \forall\ell",
    lambda p: p["all_values_seen"],
)
M_LARGE = Assumption("M >> m L", r"M\gg mL", lambda p: much_larger(p["M"], p["m"] * p["L"]))
M_FT_SMALLER = Assumption("M > M_ft", r"M>M_{\text{ft}}", lambda p: p["M"] > p["M_ft"])
M_FT_LARGE = Assumption("M_ft >> U", r"M_{\text{ft}}\gg U_L", lambda p: much_larger(p["M_ft"], p["U"]))
SHORT_CONTEXT = Assumption("T <= S + 2", r"\mathrm{T}\le S+2", lambda p: p["T"] <= p["S"] + 2)
BALANCED = Assumption(
    "each value appears on M/U subjects",
    r"|\{j: a^\ell_j=u\}| = M/U_L",
    lambda p: p["balanced_all"],
)
BALANCED_FT = Assumption(
    "each value appears on M_ft/U finetuning subjects",
    r"|\{j\in\mathcal{S}': a^\ell_j=u\}| = M_{\text{ft}}/U_L",
    lambda p: p["balanced_ft"],
)
C_LARGE = Assumption("M >= C U with C > e", r"M\ge CU_L,\ C>e", lambda p: p["M"] > 2.718281828459045 * p["U"])
ALPHA_2_SMALL = Assumption(
    "alpha_2 <= 1 / (lambda_1 + m lambda_2)",
    r"\alpha_2\le(\lambda_1+m\lambda_2)^{-1}",
    lambda p: None if p.get("alpha_2") is None else p["alpha_2"] <= alpha_2_limit(p),
)

THEOREM_2 = (ALL_VALUES_SEEN, M_LARGE, M_FT_SMALLER, M_FT_LARGE, SHORT_CONTEXT)
PROOF_BALANCED = (*THEOREM_2, BALANCED)


def alpha_2_limit(p: Parameters) -> float:
    """The largest alpha_2 that Lemma C.2 admits: lambda_1 = (m-1) N_ft / T, lambda_2 = U^2 / (M_ft T)."""
    lambda_1 = (p["m"] - 1) * p["N_ft"] / p["T"]
    lambda_2 = p["U"] ** 2 / (p["M_ft"] * p["T"])
    return 1 / (lambda_1 + p["m"] * lambda_2)
