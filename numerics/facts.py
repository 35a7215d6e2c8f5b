"""A table of facts read from a CSV file: one subject a row, one attribute type a column, any strings as values."""

import csv
from dataclasses import dataclass
from os import PathLike
from pathlib import Path


class FactsError(ValueError):
    """The file cannot be used as a table of facts; one line says where and what would be valid."""


@dataclass(frozen=True)
class Facts:
    """Names of the M subjects, of the L attribute types, and the (M, L) values as strings."""

    subject_names: tuple[str, ...]
    type_names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]


def _rows(path: Path) -> list[list[str]]:
    """The records of the file, cells stripped, trailing blank lines dropped; row 1 is the header."""
    rows: list[list[str]] = []
    try:
        if not path.exists():
            raise FactsError(f"{path}: no such file; valid: the path of a CSV file")
        if not path.is_file():
            raise FactsError(f"{path}: not a file; valid: the path of a CSV file")
        # utf-8-sig swallows a byte order mark; newline="" leaves CRLF and quoted line breaks to the csv module.
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.reader(handle, strict=True, skipinitialspace=True):
                if any("\0" in cell for cell in row):
                    raise FactsError(f"{path}, row {len(rows) + 1}: a zero byte; valid: UTF-8 text")
                rows.append([cell.strip() for cell in row])
    except UnicodeDecodeError as error:
        raise FactsError(f"{path}: not UTF-8 text ({error.reason}); valid: UTF-8 text") from None
    except csv.Error as error:
        raise FactsError(f"{path}, row {len(rows) + 1}: not CSV ({error}); valid: comma-separated cells") from None
    except OSError as error:
        raise FactsError(f"{path}: cannot be read ({error.strerror}); valid: a readable CSV file") from None
    while rows and rows[-1] in ([], [""]):
        rows.pop()
    return rows


def read_facts(path: str | PathLike[str]) -> Facts:
    """Reads a CSV file: a header of names (the first one names the subject column), then one subject a row.

    The first column is the subject's name, every other column an attribute type.  Byte order mark, CRLF, quoted cells,
    spaces around cells (of a quoted one: spaces before it) and blank lines at the end are accepted.  Raises FactsError
    (one line: file, row, what is valid): missing or unreadable file, not a file, undecodable text, empty file, no rows,
    only one column, empty or duplicate header name, ragged row, empty cell, duplicate subject.  Cost: linear in the file.
    """
    file = Path(path)
    rows = _rows(file)
    if not rows:
        raise FactsError(f"{file}: empty file; valid: a header and at least one row")
    header, body = rows[0], rows[1:]
    if len(header) < 2:
        if header in ([], [""]):
            raise FactsError(f"{file}, row 1: is empty; valid: a header of names")
        raise FactsError(
            f"{file}, row 1: {len(header)} column(s); valid: at least 2 columns, separated by commas: "
            "the subject's name, then one per type"
        )
    for column, name in enumerate(header):
        if not name:
            raise FactsError(f"{file}, row 1: column {column + 1} has no name; valid: a distinct name for every column")
        if name in header[:column]:
            raise FactsError(f"{file}, row 1: the name {name!r} occurs twice; valid: a distinct name for every column")
    if not body:
        raise FactsError(f"{file}: a header but no rows; valid: at least one subject")
    first_row: dict[str, int] = {}
    for number, row in enumerate(body, start=2):
        if row in ([], [""]):
            raise FactsError(f"{file}, row {number}: is empty; valid: blank lines at the end alone")
        if len(row) != len(header):
            raise FactsError(f"{file}, row {number}: {len(row)} cell(s); valid: {len(header)}, as in the header")
        for name, cell in zip(header, row, strict=True):
            if not cell:
                raise FactsError(f"{file}, row {number}: the cell of {name!r} is empty; valid: any text")
        if row[0] in first_row:
            raise FactsError(
                f"{file}, row {number}: subject {row[0]!r} is already in row {first_row[row[0]]}; "
                "valid: distinct subjects in the first column"
            )
        first_row[row[0]] = number
    return Facts(
        subject_names=tuple(row[0] for row in body),
        type_names=tuple(header[1:]),
        values=tuple(tuple(row[1:]) for row in body),
    )
