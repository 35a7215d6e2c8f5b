"""What README.md and the sentences of results/README.md say of the findings, said again here with the records' own numbers put in."""

import pytest

from verify.findings import record as findings
from verify.unlearning import record as unlearning

TEXTS = [
    " ".join((folder / "README.md").read_text(encoding="utf-8").split())
    for folder in (findings.RESULTS, findings.RESULTS.parent)
]


def networks(folder):
    """The measures by seed of the record in a folder."""
    return findings.committed(folder.partition("/")[0], folder=folder)["networks"]


def points(curve, group, metric="exact"):
    """Step to value."""
    return {point["step"]: point[group][metric] for point in curve}


def last(curve, group, metric="exact"):
    return f"{curve[-1][group][metric]:.2f}"


def said(step):
    """A step as the text writes it: 4500, 13 750."""
    return f"{step:,}".replace(",", " ") if step >= 10_000 else str(step)


def own_sizes_stages():
    [network] = networks("finding1/paper-own-bfloat16")
    exact, kind = points(network["pretraining"], "pt"), points(network["pretraining"], "pt", "type")
    low = max(step for step, value in exact.items() if value < 0.05)
    dip = min(step for step in kind if step > low and kind[step] < 0.99)
    first = min(step for step in kind if all(kind[one] >= 0.99 for one in kind if step <= one < dip))
    a, b, c = (low + 250 * (1 + one) for one in range(3))
    assert all(kind[step] >= 0.99 for step in kind if step >= c)
    assert min(kind[step] for step in (a, b)) == kind[dip] == min(kind[step] for step in kind if step >= first)
    yield (
        f"The type is answered in 0.99 or more from iteration {first} on, while exact match stays below 0.05 up to {said(low)}; it is "
        f"{exact[a]:.2f} at {said(a)}, {exact[b]:.2f} at {said(b)} and {exact[c]:.2f} at {said(c)}, where type match, {kind[dip]:.2f} "
        "for one evaluation, is back at 0.99."
    )


def own_sizes_icl():
    [network] = networks("finding2/paper-own-bfloat16")
    exact, alone = points(network["finetuned"], "icl_heldout"), points(network["last"], "icl_heldout")
    assert min(value for step, value in alone.items() if step >= 150) >= 0.995
    assert max(points(network["scratch"], "icl_heldout").values()) <= 0.015
    yield (
        f"Finetuning on ICL sequences answers {exact[150]:.2f} of held-out queries after 150 iterations, {max(exact.values()):.2f} at best "
        f"and {exact[2000]:.2f} at the end (last token: 1.00 from 150 on; without pretraining at most 0.01)"
    )


def own_sizes_grammar():
    [network] = networks("finding3/paper-own-bfloat16")
    assert network["finetuned"][-1]["icl_heldout"]["exact"] == 0
    exact = {last(network[part], "icl_heldout") for part in ("last", "attributes")}
    assert exact == {"0.06"}
    yield (
        f"answers held-out queries of its own format ({last(network['finetuned'], 'grm_heldout')} at the end; "
        f"{last(network['last'], 'grm_heldout')} with a loss of the last token alone) and none of ICL sequences"
    )
    yield (
        f"({last(network['last'], 'icl_heldout', 'type')} and {last(network['attributes'], 'icl_heldout', 'type')}) and with the subject's "
        f"own attribute in 0.06 only, near the {network['trivial']['icl_heldout']['type_known']:.2f} of the type's commonest value"
    )


