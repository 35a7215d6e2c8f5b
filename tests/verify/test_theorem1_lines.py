"""The lines in which the main job ends: what holds, why what fails does so, from which M_ft on it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from numerics.world import World
from theory.finetuning.conclusion import limit_M_ft
from verify import theorem1
from verify.conclude import hat
from verify.failures import failures
from verify.setting import Setting
from verify.witnesses import Witnesses

SMALLEST = ("--M", "4", "--L", "1", "--U", "2", "--M-ft", "2", "--N-ft", "1")


def test_quiet_prints_three_lines(few_claims, capsys):
    assert theorem1.main([*SMALLEST, "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[0].startswith("Theorem 1/2")


def test_without_claims_all_else_is_the_same(few_claims, monkeypatch, capsys, tmp_path):
    """The same table and lines but the last, no claim tried; the exit status is that of the witnesses."""
    found = []
    for more in ((), ("--no-claims",)):
        target = tmp_path / "x.json"
        assert theorem1.main([*SMALLEST, "--json", str(target), *more]) == 0
        found.append((capsys.readouterr().out.splitlines(), json.loads(target.read_text(encoding="utf-8"))))
    (with_, data), (without, bare) = found
    assert without[-1] == f"Claims: not tried (--no-claims); {len(data['agreement'])} of {len(data['agreement'])}" + (
        " comparisons of the witnesses agree."
    )
    assert without[-3:-1] == with_[-3:-1] and not any(line.startswith("Claims ") for line in without)
    assert data["claims"] and bare["claims"] == []
    assert not [stage for stage in bare["stages"] if stage.startswith("claim ")]
    for key in ("setting", "assumptions", "coefficients", "agreement", "conclusion", "explanation", "problems"):
        assert bare[key] == data[key], key
    right = Witnesses.derived_kq
    monkeypatch.setattr(Witnesses, "derived_kq", lambda self, which: right(self, which) + 1)
    assert theorem1.main([*SMALLEST, "--no-claims"]) == 1
    told = capsys.readouterr().out
    assert "witnesses disagree" in told and f"of {len(data['agreement'])} comparisons of the witnesses agree." in told


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "at these step sizes it holds first at M_ft = 2"),
        (("--L", "2", "--M-ft", "4"), "for all step sizes it holds from M_ft = 4 on"),
        (("--S", "2"), "at these step sizes it holds "),
        (("--reading", "literal"), "at these step sizes it holds "),
    ],
)
def test_the_sharp_value_says_for_which_steps(few_claims, capsys, more, words):
    """With L = 1 the step size matters (M_ft = 2 does at step 1), with L >= 2 it does not."""
    theorem1.main(["--M", "8", "--L", "1", "--U", "2", "--M-ft", "2", "--N-ft", "2", "--quiet", *more])
    first, second, _ = capsys.readouterr().out.splitlines()
    assert words in second
    if not more:
        assert "holds here after hat steps" in first


def test_a_finite_beta_is_answered_first(few_claims, capsys, tmp_path):
    """At beta = 100 sequences fail that hard attention has right: the counts of the JSON, and no "holds" before them."""
    target, sizes = tmp_path / "x.json", ("--M", "24", "--L", "3", "--U", "2,3,4", "--M-ft", "12", "--N-ft", "2")
    assert theorem1.main([*sizes, "--beta", "100", "--quiet", "--json", str(target)]) == 0
    first, second, *rest = capsys.readouterr().out.splitlines()
    found = json.loads(target.read_text(encoding="utf-8"))["conclusion"]["finite_beta"]["accuracy"]
    right = found["hat"]["seen"]["right"]
    assert found["true"]["seen"]["right"] == found["true"]["seen"]["total"] == 5184 > right > 4000
    assert first == (
        f"At beta = 100, gradients and forward pass, Theorem 1/2 FAILS after hat steps ({right} of 5184 seen and 5184 of 5184 held-out"
        " sequences right) and holds after true steps (5184 of 5184 seen and 5184 of 5184 held-out sequences right)."
    )
    assert second.startswith("Theorem 1/2 holds here after hat steps") and len(rest) == 2


def test_a_finite_beta_that_cannot_be_enumerated_says_so(few_claims, capsys):
    theorem1.main(["--M", "48", "--L", "2", "--U", "2", "--N-ft", "5", "--beta", "3", "--quiet"])
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("At beta = 3: not decided; ") and "too many to enumerate" in first and len(rest) == 3


TABLES = {
    "different U": "s,t,b\np,u,1\nq,u,2\nr,u,3\nz,u,4\nk,u,2\n",
    "unbalanced": "s,t,b\np,u,1\nq,u,2\nr,u,1\nz,v,2\ny,u,1\nk,v,1\n",
    "balanced": "s,t,b\np,u,1\nq,u,2\nr,v,1\nz,v,2\ny,u,1\n",
}


@pytest.mark.parametrize(
    ("table", "M_ft", "begins", "scale"),
    [
        ("different U", 4, "Balanced, hat: for all", False),
        ("different U", 3, "For a balanced table of these sizes (here", False),
        ("unbalanced", 4, "For a balanced table of these sizes (here", True),
        ("balanced", 4, "Balanced, hat: for all", True),
    ],
)
def test_the_sharp_value_says_of_which_table(few_claims, tmp_path, capsys, table, M_ft, begins, scale):
    """U + U^2/N_ft wants one U; a table of unequal frequencies may fail where the balanced one of its sizes holds."""
    facts = tmp_path / "facts.csv"
    facts.write_text(TABLES[table], encoding="utf-8")
    assert theorem1.main(["--facts", str(facts), "--M-ft", str(M_ft), "--N-ft", "2", "--quiet"]) == 0
    second = capsys.readouterr().out.splitlines()[1]
    assert second.startswith(begins) and ("U^2/N_ft" in second) is scale


THREE = "s,t\nx0,a\nx1,b\nx2,c\n"


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        (
            THREE,
            ("--M-ft", "2", "--N-ft", "1"),
            "FAILS here after hat steps and holds after true steps, at beta = inf (hard attention): after hat steps all 2 held-out sequences"
            " fail; on every one of them the relation head attends context subjects, not the attributes.",
        ),
        (
            THREE,
            ("--M-ft", "3", "--N-ft", "1"),
            "at beta = inf (hard attention), on seen queries (M_ft = M holds none out).",
        ),
        (
            TABLES["balanced"],
            ("--M-ft", "4", "--N-ft", "1"),
            "at beta = inf (hard attention): after hat steps all 32 seen and all 8 held-out sequences fail; on every one of them the relation"
            " head attends the query, not the attributes.",
        ),
    ],
)
def test_the_first_line_says_why_of_what_fails(few_claims, tmp_path, capsys, text, more, said):
    """Of the queries that fail, not of the seen ones that are right; of the steps after which it fails; else nothing."""
    facts = tmp_path / "facts.csv"
    facts.write_text(text, encoding="utf-8")
    assert theorem1.main(["--facts", str(facts), *more, "--quiet"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("Theorem 1/2 ") and said in first
    assert first.endswith(said) or first.partition(said)[2].startswith(
        " With softmax attention every sequence is right, proven, at "
    )


def test_the_line_of_the_readme():
    """What is shown there of the paper's setting is what the hat steps do."""
    setting = Setting(M=256, L=8, U=(32,) * 8, M_ft=128)
    c = hat(Witnesses(setting, World.balanced(256, 8, 32, 128), "cpu"))
    text = Path(__file__).resolve().parents[2].joinpath("README.md").read_text(encoding="utf-8")
    assert (
        f"FAILS here after hat steps and FAILS after true steps, at beta = inf (hard attention): {failures(c)}. With softmax"
        in text
    )


