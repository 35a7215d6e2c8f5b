"""What a claim's page shows, put together from its ledger entry, the argument and the transcription."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from paper_checks.contextual_recall import claims as transcribed
from verify.judges.by_setting import BySetting, by_setting
from verify.judges.measured import options_of, parts_of
from verify.judges.part import Part
from verify.judges.theorem2 import quantities
from verify.report.argument import SEVERITY, Argument, Standing
from verify.report.figure import Figure
from verify.report.formula import Formula, formula, words
from verify.report.pictures import FIGURES, Picture, pictures_of

MEANING = {
    "exact": "true as printed",
    "approximate": "true as the printed approximation; the remainder is stated",
    "corrected": "false or incomplete as printed; the nearest true statement is derived and holds",
    "false": "false under its own hypotheses; a counterexample is given",
    "reading": "depends on the reading; what each reading gives is stated",
    "reproduced": "the trend is seen in the networks trained here, at the setting its page names, by a rule fixed before they were",
    "not reproduced": "the trend is not seen in the networks trained here, at the setting its page names, by a rule fixed before they were",
    "undecided": "not decided, which counts as failure",
}
READINGS = {
    "set": "each value that is not the subject's own, once",
    "literal": "with multiplicity, as the sum over the other subjects is printed",
}
STANDING = {
    Standing.SOUND: "It holds, and so does everything that its argument rests on.",
    Standing.TRIED: "It was reproduced at the setting tried here, which is named below; that says nothing of other sizes.",
    Standing.ALONE: "It holds in the default reading, but not every statement that its printed argument rests on does, in every reading.",
    Standing.FAILS: "It does not hold as printed.",
}
UNREPRODUCED = (
    "It was not reproduced at the setting tried here, which is named below; that says nothing of other sizes."
)
_SETTING = re.compile(
    r"balanced ((?:\w+=\d+ ?)+)(?:, beta=(?P<beta>[\d.]+))?(?:, window \d+, T=\d+)?(?:, S=(?P<S>\d+))?"
)
#: Claims on data, model and Propositions 1-4: not on the bench of Theorem 1/2.
_CONSTRUCTIONS = re.compile(r"(pt|vocab|icl|div|eq1|prop\d|prop\d_\w+|beta\.(prop\d|3head))(\.|=|$)")
_FLAGS = {"M": "--M", "L": "--L", "U": "--U", "M_ft": "--M-ft", "N_ft": "--N-ft"}


@dataclass(frozen=True)
class Relation:
    """Another claim, and the words by which the paper's argument ties the two together."""

    id: str
    verdict: str
    title: Markup
    words: Markup


@dataclass(frozen=True)
class Page:
    """One claim, ready for the templates."""

    id: str
    slug: str
    address: str
    where: str
    title: Markup
    verdict: str
    meaning: str
    standing: str
    standing_words: str
    readings: tuple[tuple[str, str, str], ...]
    differs: bool
    statement: Formula
    correction: Markup | None
    note: Markup | None
    correction_formula: Formula | None
    coefficients: str
    counterexample: Markup | None
    remainder: Markup | None
    mutants: tuple[tuple[str, str], ...]
    grounds: tuple[Relation, ...]
    consequences: tuple[Relation, ...]
    weak: tuple[str, ...]
    dependents: int
    figures: tuple[Figure, ...]
    pictures: tuple[Picture, ...]
    networks: str
    measured: tuple[Part, ...]
    by_setting: BySetting | None
    commands: tuple[tuple[str, str], ...]
    fingerprint: str


def slug(name: str) -> str:
    """A claim's id in the letters that file names and fragments may have everywhere."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name.replace("=", "-eq-").replace("<", "-lt-"))


def address(name: str) -> str:
    """File name of a claim's page, relative to the claims folder."""
    return f"{slug(name)}.html"


