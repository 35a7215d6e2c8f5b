"""The thresholds of "sufficiently large beta" in words, x = e^beta. The closed forms stand in theory.constructions.thresholds and
positions; the checks compare them with the counted thresholds, and tests compare these words with them."""

PROP_1 = (
    "every PT sequence is right at t = T exactly for e^beta > N_tr - 1 if L >= 2 (N_tr = 1: every beta), and for "
    "every beta if L = 1"
)
PROP_2 = (
    "every sequence with seen or held-out queries, contexts from the finetuning subjects and covered values "
    "(U'_l = U_l) is right exactly for e^beta > N_ft if some U_l >= 2, and for every beta if all U_l = 1"
)
PROP_3 = (
    "Prop. 3, x = e^beta, G >= 1, N = N_tr. L >= 2: at t = T every sequence is right exactly for x > N - 1 (else an own attribute of another "
    "type wins or ties; this binds for large N, S = 9 and N = 9, say) and (T - 2.5 N) x^2 - 2.5 N (S + N) x - 2.5 N (T - S - N - 1) > 0 "
    "(else a grammar token does). "
    "Before T, from which beta on are the argmax sets those of "
    "beta = infinity? t = T-1 ([sep]): x > N + sqrt(N^2 + N - 1). t = T-S-2 (the subject, values not shared): x "
    "> (3N - 1)/2. t = T-S-1, and from the second subsequence on grammar slots without a relation token attended: for N >= 2 at no finite beta, "
    "since earlier relation tokens add to G alone and the tie of G and R is one of beta = infinity only; for N = "
    "1 at every beta. Slots with one relation token attended, from the second subsequence on: every beta; with "
    "two: no finite beta (G alone, the tie with [sep] only at infinity). First subsequence, after its relation "
    "token: [sep], which is wrong, for x > 2, G for x < 2. Together no beta, finite or not, makes every position "
    "right: for S >= 2 position T-1 needs x > 2 and the first subsequence x < 2, and for S = 1 G is in the "
    "argmax set after the subject where only a relation token can follow. L = 1: at t = T exactly (T - 2.5 N) x^2 + ((N - 1) T - 2.5 N (S + N)) "
    "x - 2.5 N (S + 2) (N - 1) > 0; t = T-1: x > (N + 1 + sqrt((N + 1)^2 + 8 (N - 1)))/2; t = T-S-2, N >= 2: x > 5/2"
)
PROP_4 = (
    "Prop. 4, N = N_ft, seen or held-out queries, contexts from the finetuning subjects, covered values: exactly "
    "for N x/(N x + 2N + 2) - N x/(x^2 + N x + 2N + 1) > (2N + 2)/(3N + 2) if some U_l >= 2, and for x > 4 (N + "
    "1)^2/N^2 if all U_l = 1"
)
THREE_HEADS = f"{PROP_3}. {PROP_4}"

LITERAL = (
    "in the literal reading no beta suffices where a value is shared, and the thresholds are those of the set "
    "reading where none is"
)
LITERAL_1 = (
    "in the literal reading no beta suffices where a value is shared (one exception: L = 1, N_tr >= 2, every "
    "value of exactly two subjects, right at every finite beta > 0 and tied at infinity), and the thresholds are "
    "those of the set reading where none is"
)

LATEX_1 = r"e^\beta>N_{\text{tr}}-1\ (L\ge2)"
LATEX_2 = r"e^\beta>N_{\text{ft}}\ (\text{some }U_\ell\ge2)"
LATEX_3 = (
    r"x=e^\beta,\ L\ge2:\quad t=\mathrm T:\ x>N-1,\ (\mathrm T-\tfrac52N)x^2-\tfrac52N(S+N)x-\tfrac52N(\mathrm T-S-N-1)>0;\quad "
    r"t=\mathrm T-1:\ x>N+\sqrt{N^2+N-1};\quad t=\mathrm T-S-2:\ x>\tfrac{3N-1}2;\quad t=\mathrm T-S-1:\ \beta=\infty\ (N\ge2)"
)
LATEX_4 = r"\frac{Nx}{Nx+2N+2}-\frac{Nx}{x^2+Nx+2N+1}>\frac{2N+2}{3N+2}\ (\text{some }U_\ell\ge2)"
LATEX_3_4 = rf"{LATEX_3};\quad\text{{Prop. 4: }}{LATEX_4}"
