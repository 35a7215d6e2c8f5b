"""Command-line arguments shared by the entry points, read into a checked Setting and its World."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

from numerics.facts import FactsError
from numerics.world import World
from verify.setting import Setting, SettingError, checked


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line (argparse prints the usage before it)."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_whole(part) for part in text.split(","))


def _step(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number (a decimal or a fraction such as 1/3)") from None


def _beta(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number (a positive number, or inf)")
    return value


def parser(prog: str, description: str) -> OneLineParser:
    """The arguments of `python -m verify.theorem1`."""
    made = OneLineParser(prog=prog, description=description, allow_abbrev=False)
    world = made.add_argument_group("the world")
    world.add_argument("--M", type=_whole, metavar="N", help="subjects (default 256)")
    world.add_argument("--L", type=_whole, metavar="N", help="attribute types (default 8)")
    world.add_argument(
        "--U", type=_numbers, metavar="N[,N…]", help="values per type: one number, or one per type (default 32)"
    )
    world.add_argument("--M-ft", type=_whole, metavar="N", help="finetuning subjects (default M // 2)")
    world.add_argument("--G", type=_whole, default=4, metavar="N", help="grammar tokens (default 4)")
    world.add_argument(
        "--facts",
        metavar="FILE.csv",
        help="a fact table instead of a balanced world: header of type names, one subject a row",
    )
    world.add_argument(
        "--seed",
        type=_whole,
        metavar="N",
        help="seed of the fact table, or of the choice of finetuning subjects with --facts",
    )
    sequence = made.add_argument_group("sequences and steps")
    sequence.add_argument("--N-ft", type=_whole, default=5, metavar="N", help="demonstrations (default 5)")
    sequence.add_argument(
        "--S",
        type=_whole,
        metavar="N",
        help="grammar length of pretraining (default T - 2, the smallest that Theorem 2 allows)",
    )
    sequence.add_argument(
        "--reading",
        choices=("set", "literal"),
        default="set",
        help="W_OV^subj: each foreign value once (set), or with multiplicity (literal)",
    )
    sequence.add_argument(
        "--beta", type=_beta, default=math.inf, metavar="B", help="inverse temperature of attention (default inf)"
    )
    for name in ("eta-kq-subj", "eta-ov", "eta-kq-rel"):
        sequence.add_argument(f"--{name}", type=_step, default=Fraction(1), metavar="X", help="step size (default 1)")
    output = made.add_argument_group("output")
    output.add_argument("--json", metavar="FILE", help="also write everything as JSON")
    output.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the literal network runs"
    )
    output.add_argument("--quiet", action="store_true", help="only the last three lines")
    return made


def _facts_setting(options: argparse.Namespace) -> tuple[Setting, World]:
    for name in ("M", "L", "U"):
        if getattr(options, name) is not None:
            raise SettingError(f"--{name}: not with --facts, whose table decides it")
    try:
        world = World.from_csv(options.facts, M_ft=options.M_ft, n_grammar=max(options.G, 1), seed=options.seed)
    except FactsError as error:
        raise SettingError(str(error)) from None
    setting = Setting(
        M=world.M,
        L=world.L,
        U=world.U,
        M_ft=world.M_ft,
        N_ft=options.N_ft,
        S=options.S,
        G=options.G,
        reading=options.reading,
        beta=options.beta,
        eta_kq_subj=options.eta_kq_subj,
        eta_ov=options.eta_ov,
        eta_kq_rel=options.eta_kq_rel,
        seed=options.seed or 0,
        facts=Path(options.facts).name,
    )
    return checked(setting), world


def _balanced_setting(options: argparse.Namespace) -> tuple[Setting, World]:
    M = 256 if options.M is None else options.M
    L = 8 if options.L is None else options.L
    U = options.U
    if U is None:
        U = (32,)
    setting = checked(
        Setting(
            M=M,
            L=L,
            U=U * L if len(U) == 1 and L >= 1 else U,
            M_ft=M // 2 if options.M_ft is None else options.M_ft,
            N_ft=options.N_ft,
            S=options.S,
            G=options.G,
            reading=options.reading,
            beta=options.beta,
            eta_kq_subj=options.eta_kq_subj,
            eta_ov=options.eta_ov,
            eta_kq_rel=options.eta_kq_rel,
            seed=options.seed or 0,
        )
    )
    return setting, World.balanced(M, L, setting.U, setting.M_ft, n_grammar=setting.G, seed=setting.seed)


def read(options: argparse.Namespace) -> tuple[Setting, World]:
    """The setting and its world. Raises SettingError with one line that says what is wrong and what would be valid."""
    if options.json is not None:
        folder = Path(options.json).resolve().parent
        if not folder.is_dir():
            raise SettingError(f"--json {options.json}: the folder {folder} does not exist")
        if Path(options.json).is_dir():
            raise SettingError(f"--json {options.json}: is a folder; give the name of a file")
    return _facts_setting(options) if options.facts is not None else _balanced_setting(options)


def parsed(made: OneLineParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    return made.parse_args(arguments)
