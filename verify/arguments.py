"""Command-line arguments shared by the entry points, read into a checked Setting and its World."""

from __future__ import annotations

import argparse
import errno
import math
import os
import sys
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

from numerics.facts import FactsError
from numerics.world import World
from verify.names import told_apart
from verify.setting import Setting, SettingError, checked


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line (argparse prints the usage before it)."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {one_line(message)}\n")


def one_line(message: object) -> str:
    """The message without line breaks, which an argument or the name of a file may contain."""
    return " ".join(str(message).split())


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def at_least_one(text: str) -> int:
    """A number of things, as an option's type."""
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        what = "is not a whole number" if "," not in text else "must be whole numbers separated by commas"
        raise argparse.ArgumentTypeError(f"{text!r} {what}") from None


def unlisted(made: argparse.ArgumentParser, *options: str) -> None:
    """Takes shared options that a command refuses out of its help."""
    for action in made._actions:
        if set(options) & set(action.option_strings):
            action.help = argparse.SUPPRESS


def without_effect(made: argparse.ArgumentParser, *options: str) -> None:
    """Says in the help of shared options that a command takes them, so that all can be called alike, and that nothing depends on them."""
    for action in made._actions:
        if set(options) & set(action.option_strings):
            action.help = "taken, as by the other commands; nothing here depends on it"


def writable_folder(option: str, name: str) -> Path:
    """The folder an option names, made if it is not there.  Raises SettingError for one that cannot be written."""
    if not name.strip():
        # Path("") is the folder one stands in.
        raise SettingError(f"{option} {name!r}: must be the name of a folder")
    path = Path(name)
    try:
        path.mkdir(parents=True, exist_ok=True)
        # A name of its own: several commands may begin at the same time.
        with tempfile.NamedTemporaryFile(dir=path, prefix=".writable-"):
            pass
    except OSError as error:
        raise SettingError(f"{option} {name}: no folder that can be written ({error.strerror}); give another") from None
    return path


#: What building a world holds at its peak per fact: the table, two permutations of it, token ids (64 bits each).
BYTES_PER_FACT = 32


#: Exact sums go through the table with rational numbers, some 20 us a fact each: at these sizes a job takes minutes.
MOST_TOKENS, MOST_FACTS = 200_000, 2_000_000


def memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


#: Step sizes that float64 and their products with gradients can hold.
STEP_RANGE = (1e-100, 1e100)


def _nonzero(text: str) -> bool:
    """Whether a decimal is written with a digit other than 0 before its exponent."""
    return any(digit in "123456789" for digit in text.lower().split("e")[0])


def number_step(text: str) -> Fraction:
    not_a_number = argparse.ArgumentTypeError(f"{text!r} is not a number (a decimal or a fraction such as 1/3)")
    out_of_range = argparse.ArgumentTypeError(f"{text!r} is out of range (valid: from 1e-100 to 1e100)")
    try:
        parts = [float(part) for part in text.split("/")]
    except ValueError:
        raise not_a_number from None
    # Looked at as floats first: Fraction would write out every digit of 1e999999999.
    if any(math.isnan(part) for part in parts) or "inf" in text.lower():
        raise not_a_number
    if any(part and not STEP_RANGE[0] <= abs(part) <= STEP_RANGE[1] for part in parts):
        raise out_of_range
    # 1e-400 is a float zero, and is meant as a positive number.
    if parts[0] == 0 and _nonzero(text.split("/")[0]):
        raise out_of_range
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise not_a_number from None