def own_sizes_formats():
    [network] = networks("finding3/paper-own-bfloat16")
    among, formats = network["among_attributes"], network["formats"]
    trained = [
        row for S, row in zip(formats["finetuned"]["S_ft"], formats["finetuned"]["exact"], strict=True) if 1 <= S <= 5
    ]
    longer = [row for S, row in zip(formats["finetuned"]["S_ft"], formats["finetuned"]["exact"], strict=True) if S > 5]
    cells = {
        (S, n): value
        for S, row in zip(formats["last"]["S_ft"], formats["last"]["exact"], strict=True)
        for n, value in zip(formats["last"]["n_demos"], row, strict=True)
        if n < 16
    }
    named = [cells.pop(cell) for cell in ((5, 8), (1, 4), (1, 2))]
    assert f"{max(cells.values()):.2f}" == "0.06"
    yield (
        f"at the paper's own sizes in {among['finetuned']['exact']:.2f} and {among['finetuned']['type']:.2f} "
        f"(without pretraining: {among['scratch']['type']:.2f})"
    )
    yield f"{min(map(min, trained)):.2f} to {max(map(max, trained)):.2f} at the paper's own sizes)"
    yield (
        f"At the paper's own sizes nothing longer is read (at most {max(map(max, longer)):.2f}), and with the last token alone few "
        f"other numbers of demonstrations ({named[0]:.2f} at 5 tokens and 8; {named[1]:.2f} and {named[2]:.2f} at 1 and 4 or 2; "
        "else at most 0.06)"
    )


def unembedding():
    own, tied = networks("finding2"), networks("finding2/paper-short-bfloat16")

    def pair(made, step):
        return " and ".join(f"{points(network['finetuned'], 'icl_heldout')[step]:.2f}" for network in made)

    [single] = networks("finding2/paper-short-own")
    yield (
        f"as in Fig. 3: {pair(own, 150)} after 150 iterations, {pair(own, 2000)} after 2000, where the tied networks on the same "
        f"facts and batches (other initial weights) have {pair(tied, 150)} and fall to {pair(tied, 2000)}."
    )
    yield f"which is partly rounding: seed 0 in float32 has {last(single['last'], 'icl_heldout')}."


def among_attributes():
    made = {kind: networks(folder) for kind, folder in (("tied", "finding3/paper-short-bfloat16"), ("own", "finding3"))}
    exact, kind = (
        {
            which: " and ".join(f"{network['among_attributes']['finetuned'][metric]:.2f}" for network in found)
            for which, found in made.items()
        }
        for metric in ("exact", "type")
    )
    scratch = [network["among_attributes"]["scratch"]["type"] for found in made.values() for network in found]
    yield (
        f"at paper-short the likeliest one would be right in {exact['tied']} of held-out queries tied, in {exact['own']} with an "
        f"unembedding of its own, and of the right type in {kind['tied']}, and {kind['own']} (a guess: 0.125; the same "
        f"finetuning without pretraining: {min(scratch):.2f} to {max(scratch):.2f})"
    )


def attribute_targets():
    own, tied = networks("finding3"), networks("finding3/paper-short-bfloat16")
    able = [network for network in own if network["attributes"][-1]["icl_heldout"]["type"] > 0.5]
    assert len(able) == 1
    assert all(
        network["attributes"][-1]["icl_heldout"]["exact"] == 0 for network in (*own, *tied) if network is not able[0]
    )
    ends = {
        part: " and ".join(last(network[part], "grm_heldout") for network in tied)
        for part in ("attributes", "finetuned")
    }
    curve, known = able[0]["attributes"], able[0]["trivial"]["icl_heldout"]["type_known"]
    yield (
        f"of the right type in {last(curve, 'icl_heldout', 'type')}, and still not with the subject's own: {last(curve, 'icl_heldout')}, "
        f"which is what the commonest value of the type gives ({known:.2f})."
    )
    yield f"which answer their own format then ({ends['attributes']} at one grammar token; with all tokens {ends['finetuned']})."


