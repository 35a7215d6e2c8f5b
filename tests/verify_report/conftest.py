"""The site of the committed ledger, made once; its pages as trees."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from verify.report.argument import Argument, argument
from verify.report.figure import Figure
from verify.report.figures import figures
from verify.report.folder import replaced
from verify.report.site import site
from verify.report.stamp import Stamp

STAMP = Stamp("2026-01-02T03:04:05Z", "0123abc", (("python", "3.11.0"), ("sympy", "1.13")))


@pytest.fixture(scope="session")
def ledger() -> dict[str, Any]:
    """As it is committed, read without the package that also writes it."""
    return json.loads(resources.files("verify").joinpath("ledger.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def plots() -> tuple[Figure, ...]:
    return figures()


@pytest.fixture(scope="session")
def everything(ledger, plots) -> dict[str, str | bytes]:
    """Name -> contents of every file."""
    return site(ledger, STAMP, plots)


@pytest.fixture(scope="session")
def files(everything) -> dict[str, str]:
    """Name -> text of every file but the pictures."""
    return {name: text for name, text in everything.items() if isinstance(text, str)}


@pytest.fixture(scope="session")
def trees(files) -> dict[str, ElementTree.Element]:
    """Every page, parsed as XML: the pages are written so that nothing is left open."""
    return {
        name: ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
        for name, text in files.items()
        if name.endswith(".html")
    }


@pytest.fixture(scope="session")
def folder(everything, tmp_path_factory) -> Path:
    """The site on disk."""
    return replaced(tmp_path_factory.mktemp("written") / "report", everything)


@pytest.fixture(scope="session")
def found(ledger) -> Argument:
    from paper_checks.contextual_recall.graph import edges

    return argument(ledger, edges())
