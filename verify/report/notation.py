"""How to read the report: the letters, abbreviations and words that claims, corrections and counterexamples use."""

from __future__ import annotations

#: (heading, ((terms, what they mean), ...)); terms as the pages write them.
NOTATION: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Sizes",
        (
            ("M, M_ft", "number of subjects; number of finetuning subjects among them"),
            (
                "L, U (also U_L)",
                "number of types (relations); number of values of a type. U=(4, 2) names it type by type",
            ),
            ("A", "number of values of all types, U_1 + … + U_L; L U_L where every type has U_L of them"),
            ("G", "number of grammar tokens in the vocabulary"),
            ("V", "size of the vocabulary, M + A + L + G + 1"),
            (
                "S, N_tr",
                "in a PT sequence: relation and grammar tokens between a subject and [sep]; number of subsequences",
            ),
            (
                "N_ft, m",
                "in an ICL sequence: number of demonstrations; number of subjects, m = N_ft + 1, the query included",
            ),
            (
                "T",
                "number of tokens of a sequence without its target; in the one-layer network (S + 3) N_tr - 1 for PT and 3m - 1 for ICL",
            ),
        ),
    ),
    (
        "Tokens, positions, sequences",
        (
            (
                "s0, r0, g0, [sep]",
                "subject 0, the relation token of type 0, grammar token 0, the separator. Everything is counted from 0 here, types too;"
                " the paper counts types from 1, and so do a few pictures, which say it",
            ),
            ("a^0=0", "the attribute token of type 0 with the value 0; a^1=3 has type 1 and the value 3"),
            (
                "PT, ICL, ICL+Grm",
                "the sequences of pretraining; sequences in context, where every demonstration is a subject with its attribute of one type and"
                " the query a subject without it; the same with grammar tokens before the attribute. In the one-layer network [sep] stands"
                " before each attribute, in the two-layer one between demonstrations",
            ),
            (
                "p_0, p_-1, p_-k",
                "positions counted back from the last token, which is p_0; in an ICL sequence of the one-layer network p_-1 is the query,"
                " p_{1-3i} are the attributes, p_{-1-3i} the context subjects (i = 1 … N_ft), p_{-3i} the [sep] (i = 0 … N_ft)",
            ),
            ("seen, held-out query", "the query subject is one of the finetuning subjects, or is not"),
            (
                "right, tie",
                "right: the target alone has the largest of all logits of the vocabulary. A tie for the largest is counted as a tie, not as"
                " right",
            ),
            ("h(·)", "the one-hot embedding of a token or position"),
            ("xbar", "the mean of the inputs x_i of a sequence, (x_1 + … + x_T)/T: what uniform attention passes on"),
        ),
    ),
    (
        "Frequencies and counts",
        (
            (
                "balanced",
                "every value of a type belongs to M/U subjects and, on a table, to finetuning subjects as equally as possible. The balanced"
                " formulas have every f_u = 1/U, which a table has exactly where U divides M_ft",
            ),
            ("f_u, f_y", "share of the finetuning subjects that have the value u; the target y. f_max is the largest"),
            ("F", "sum over the values u of a type of f_u^2, averaged over the types; 1/U where balanced"),
            ("N_u, N_y", "number of all M subjects that have the value u; the target y"),
            (
                "k_u",
                "number of the m subjects of a sequence that have the value u; the printed k_j counts how often subject j occurs",
            ),
            (
                "C_y",
                "number of the m subjects of a sequence, the query included, that have the target y as their value",
            ),
        ),
    ),
    (
        "Readings and steps",
        (
            (
                "set, literal",
                "two readings of W_OV^subj, which suppresses the values of other subjects: set, each value that is not the subject's own"
                " once (the default here); literal, once for every other subject that has it, as the sum is printed, so that a value of its own"
                " that others share is suppressed too",
            ),
            (
                "hat steps, true steps",
                "gradient steps of the theorem's procedure on the exact population. Hat: the gradient without its softmax term, as the"
                " paper takes it (L-hat); true: the gradient of the loss, softmax term kept. r-hat and r are the same pair within a gradient",
            ),
            ("pi_v", "the probability that the softmax of the logits gives to the token v"),
            (
                "beta",
                "the scale of the attention scores; beta -> inf is hard attention, uniform over ties (finite beta: thm2.accuracy)",
            ),
            ("eta=(a, b, c)", "the step sizes of W_KQ^subj, W_OV^rel and W_KQ^rel, in this order"),
            (
                "alpha_2 and its limit",
                "alpha_2 is eta_OV^rel/(L T U^2), the scale of the step of W_OV^rel. Lemma C.2 admits it up to 1/(lambda_1 + m lambda_2),"
                " with lambda_1 = (m - 1) N_ft/T and lambda_2 = U^2/(M_ft T)",
            ),
            (
                "window w",
                "the relation head starts uniform over the last w positions, w = S + 2; not named where it covers all T",
            ),
            (
                "p query, own_attribute_seen, …",
                "classes of coordinates or of matrix entries (output, then input), one coefficient for all of a class: p marks positions,"
                " seen and heldout are subjects in and outside the finetuning set",
            ),
        ),
    ),
    (
        "Trained networks",
        (
            (
                "preset",
                "a setting that is written down in the code: quick is scaled down, quick-long and reduced are nearer to the paper in some"
                " sizes (longer contexts; all but the lengths of the grammar and of the training), paper-short has all of them but the"
                " shortest grammar of its Fig. 6, paper has the paper's sizes where its record says so",
            ),
            (
                "reproduced at the setting tried",
                "a verdict on networks trained at one setting, by a rule fixed before they were. It is no proof, and is counted apart from"
                " statements that hold; not reproduced is no refutation at other sizes either",
            ),
        ),
    ),
)