def rounding():
    [single] = networks("finding2/paper-short-own")
    rounded = networks("finding2")[0]
    ours, theirs = (points(network["finetuned"], "icl_heldout") for network in (single, rounded))
    apart = max(abs(ours[step] - theirs[step]) for step in ours)
    assert apart < 0.035
    yield f"exact match on ICL sequences lies within {apart:.2f}, with {ours[2000]:.3f} at the end (rounded: {theirs[2000]:.3f})."
    ours, theirs = (points(network["last"], "icl_heldout") for network in (single, rounded))
    behind = max(ours[step] - theirs[step] for step in ours)
    yield f"by up to {behind:.2f}, and has {theirs[2000]:.2f} at the end for {ours[2000]:.2f}."
    [single], rounded = networks("finding3/paper-short-own"), networks("finding3")[0]
    (grammar, rounded_grammar), (among, rounded_among), (kind, rounded_kind), (exact, rounded_exact) = (
        [value(network) for network in (single, rounded)]
        for value in (
            lambda network: last(network["finetuned"], "grm_heldout"),
            lambda network: f"{network['among_attributes']['last']['type']:.2f}",
            lambda network: last(network["attributes"], "icl_heldout", "type"),
            lambda network: last(network["attributes"], "icl_heldout"),
        )
    )
    yield f"is answered in {grammar} (rounded: {rounded_grammar}) at one grammar token"
    yield (
        f"the type would be right in {among} (rounded: {rounded_among}). With a loss of attributes alone ICL sequences are answered with "
        f"the right type in {kind} (rounded: {rounded_kind}), and rightly in {exact} ({rounded_exact})."
    )


def cell(table, S, n):
    """Exact match at S grammar tokens and n demonstrations."""
    return table["exact"][table["S_ft"].index(S)][table["n_demos"].index(n)]


def formats():
    """Of the settings with several seeds; {(S_ft, demonstrations): mean over seeds of exact match}."""

    def mean(folder, part):
        tables = [network["formats"][part] for network in networks(folder)]
        return {
            (S, n): sum(table["exact"][i][j] for table in tables) / len(tables)
            for i, S in enumerate(tables[0]["S_ft"])
            for j, n in enumerate(tables[0]["n_demos"])
            if all(table["exact"][i][j] is not None for table in tables)
        }

    own, quick = mean("finding3", "finetuned"), mean("finding3/quick", "finetuned")
    trained = [value for (S, _), value in own.items() if 1 <= S <= 4]
    yield f"at every length and number of demonstrations that was trained ({min(trained):.2f} to {max(trained):.2f} in the mean over seeds;"
    longer = [value for (S, _), value in quick.items() if S == 3]
    yield f"(3 after training on 1 and 2: {min(longer):.2f} to {max(longer):.2f} in the mean over seeds,"
    alone = mean("finding3/quick", "last")
    largest, (S, n) = max((value, cell) for cell, value in alone.items() if cell[1] != max(n for _, n in alone))
    yield f"(largest elsewhere: {largest:.2f} at {S} tokens and {n} demonstrations)"
    tied, untied = (
        " and ".join(f"{cell(network['formats']['last'], 5, 8):.2f}" for network in networks(folder))
        for folder in ("finding3/paper-short-bfloat16", "finding3")
    )
    yield f"at 8 demonstrations (tied {tied} at 5 tokens after 1 to 4, own {untied})."
    assert ((5 + 3) * (8 + 1) - 2, (1 + 3) * (16 + 1) - 2) == (70, 66)  # input tokens, numerics/corpus/icl.py


def moved_embeddings():
    short, quick = (unlearning.committed(preset)["networks"] for preset in ("paper-short", "quick"))

    def held_out(made, variant, what):
        return [network["moved"][variant]["heldout"][what] for network in made]

    length = " and ".join(f"{value:.2f}" for value in held_out(short, "all", "length"))
    assert {f"{value:.2f}" for value in held_out(short, "all", "common")} == {"0.98"}
    far, common, alone = (
        f"{min(values):.2f} to {max(values):.2f}"
        for values in (
            held_out(quick, "all", "length"),
            held_out(quick, "all", "common"),
            held_out(quick, "last", "common"),
        )
    )
    yield (
        f"move by {length} of their length at paper-short, 0.98 of the square in one direction common to all (quick {far} and {common}). "
        f"With the last token alone they move nearly as far at the quick setting, but {alone} in common."
    )