def rerun(entry: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(what it does, command) for every way to try the claim again."""
    found = [
        ("Recompute the verdict of every claim, in both readings, and compare with the ledger", "python -m verify")
    ]
    show = f"python -m verify show {shlex.quote(entry['id'])}"
    found.append(("Try this claim: its statement, the witnesses' numbers, its counterexample", show))
    if entry["id"] in FIGURES:
        run = f"python -m verify.{FIGURES[entry['id']]} {options_of(FIGURES[entry['id']])}"
        return (*found, ("Train the networks again and judge them", run))
    if _CONSTRUCTIONS.match(entry["id"]):
        return tuple(found)
    found.append(("Try it at the paper's own setting", "python -m verify.theorem1 --M 256 --L 8"))
    known = _SETTING.match(entry["counterexample"] or "")
    if known:
        numbers = dict(pair.split("=") for pair in known.group(1).split())
        if set(numbers) <= set(_FLAGS):
            extra = [f"{_FLAGS[name]} {value}" for name, value in numbers.items()]
            extra += [f"--{name} {value}" for name, value in known.groupdict().items() if value]
            found.append(("Look at the world of the counterexample", f"python -m verify.theorem1 {' '.join(extra)}"))
    if len(set(entry["readings"].values())) > 1:
        found.append(("Try it in the other reading", "python -m verify.theorem1 --M 256 --L 8 --reading literal"))
    return tuple(found)


def _coefficients(name: str, correction: str | None) -> str:
    """What a list of coefficients by class is of; empty where the correction is no such list."""
    if correction is None or not re.match(r"\w+: [^;]*[*/(]", correction):
        return ""
    known = quantities().get(name)
    return "its coefficients" if known is None else known.name


def _relation(argument: Argument, name: str, said: str) -> Relation:
    entry = argument.claims[name]
    return Relation(name, entry["verdict"], words(entry["title"]), words(said))


def page(argument: Argument, name: str, figures: tuple[Figure, ...]) -> Page:
    """The page of a claim. KeyError for an id that the ledger does not have."""
    entry = argument.claims[name]
    standing = argument.standing(name)
    claim = transcribed().get(name)
    why = {} if claim is None else {mutation.name: mutation.why for mutation in claim.mutations}
    correction = entry["correction"]
    networks, measured = parts_of(FIGURES[name], "") if name in FIGURES else ("", [])
    return Page(
        id=name,
        slug=slug(name),
        address=address(name),
        where=entry["where"],
        title=words(entry["title"]),
        verdict=entry["verdict"],
        meaning=MEANING[entry["verdict"]],
        standing=str(standing),
        standing_words=UNREPRODUCED if argument.unreproduced(name) else STANDING[standing],
        readings=tuple((r, READINGS.get(r, r), v) for r, v in entry["readings"].items()),
        differs=argument.differs(name),
        statement=formula(entry["statement"]),
        correction=None if correction is None else words(correction),
        note=words(entry["note"]) if entry.get("note") else None,
        correction_formula=formula(entry["correction_latex"]) if entry["correction_latex"] else None,
        coefficients=_coefficients(name, correction),
        counterexample=words(entry["counterexample"]) if entry["counterexample"] else None,
        remainder=words(entry["remainder"]) if entry["remainder"] else None,
        mutants=tuple((mutant, why.get(mutant, "")) for mutant in entry["mutants"]),
        grounds=tuple(_relation(argument, e.ground, e.words) for e in argument.direct_grounds(name)),
        consequences=tuple(_relation(argument, e.claim, e.words) for e in argument.direct_consequences(name)),
        weak=tuple(argument.weak_grounds(name)),
        dependents=len(argument.consequences(name)),
        figures=tuple(f for f in figures if name in f.claims),
        pictures=pictures_of(name),
        networks=networks,
        measured=tuple(measured),
        by_setting=by_setting(FIGURES[name]) if name in FIGURES else None,
        commands=rerun(entry),
        fingerprint=entry["fingerprint"],
    )


def parts(argument: Argument) -> list[tuple[str, str, list[str]]]:
    """(key, title, claims) of the parts of the paper's argument; a part without claims is left out."""
    first = [name for name in argument.claims if _CONSTRUCTIONS.match(name)]
    trained = [name for name in argument.claims if name in FIGURES]
    rest = [name for name in argument.claims if name not in {*first, *trained}]
    found = [
        ("constructions", "Data, model and constructions: Propositions 1 to 4", first),
        ("finetuning", "Dynamics of finetuning: Theorems 1 and 2", rest),
        ("training", "Trained networks: findings and figures", trained),
    ]
    return [one for one in found if one[2]]


def sections(argument: Argument) -> list[tuple[str, list[str]]]:
    """The claims by their verdict, in the order of severity reversed: what stands first. Empty sections are left out."""
    found = [(v, [n for n in argument.claims if argument.verdict(n) == v]) for v in reversed(SEVERITY)]
    return [(verdict, names) for verdict, names in found if names]
