"""JUnit XML: one test case a claim and reading, failed where its verdict is not the recorded one or a mutant survives."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from verify.records import Record


def write_junit(path: str | Path, records: list[Record], problems: dict[tuple[str, str], list[str]]) -> None:
    """Written atomically."""
    suite = ElementTree.Element(
        "testsuite",
        name="claims",
        tests=str(len(records)),
        failures=str(sum(bool(found) for found in problems.values())),
        time=f"{sum(one['seconds'] for one in records):.3f}",
    )
    for one in records:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"claims.{one['reading']}", name=one["id"], time=f"{one['seconds']:.3f}"
        )
        found = problems.get((one["id"], one["reading"]), [])
        if found:
            failure = ElementTree.SubElement(case, "failure", message=found[0])
            failure.text = "\n".join(found)
        ElementTree.SubElement(case, "system-out").text = f"verdict: {one['verdict']}"
    target = Path(path).resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
