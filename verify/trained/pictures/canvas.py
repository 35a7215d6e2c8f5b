"""All pictures of a record, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from verify.trained.measured import Network
from verify.trained.pictures.accuracy import accuracy
from verify.trained.pictures.attention import attention
from verify.trained.pictures.cosine import cosine
from verify.trained.pictures.mechanisms import mechanisms
from verify.trained.pictures.slices import slices
from verify.trained.pictures.style import save

PICTURES = ("attention_pt", "attention_icl", "cosine_pt", "cosine_icl", "accuracy", "slices", "mechanisms")


def _made(name: str, record: dict[str, Any], network: Network, measured: dict[str, Any]) -> Any:
    title = f"{record['title']} ({record['preset']} preset)"
    base = [n for n in record["networks"] if n["variant"] == "base"]
    what, _, kind = name.partition("_")
    if what == "attention":
        return attention(network, measured, kind, title)
    if what == "cosine":
        findings = [words for words in record["findings"] if words.startswith(f"{kind}:")]
        return cosine(base, kind, title, findings)
    if what == "accuracy":
        return accuracy(record, title)
    if what == "slices":
        return slices(network, measured, title)
    if what == "mechanisms":
        return mechanisms(record, title)
    raise ValueError(f"picture must be one of {', '.join(PICTURES)}, got {name!r}")


def draw(record: dict[str, Any], network: Network, measured: dict[str, Any], folder: Path) -> list[Path]:
    """Draws the pictures of a record into the folder; network and its measures are those that single maps are drawn of."""
    paths = []
    for file in record["pictures"]:
        save(_made(Path(file).stem, record, network, measured), folder / file)
        paths.append(folder / file)
    return paths
