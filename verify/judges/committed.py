"""The committed record of a claim on trained networks, whichever entry point wrote it."""

from __future__ import annotations

from typing import Any

from verify.diversity.command import committed as sweep
from verify.findings import findings
from verify.findings.record import committed as finding
from verify.representations.record import committed as representations
from verify.setting import SettingError
from verify.trained.record import committed as figure

#: Entry points whose records hold measures by seed and number of subjects, and those of the two-layer network.
SWEEPS = ("fig13", "fig14")
FINDINGS = (*findings.FINDINGS, "finding5")
#: Other records of a finding, in folders below its own named for their preset, or for it and their precision: told beside the
#: verdict, which rests on its own.
BESIDE = {
    "finding1": (
        "paper-short-own",
        "paper-own-bfloat16",
        "paper-short-bfloat16",
        "paper-short",
        "reduced",
        "quick",
        "quick-own",
    ),
    "finding2": (
        "paper-short-own",
        "paper-own-bfloat16",
        "paper-short-bfloat16",
        "paper-short",
        "reduced",
        "quick",
        "quick-own",
    ),
    "finding3": ("paper-short-own", "paper-own-bfloat16", "paper-short-bfloat16", "reduced", "quick", "quick-own"),
    "fig5": ("quick-own",),
    "finding4": ("quick-own",),
}
#: The same of Finding 5, whose records are of another kind.
REPRESENTATIONS = ("finding5/long", "finding5/quick-own")


def committed(name: str) -> dict[str, Any]:
    """The record of an entry point ('fig9_10', ..; 'finding5/long', 'finding1/reduced': another setting of the same).

    Raises SettingError, in one line, where none can be read.
    """
    try:
        if name.partition("/")[0] == "finding5":
            return representations(folder=name)
        if name.partition("/")[0] in FINDINGS:
            return finding(name.partition("/")[0], folder=name)
        return sweep(name) if name in SWEEPS else figure(name)
    except (OSError, ValueError) as error:
        command, _, setting = name.partition("/")
        at, why = f" at the setting that {setting} names" if setting else "", " ".join(str(error).split())
        raise SettingError(
            f"results/{name}: holds no record that can be judged ({why}); run python -m verify.{command}{at} and put it there"
        ) from None
