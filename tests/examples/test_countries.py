"""The shipped tables are what the script builds, can be read, and show what their README says."""

import importlib
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from numerics.conclusion import decide
from numerics.population import hat_gradients
from numerics.updates import updated_weights
from numerics.world import World

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ("countries.csv", "countries_coarse.csv", "countries_fine.csv")


@pytest.fixture
def builder(monkeypatch):
    babel = pytest.importorskip("babel", reason="the extra 'examples' is not installed")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    made = importlib.import_module("build_countries")
    release = importlib.import_module("babel.core").get_global("cldr")["version"]
    if release != made.CLDR:
        pytest.skip(f"Babel {babel.__version__} carries CLDR {release}, the tables are built from CLDR {made.CLDR}")
    return made


def test_shipped_files_are_what_is_built(builder, tmp_path):
    assert builder.main(tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    for name in NAMES:
        assert (EXAMPLES / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_a_failed_write_leaves_the_old_file(builder, tmp_path):
    target = tmp_path / "old.csv"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        builder.write(target, "new \udc80")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]


def test_another_release_is_refused(builder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(builder, "CLDR", "46")
    assert builder.main(tmp_path) == 2
    assert "carries CLDR 47; the files are built from CLDR 46" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_rules_of_the_ambiguous_cases(builder):
    own = {row["country"]: row for row in builder.rows()}
    assert own["Bhutan"]["currency"] == "BTN"  # and not the rupee, tender there as well
    assert own["Belgium"]["language"] == "Dutch"
    assert own["Montenegro"]["language"] == "Serbian"  # official in Latin script only: a script is no language
    assert (own["Montenegro"]["script"], own["Serbia"]["script"]) == ("Latin", "Cyrillic")
    assert own["Palau"]["clock"] == "12 hours"  # Palauan has no locale: English, the next one, has
    assert own["Egypt"]["decimal_mark"] == "Arabic mark"


def test_members_by_region(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    supplement = importlib.import_module("cldr_supplement")
    codes = [code for _, _, some in supplement.SUBREGIONS for code in some.split()]
    assert len(codes) == len(set(codes)) == 193
    assert set(codes) >= supplement.LETTER_PAPER


@pytest.mark.parametrize(
    ("name", "U"),
    [(NAMES[0], (5, 22, 143, 81, 20, 4, 2, 3, 2)), (NAMES[1], (5, 2, 3, 2)), (NAMES[2], (22, 143))],
)
def test_tables_load(name, U):
    world = World.from_csv(EXAMPLES / name)
    assert (world.M, world.U) == (193, U)
    assert len(set(world.subject_names)) == world.M


def test_coarse_table_has_no_rare_value_and_the_full_one_has():
    def rarest(world):
        return {name: min(Counter(world.table[:, l].tolist()).values()) for l, name in enumerate(world.type_names)}

    full, coarse = rarest(World.from_csv(EXAMPLES / NAMES[0])), rarest(World.from_csv(EXAMPLES / NAMES[1]))
    assert min(coarse.values()) >= 10
    assert {name for name, least in full.items() if least >= 10} == set(coarse)
    assert full["currency"] == full["language"] == 1


def _decisions(name, n_demos, M_ft):
    world = World.from_csv(EXAMPLES / name, M_ft=M_ft, seed=0)
    weights = updated_weights(world, hat_gradients(world, n_demos, eta_ov=Fraction(1)))
    return world, {pool: decide(world, n_demos, weights, pool) for pool in ("seen", "heldout")}


@pytest.mark.parametrize("M_ft", [96, 185])
def test_full_table_fails_exactly_on_values_never_seen(M_ft):
    world, found = _decisions(NAMES[0], 5, M_ft)
    assert found["seen"].holds
    heldout = world.attribute_token[world.heldout] - world.M
    unseen = int(np.count_nonzero(world.finetune_value_counts[heldout] == 0))
    assert unseen == {96: 116, 185: 7}[M_ft]
    assert found["heldout"].exact
    assert found["heldout"].accuracy == 1 - Fraction(unseen, heldout.size)
    assert found["heldout"].wrong == 0  # every failure is a tie


@pytest.mark.parametrize(("n_demos", "M_ft"), [(1, 16), (5, 96), (5, 185)])
def test_coarse_table_holds(n_demos, M_ft):
    _, found = _decisions(NAMES[1], n_demos, M_ft)
    assert found["seen"].holds and found["heldout"].holds
    assert found["seen"].attention["rel"] == {"attributes": found["seen"].total}


def test_fine_table_fails_on_seen_countries_until_M_ft_is_large():
    _, few = _decisions(NAMES[2], 5, 48)
    _, more = _decisions(NAMES[2], 5, 96)
    _, many = _decisions(NAMES[2], 5, 120)
    measured = [round(float(found["seen"].accuracy), 4) for found in (few, more, many)]
    assert measured == [0.4935, 0.8057, 1.0]
    attended = few["seen"].attention["rel"]
    assert max(attended, key=attended.get) == "query"