def reduced():
    made = networks("finding1/reduced")
    exact, kind = (
        " and ".join(f"{points(network['pretraining'], 'pt', metric)[900]:.2f}" for network in made)
        for metric in ("exact", "type")
    )
    yield f"after 900 iterations type match is {kind} and exact match {exact} in both)"
    again = unlearning.committed("reduced")["networks"]
    ends = [" and ".join(last(network["curves"][part], "icl_heldout") for network in again) for part in ("all", "last")]
    yield f"reached {ends[0]}, with the last token {ends[1]} (the table above)"


def stages():
    own, tied = networks("finding1"), networks("finding1/paper-short-bfloat16")
    exact, kind = (points(own[0]["pretraining"], "pt", metric) for metric in ("exact", "type"))
    within = [kind[step] for step in kind if 3000 <= step <= 5500]
    assert max(exact[step] for step in exact if step <= 5500) < 0.04
    assert f"{exact[6500]:.2f}" == f"{kind[6500]:.2f}" == "0.97"
    yield f"type match is {min(within):.2f} to {max(within):.2f} from iteration 3000 to 5500 (seed 0) while exact match stays below 0.04"
    after = points(own[1]["pretraining"], "pt")
    assert min(value for step, value in after.items() if step >= 4750) > 0.95 > after[4500]
    low = [points(network["pretraining"], "pt") for network in tied]
    assert max(curve[step] for curve in low for step in curve if step <= 9000) < 0.06
    types = [points(network["pretraining"], "pt", "type") for network in tied]
    within = [curve[step] for curve in types for step in curve if 4000 <= step <= 9000]
    yield f"Tied: {min(within):.2f} to {max(within):.2f} from iteration 4000 to 9000 with exact match below 0.06"
    yield f"{' and '.join(f'{curve[10500]:.2f}' for curve in low)} at 10500."
    at_end = " and ".join(last(network["pretraining"], "pt") for network in own)
    assert at_end == " and ".join(last(network["pretraining"], "pt") for network in tied)
    yield f"At the end PT sequences are answered in {at_end} (the best reader of the grammar: {own[0]['reachable']:.3f})."


def ends(folder, part, group):
    return [float(last(network[part], group)) for network in networks(folder)]


def listed(values):
    return " and ".join(f"{value:.2f}" for value in values)


def shown(folder):
    """How many seeds show every main statement."""
    whole = findings.committed(folder.partition("/")[0], folder=folder)["all_main"]
    return f"{whole['count']} of {whole['of']}"


