"""The tables of results/README.md: every number in them is the records' own, to the two digits that it has."""

import re

import pytest

from verify.findings import record as findings
from verify.findings.precision import folder_of
from verify.unlearning import record as unlearning

TEXT = (findings.RESULTS / "README.md").read_text(encoding="utf-8")
SETTINGS = ("quick", "reduced", "paper-short-bfloat16", "paper-short-own-bfloat16", "paper-own-bfloat16")
VARIANTS = {
    "all tokens": "all",
    "no subjects as targets": "no_subjects",
    "attributes alone": "attributes",
    "the last token alone": "last",
    "all tokens, untied for finetuning": "untied",
}


def rows(first):
    """The cells of the rows of the table whose first line begins so; the names of the rows."""
    lines = TEXT.split(first, 1)[1].split("\n")[2:]
    table = [line.strip("|").split("|") for line in lines[: lines.index("")]]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in table}


def numbers(cell):
    return [float(x) for x in re.findall(r"\d+(?:\.\d+)?", cell)]


def networks(name, setting):
    """The measures by seed of a setting, whichever folder it lies in: the finding's own or one below."""
    for folder in (name, f"{name}/{setting}"):
        try:
            found = findings.committed(name, folder=folder)
        except ValueError:
            continue
        if folder_of(found) == setting:
            return found["networks"]
    raise AssertionError(f"no record of {name} at {setting}")


def end(part, group):
    return lambda network: network[part][-1][group]["exact"]


def learnt(network):
    """Of the statement type_first: the evaluation at which exact match is at half of its end."""
    curve = network["pretraining"]
    half = curve[-1]["pt"]["exact"] / 2
    return next(point["step"] for point in curve if point["pt"]["exact"] >= half)


FINDINGS = {
    "Finding 1: PT sequences": ("finding1", end("pretraining", "pt")),
    "… facts known from iteration": ("finding1", learnt),
    "Finding 2: held-out ICL after ICL, all tokens": ("finding2", end("finetuned", "icl_heldout")),
    "… last token": ("finding2", end("last", "icl_heldout")),
    "… without pretraining (best step)": (
        "finding2",
        lambda network: max(point["icl_heldout"]["exact"] for point in network["scratch"]),
    ),
    "Finding 3: held-out ICL after ICL+Grm, all tokens": ("finding3", end("finetuned", "icl_heldout")),
    "… last token, ICL sequences": ("finding3", end("last", "icl_heldout")),
    "… own format (one grammar token), all tokens": ("finding3", end("finetuned", "grm_heldout")),
    "… own format, last token": ("finding3", end("last", "grm_heldout")),
}


@pytest.mark.parametrize("row", FINDINGS)
def test_findings_by_setting(row):
    name, value = FINDINGS[row]
    cells = rows("| | quick, tied, 5 seeds |")[row]
    assert len(cells) == len(SETTINGS)
    for cell, setting in zip(cells, SETTINGS, strict=True):
        found = [value(network) for network in networks(name, setting)]
        said, margin = numbers(cell), 0.5 if max(found) > 1 else 0.0051
        # One number for all seeds, a range "a to b", or a number a seed.
        wanted = [min(found), max(found)] if " to " in cell else found if len(said) > 1 else [said[0]] * len(found)
        if len(said) == 1:
            assert found == pytest.approx(wanted, abs=margin), (row, setting)
        else:
            assert said == pytest.approx(wanted, abs=margin), (row, setting)


@pytest.mark.parametrize("row", VARIANTS)
def test_what_is_unlearnt(row):
    cells = rows("| finetuned with |")[row]
    for cell, preset in zip(cells, ("quick", "reduced", "paper-short"), strict=True):
        plain, _, back = cell.partition("(")
        made, variant = unlearning.committed(preset)["networks"], VARIANTS[row]
        assert numbers(plain) == pytest.approx(
            [one["curves"][variant][-1]["icl_heldout"]["exact"] for one in made], abs=0.0051
        )
        assert numbers(back) == pytest.approx(
            [one["put_back"][variant]["icl_heldout"]["exact"] for one in made], abs=0.0051
        )
