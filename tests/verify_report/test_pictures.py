"""The committed pictures of trained networks: every one has words that say what it shows, and at which preset."""

from __future__ import annotations

import json
import re

import pytest

from paper_checks.contextual_recall import claims
from verify.findings.pictures import DRAWN
from verify.report.captions import SHOWN
from verify.report.page import slug
from verify.report.pictures import FIGURES, RESULTS, pictures_of
from verify.representations.pictures.canvas import MADE
from verify.trained.pictures import PICTURES

H = "{http://www.w3.org/1999/xhtml}"
COMMITTED = [
    path for folder in FIGURES.values() for pattern in ("*.png", "*/*.png") for path in (RESULTS / folder).glob(pattern)
]


def name(path) -> str:
    return path.relative_to(RESULTS).as_posix()


@pytest.mark.parametrize("path", COMMITTED, ids=name)
def test_every_committed_picture_has_words(path):
    assert path.stem in SHOWN, f"{path}: say what it shows in verify/report/captions.py"


def test_every_picture_that_can_be_drawn_has_words_and_no_others_are_kept():
    assert set(SHOWN) == {*DRAWN, *MADE, *PICTURES, "fig13", "fig14", "unlearning"}


@pytest.mark.parametrize("stem", SHOWN)
def test_words_are_sentences_and_not_file_names(stem):
    said = SHOWN[stem]
    assert len(said) > 60 and said[0].isupper() and said.endswith(".") and "  " not in said
    assert stem not in said and ".png" not in said and not re.search(r"\b\w+_(pt|icl|\d)\b", said)


def test_the_words_name_the_preset_of_the_record_beside(trees):
    for claim in set(FIGURES) & set(claims()):
        figures = list(trees[f"claims/{slug(claim)}.html"].iter(f"{H}figure"))
        said = {
            node[0].get("src"): (node[0].get("alt"), (node[1].text or "").strip())
            for node in figures
            if node[0].tag == f"{H}img"
        }
        for picture in pictures_of(claim):
            assert said[f"../{picture.file}"] == (picture.words, picture.words)
            folder = picture.source.parent
            records = [
                json.loads(p.read_text(encoding="utf-8")) for p in (*folder.glob("f*.json"), *folder.glob("un*.json"))
            ]
            assert f"reset {records[0]['preset']}" in picture.words
            other = picture.source.parent.name != FIGURES[claim]
            assert any(f"verdict does not rest{end}" in picture.words for end in (".", " on it.")) == other


def made(folder, *files: str, **more) -> None:
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_text(json.dumps({"preset": "tiny"} | more))


def test_a_picture_without_words_is_refused(tmp_path):
    made(tmp_path / "finding1", "finding.json", "fig2.png", "new.png")
    with pytest.raises(ValueError, match=r"new\.png: has no words; say what it shows in verify/report/captions\.py"):
        pictures_of("finding1", tmp_path)


def test_a_picture_without_a_record_is_refused(tmp_path):
    made(tmp_path / "finding1", "fig2.png")
    with pytest.raises(ValueError, match="finding1: holds pictures and no record that names their preset"):
        pictures_of("finding1", tmp_path)


def test_another_preset_stands_last(tmp_path):
    made(tmp_path / "finding3", "finding.json", "formats.png")
    made(tmp_path / "finding3/reduced", "finding.json", "fig4_15.png", preset="reduced")
    found = pictures_of("finding3", tmp_path)
    assert [p.file for p in found] == ["pictures/finding3/formats.png", "pictures/finding3/reduced/fig4_15.png"]
    assert found[0].words.endswith(" Preset tiny.")
    assert found[1].words.endswith(" Another setting, preset reduced, on which the verdict does not rest.")
    half = {"preset": "short", "config": {"autocast": "bfloat16"}}
    made(tmp_path / "finding3/short-bfloat16", "finding.json", "formats.png", **half)
    made(tmp_path / "finding3/unlearning-short", "unlearning.json", "unlearning.png", **half)
    *_, short, why = pictures_of("finding3", tmp_path)
    assert short.words.endswith(
        " Another setting, preset short, products in bfloat16, on which the verdict does not rest."
    )
    assert why.words.endswith(" Preset short, products in bfloat16; the verdict does not rest on it.")


def test_the_same_preset_in_another_precision_says_so(tmp_path):
    made(tmp_path / "finding3", "finding.json", "fig4_15.png", config={"autocast": "bfloat16"})
    made(tmp_path / "finding3/tiny", "finding.json", "fig4_15.png", config={"autocast": "none"}, seeds=[0])
    words = [picture.words for picture in pictures_of("finding3", tmp_path)]
    assert words[0].endswith(" Preset tiny, products in bfloat16.")
    assert words[1].endswith(
        " Preset tiny once more, products in float32, one seed alone; the verdict does not rest on it."
    )


def test_an_unembedding_of_its_own_is_named(tmp_path):
    made(tmp_path / "finding2", "finding.json", "fig3.png", config={"autocast": "bfloat16", "model": {"tied": True}})
    own = {"autocast": "bfloat16", "model": {"tied": False}}
    made(tmp_path / "finding2/tiny-own-bfloat16", "finding.json", "fig3.png", config=own, seeds=[0])
    tied, other = (picture.words for picture in pictures_of("finding2", tmp_path))
    assert tied.endswith(" Preset tiny, products in bfloat16.")
    assert other.endswith(
        " Preset tiny once more, with an unembedding of its own, products in bfloat16, one seed alone; the verdict does not rest on it."
    )


def test_a_claim_without_networks_has_no_pictures():
    assert pictures_of("thm2.accuracy") == ()
