"""Builds countries.csv, countries_coarse.csv and countries_fine.csv: the UN's members and what CLDR says of them.

    python examples/build_countries.py      # rewrites the files; needs pip install ".[examples]"

What is ambiguous is decided by a rule, never by hand (README.md lists the rules).  The result depends on the release of
CLDR alone, which Babel carries, on no clock, no network and no setting of the machine; each file appears whole or not at all.
"""

from __future__ import annotations

import csv
import datetime
import io
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import babel
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.numbers import get_territory_currencies
from cldr_supplement import LETTER_PAPER, SUBREGIONS

HERE = Path(__file__).resolve().parent
#: The release of CLDR that the shipped files were built from.
CLDR = "47"
#: A day after the release, on which its currencies are asked; "today" would change the file with the calendar.
DAY = datetime.date(2025, 4, 1)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DECIMAL_MARKS = {",": "comma", ".": "point", "٫": "Arabic mark"}
#: Every value of a column of the coarse table is held by at least so many countries.
COMMON = 10
#: The columns of the fine table: many values, most of them rare.
FINE = ("subregion", "currency")

Row = dict[str, str]


def languages(code: str) -> list[str]:
    """The official languages of a country, the most spoken first (equal shares by code); scripts of one are one language."""
    share: dict[str, float] = {}
    for name, facts in get_global("territory_languages")[code].items():
        if facts["official_status"] in ("official", "de_facto_official"):
            language = name.split("_")[0]
            share[language] = max(share.get(language, 0.0), facts["population_percent"])
    return sorted(share, key=lambda language: (-share[language], language))


def locale_of(code: str) -> Locale:
    """The customs of the country: the locale of the first official language that has one there, else CLDR's likely one."""
    for language in (*languages(code), "und"):
        try:
            found = Locale.parse(f"{language}_{code}")
        except UnknownLocaleError:
            continue
        if found.territory == code:
            return found
    raise LookupError(f"CLDR has no locale for the territory {code}")


def script_of(language: str, code: str) -> str:
    """The script that the language is written in in the country (CLDR's likely subtags), as an English name."""
    likely = get_global("likely_subtags")
    full = likely.get(f"{language}_{code}") or likely[language]
    return str(Locale("en").scripts[full.split("_")[1]])


def tenders(code: str) -> list[str]:
    """The legal tenders of a country on DAY."""
    return get_territory_currencies(code, DAY, DAY, tender=True)


def clock_of(locale: Locale) -> str:
    """Whether the short time of the locale counts to 12 or to 24; what stands in quotes in the pattern is text."""
    pattern = re.sub(r"'[^']*'", "", locale.time_formats["short"].pattern)
    return "24 hours" if set("Hk") & set(pattern) else "12 hours"


def decimal_mark_of(locale: Locale) -> str:
    """The decimal mark in the locale's own digits; where CLDR gives none for these, in Latin digits."""
    symbols = locale.number_symbols
    own = symbols.get(locale.default_numbering_system, {})
    return DECIMAL_MARKS[own.get("decimal") or symbols["latn"]["decimal"]]


def rows() -> list[Row]:
    """One row a country, by English name."""
    english = Locale("en")
    users = Counter(money for _, _, codes in SUBREGIONS for code in codes.split() for money in tenders(code))
    made = []
    for region, subregion, codes in SUBREGIONS:
        for code in codes.split():
            locale, language = locale_of(code), languages(code)[0]
            made.append(
                {
                    "country": english.territories[code],
                    "region": region,
                    "subregion": subregion,
                    # Of several legal tenders the country's own: the one that fewest members share.
                    "currency": min(tenders(code), key=lambda money: (users[money], money)),
                    "language": english.languages[language],
                    "script": script_of(language, code),
                    "week_starts": DAYS[locale.first_week_day],
                    "clock": clock_of(locale),
                    "decimal_mark": decimal_mark_of(locale),
                    "paper": "US Letter" if code in LETTER_PAPER else "A4",
                }
            )
    return sorted(made, key=lambda row: row["country"])


def coarse_columns(full: list[Row]) -> tuple[str, ...]:
    """The columns in which no value is rare: each is held by at least COMMON countries."""
    names = [name for name in full[0] if name != "country"]
    return tuple(name for name in names if min(Counter(row[name] for row in full).values()) >= COMMON)


def only(full: list[Row], columns: tuple[str, ...]) -> list[Row]:
    """The table with these columns alone."""
    return [{name: row[name] for name in ("country", *columns)} for row in full]


def as_csv(table: list[Row]) -> str:
    """The table as CSV: UTF-8 text, lines ended by a line feed on every machine."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


def files() -> dict[str, str]:
    """Name and text of every file that is built."""
    full = rows()
    return {
        "countries.csv": as_csv(full),
        "countries_coarse.csv": as_csv(only(full, coarse_columns(full))),
        "countries_fine.csv": as_csv(only(full, FINE)),
    }


def write(path: Path, text: str) -> None:
    """Beside the target, then renamed: a reader sees the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def main(folder: Path = HERE) -> int:
    """Writes the files into the folder; 2 where Babel carries another release of CLDR."""
    release = get_global("cldr")["version"]
    if release != CLDR:
        print(
            f"Babel {babel.__version__} carries CLDR {release}; the files are built from CLDR {CLDR}", file=sys.stderr
        )
        return 2
    for name, text in files().items():
        write(folder / name, text)
        print(f"{folder / name}: {text.count(chr(10)) - 1} countries")
    return 0


if __name__ == "__main__":
    sys.exit(main())