def _beta(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number (a positive number, or inf)")
    if math.isinf(value) and "inf" not in text.lower():
        raise argparse.ArgumentTypeError(f"{text!r} is out of range (valid: up to {sys.float_info.max:.3g}, or inf)")
    if value == 0 and _nonzero(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is out of range (valid: positive numbers from {math.ulp(0.0):.3g} on, or inf)"
        )
    return value


def parser(prog: str, description: str) -> OneLineParser:
    """The arguments of `python -m verify.theorem1`."""
    made = OneLineParser(prog=prog, description=description, allow_abbrev=False)
    world = made.add_argument_group("the world")
    world.add_argument("--M", type=whole, metavar="N", help="subjects (default 256)")
    world.add_argument("--L", type=whole, metavar="N", help="attribute types (default 8)")
    world.add_argument(
        "--U", type=numbers, metavar="N[,N…]", help="values per type: one number, or one per type (default 32)"
    )
    world.add_argument("--M-ft", type=whole, metavar="N", help="finetuning subjects (default M // 2)")
    world.add_argument("--G", type=whole, default=4, metavar="N", help="grammar tokens (default 4)")
    world.add_argument(
        "--facts",
        metavar="FILE.csv",
        help="a fact table instead of a balanced world: a header, then one subject a row: its name, its value of every type",
    )
    world.add_argument(
        "--seed",
        type=whole,
        metavar="N",
        help="seed of the fact table, or of the choice of finetuning subjects with --facts",
    )
    sequence = made.add_argument_group("sequences and steps")
    sequence.add_argument("--N-ft", type=whole, default=5, metavar="N", help="demonstrations (default 5)")
    sequence.add_argument(
        "--S",
        type=whole,
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
        sequence.add_argument(
            f"--{name}", type=number_step, default=Fraction(1), metavar="X", help="step size (default 1)"
        )
    made.add_argument(
        "--full",
        action="store_true",
        help="more witnesses for the true gradients: a second exact method where its work allows, larger enumerations, and a sample",
    )
    output = made.add_argument_group("output")
    output.add_argument("--json", metavar="FILE", help="also write everything as JSON")
    output.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the literal network runs"
    )
    output.add_argument("--quiet", action="store_true", help="only the last lines")
    return made


def _facts_setting(options: argparse.Namespace) -> tuple[Setting, World]:
    for name in ("M", "L", "U"):
        if getattr(options, name) is not None:
            raise SettingError(f"--{name}: not with --facts, whose table decides it")
    if not options.facts.strip():
        # Path("") is the folder one stands in.
        raise SettingError(f"--facts {options.facts!r}: must be the name of a CSV file")
    try:
        world = World.from_csv(options.facts, M_ft=options.M_ft, n_grammar=max(options.G, 1), seed=options.seed)
    except FactsError as error:
        raise SettingError(f"--facts {str(error).replace(': M_ft must', ': --M-ft must')}") from None
    _printable(options.facts, world)
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
    _affordable(checked(setting), _size(options))
    told_apart(setting, world)
    return setting, world


def _printable(file: str, world: World) -> None:
    """Raises SettingError for names with control characters, which would steer the terminal that they are printed on."""
    for cell in (*world.type_names, *world.subject_names, *(name for names in world.value_names for name in names)):
        # A quoted cell may have several lines.
        if any(unicodedata.category(c) == "Cc" and c not in "\t\n\r" for c in cell):
            raise SettingError(f"--facts {file}: the cell {cell!r} holds a control character; valid: text without any")


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
    if memory() < M * L * BYTES_PER_FACT:
        # Asked of the system, the allocation would be granted and the process killed on the way.
        raise MemoryError
    _affordable(setting, _size(options))
    return setting, World.balanced(M, L, setting.U, setting.M_ft, n_grammar=setting.G, seed=setting.seed)


def _affordable(setting: Setting, size: str) -> None:
    """Raises SettingError for worlds over which the exact sums would take more than minutes."""
    tokens = setting.M + sum(setting.U) + setting.L + setting.G + 1
    if tokens > MOST_TOKENS:
        raise SettingError(f"{size}: the vocabulary has {tokens} tokens; valid: worlds of up to {MOST_TOKENS}")
    if setting.M * setting.L > MOST_FACTS:
        raise SettingError(f"{size}: the table has {setting.M * setting.L} facts; valid: worlds of up to {MOST_FACTS}")


def _size(options: argparse.Namespace) -> str:
    """The options that decide how large the world is, those that the user gave."""
    names = ("facts", "G") if options.facts is not None else ("M", "L", "U", "G")
    given = [(name, getattr(options, name)) for name in names]
    usual = {"G": 4}
    words = []
    for name, value in given:
        if value is not None and value != usual.get(name):
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words.append(f"--{name} {text}")
    return " ".join(words) or "this world"


def read(options: argparse.Namespace) -> tuple[Setting, World]:
    """The setting and its world. Raises SettingError with one line that says what is wrong and what would be valid."""
    given = {f"--{name}": getattr(options, name, None) for name in ("facts", "json", "output")}
    distinct(given)
    if options.json is not None:
        writable("--json", options.json)
    if options.seed is not None and options.seed < 0:
        raise SettingError(f"--seed {options.seed}: must be at least 0")
    try:
        return _facts_setting(options) if options.facts is not None else _balanced_setting(options)
    except (MemoryError, OverflowError):
        raise SettingError(f"{_size(options)}: the world does not fit into memory; valid: a smaller one") from None


def distinct(files: Mapping[str, str | None]) -> None:
    """Raises SettingError where two options name one file, by whatever path: results would replace the input, or each other.

    files: the names by option, None where it is not given; an input before the outputs.
    """
    named = [(option, name) for option, name in files.items() if name is not None and name.strip()]
    for i, (option, name) in enumerate(named):
        for other, earlier in named[:i]:
            if _same_file(earlier, name):
                raise SettingError(f"{option} {name}: is the file of {other}; give another one")


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        # One of them is not there yet.
        return os.path.realpath(one) == os.path.realpath(other)


def writable(option: str, name: str) -> None:
    """Raises SettingError unless a regular file of this name can be made or replaced: found out before the work, not after it."""
    if not name.strip():
        # Path("") is the folder one stands in.
        raise SettingError(f"{option} {name!r}: must be the name of a file")
    if name == "-":
        raise SettingError(
            f"{option} -: standard output is for people; give the name of a file (./- for one called so)"
        )
    # Path.resolve raises for a link to itself, which realpath leaves a link.
    target = Path(os.path.realpath(name))
    try:
        os.stat(target)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise SettingError(f"{option} {name}: the name is too long; give a shorter one") from None
        if error.errno == errno.ELOOP:
            raise SettingError(
                f"{option} {name}: is or passes a link that leads to itself; give the name of a file"
            ) from None
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise SettingError(f"{option} {name}: cannot be looked at ({error.strerror}); give another file") from None
    if target.is_dir():
        raise SettingError(f"{option} {name}: is a folder; give the name of a file")
    if target.exists() and not target.is_file():
        raise SettingError(f"{option} {name}: is not a regular file; give the name of a file to make or to replace")
    if not target.parent.is_dir():
        wrong = "is not one" if target.parent.exists() else "does not exist"
        raise SettingError(f"{option} {name}: the folder {target.parent} {wrong}; give a file in a folder that exists")
    try:
        # As it is written later: a name may be too long for that.
        tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp").close()
    except OSError as error:
        raise SettingError(
            f"{option} {name}: nothing can be written in the folder {target.parent} ({error.strerror}); give a file in a writable one"
        ) from None


def parsed(made: OneLineParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    return made.parse_args(arguments)