def table_of_the_first_readme():
    pt = {folder: ends(f"finding1{folder}", "pretraining", "pt") for folder in ("", "/quick", "/paper-own-bfloat16")}
    assert shown("finding1") == shown("finding1/paper-short-bfloat16") == shown("finding2") == "2 of 2"
    assert all(
        shown(f"finding{i}/paper-own-bfloat16") == count for i, count in ((1, "1 of 1"), (2, "1 of 1"), (3, "0 of 1"))
    )
    yield (
        f"| reproduced, 2 of 2 seeds at paper-short, tied as well; quick: {shown('finding1/quick')}; shown by the one seed at the paper's own "
        f"sizes | PT exact {pt[''][0]:.2f}, {pt[''][1]:.2f} (quick {min(pt['/quick']):.2f} to {max(pt['/quick']):.2f}; paper "
        f"{pt['/paper-own-bfloat16'][0]:.2f}), ICL exact 0 |"
    )
    own, tied, paper = (
        ends(folder, "finetuned", "icl_heldout")
        for folder in ("finding2", "finding2/paper-short-bfloat16", "finding2/paper-own-bfloat16")
    )
    early = [points(network["finetuned"], "icl_heldout")[150] for network in networks("finding2/paper-short-bfloat16")]
    yield (
        f"2 of 2 seeds at paper-short; with the embedding as unembedding {shown('finding2/paper-short-bfloat16')} (quick: "
        f"{shown('finding2/quick')}); shown by the one seed at the paper's own sizes, own unembedding | held-out ICL at the end, own "
        f"unembedding: {listed(own)}, at the paper's own sizes {listed(paper)}; tied: {listed(tied)} (after 150 iterations {listed(early)}), "
        f"with a loss of the last token alone {listed(ends('finding2/paper-short-bfloat16', 'last', 'icl_heldout'))} |"
    )
    tied_folders = ("finding3/quick", "finding3/reduced", "finding3/paper-short-bfloat16")
    assert shown("finding3") == shown("finding3/paper-short-bfloat16") == "0 of 2"
    everywhere = ("finding3", "finding3/paper-own-bfloat16", *tied_folders)
    assert all(value == 0 for folder in everywhere for value in ends(folder, "finetuned", "icl_heldout"))
    grammar = [value for folder in tied_folders for value in ends(folder, "finetuned", "grm_heldout")]
    yield (
        f"| not reproduced, 0 of 2 seeds at paper-short, tied as well; quick: {shown('finding3/quick')}; not shown by the one seed at the "
        f"paper's own sizes | ICL 0, at the paper's own sizes as well: a subject is always continued with grammar; in the own format "
        f"{min(grammar):.2f} to {max(grammar):.2f} tied, {listed(ends('finding3', 'finetuned', 'grm_heldout'))} with an unembedding of its own, "
        f"{listed(ends('finding3/paper-own-bfloat16', 'finetuned', 'grm_heldout'))} at the paper's own sizes |"
    )
    more = [network["points"] for network in networks("fig5")]
    assert all(point["best"] == 0 for points_of in more for point in points_of["icl+grm"])
    means = [sum(points_of["icl"][i]["best"] for points_of in more) / len(more) for i in (0, -1)]
    yield f"| not reproduced, {len(more)} seeds | ICL rises {means[0]:.2f} to {means[1]:.2f}, ICL+Grm is 0 |"


def own_sizes_in_the_first_readme():
    [one], [two], [three] = (networks(f"finding{i}/paper-own-bfloat16") for i in (1, 2, 3))
    exact, answered = points(one["pretraining"], "pt"), points(two["finetuned"], "icl_heldout")
    assert max(value for step, value in exact.items() if step < 14_000) < 0.05
    assert min(value for step, value in exact.items() if step >= 14_750) > 0.99
    yield "the facts not before 14 000 and then within 750 iterations"
    yield f"finetuning answers {answered[150]:.2f} of held-out queries after 150 iterations and {answered[2000]:.2f} at the end."
    grammar, alone = (last(three[part], "grm_heldout") for part in ("finetuned", "last"))
    kind, right = (last(three["last"], "icl_heldout", metric) for metric in ("type", "exact"))
    yield (
        f"it answers {grammar} of their held-out queries and no ICL sequence; with a loss of the last token alone {alone}, and ICL sequences "
        f"with the right type in {kind} and the right token in {right}."
    )
    tied, own, paper = (
        [network["among_attributes"]["finetuned"]["exact"] for network in networks(f"finding3{folder}")]
        for folder in ("/paper-short-bfloat16", "", "/paper-own-bfloat16")
    )
    yield (
        f"the four networks at paper-short would be right in {tied[0]:.2f}, {tied[1]:.2f} (tied), {listed(own)} of the held-out queries, "
        f"the one at the paper's own sizes in {listed(paper)}."
    )


SENTENCES = (
    own_sizes_stages,
    own_sizes_icl,
    own_sizes_grammar,
    own_sizes_formats,
    unembedding,
    among_attributes,
    attribute_targets,
    rounding,
    formats,
    moved_embeddings,
    reduced,
    stages,
    table_of_the_first_readme,
    own_sizes_in_the_first_readme,
)


@pytest.mark.parametrize("sentences", SENTENCES, ids=lambda one: one.__name__)
def test_what_the_prose_says_is_what_the_records_hold(sentences):
    for sentence in sentences():
        assert sentence in TEXTS["first_readme" in sentences.__name__]