def test_where_both_fail_the_hat_steps_are_explained(few_claims, monkeypatch, capsys):
    arguments = ["--M", "8", "--L", "2", "--U", "2", "--M-ft", "4", "--N-ft", "1", "--quiet"]
    theorem1.main(arguments)
    first = capsys.readouterr().out.splitlines()[0]
    assert (
        "FAILS after true steps, at beta = inf (hard attention): after hat steps " in first
        and first.count("after true steps") == 1
    )
    monkeypatch.setattr(theorem1, "failures", lambda c: "" if c.objective == "hat" else "after true steps so")
    theorem1.main(arguments)
    assert "at beta = inf (hard attention): after true steps so." in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(("M", "M_ft", "first", "heldout"), [(4, 4, 4, False), (4, 2, 4, False), (6, 4, 4, True)])
def test_a_sharp_value_of_M_is_no_success(few_claims, tmp_path, capsys, M, M_ft, first, heldout):
    """At M_ft = M nothing is held out: the line and the JSON say so."""
    target = tmp_path / "x.json"
    sizes = ["--M", str(M), "--L", "2", "--U", "2", "--M-ft", str(M_ft), "--N-ft", "2"]
    assert theorem1.main([*sizes, "--quiet", "--json", str(target)]) == 0
    conclusion = json.loads(target.read_text(encoding="utf-8"))["conclusion"]
    assert (conclusion["sharp_M_ft"], conclusion["sharp_has_heldout"]) == (first, heldout)
    line, second, _ = capsys.readouterr().out.splitlines()
    assert ("on seen queries (M_ft = M holds none out)" in line) is (M_ft == M)
    assert ("holds for no M_ft < M = 4; at M_ft = M no query is held out" in second) is not heldout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), True),
        (("--L", "1", "--U", "2"), False),
        (("--U", "2,3"), False),
        (("--S", "2"), False),
        (("--reading", "literal"), False),
    ],
)
def test_the_limit_of_large_beta_is_told_where_it_is_derived(few_claims, tmp_path, capsys, more, said):
    target = tmp_path / "x.json"
    sizes = ["--M", "12", "--L", "2", "--U", "3", "--M-ft", "6", "--N-ft", "2", "--eta-kq-rel", "7"]
    theorem1.main([*sizes, *more, "--quiet", "--json", str(target)])
    first = -(-limit_M_ft(12, 2, 3, 3, 1, 7, 1) // 3) * 3
    assert json.loads(target.read_text(encoding="utf-8"))["conclusion"]["limit_M_ft"] == (first if said else None)
    second = capsys.readouterr().out.splitlines()[1]
    words = f" At every large finite beta, at these step sizes and with all frequencies 1/U: at multiples of U from M_ft = {first} on."
    assert second.endswith(words) if said else "large finite beta" not in second


def test_the_second_line_of_the_readme():
    setting = Setting(M=256, L=8, U=(32,) * 8, M_ft=128)
    text = Path(__file__).resolve().parents[2].joinpath("README.md").read_text(encoding="utf-8")
    result = theorem1.Result(setting, World.balanced(256, 8, 32, 128))
    result.sharp_M_ft, result.limit_M_ft = theorem1.sharp(setting), theorem1.sharp_limit(setting)
    result.assumptions = [(theorem1.BALANCED_FT.name, True)]
    assert theorem1.sharp_line(result) in text
