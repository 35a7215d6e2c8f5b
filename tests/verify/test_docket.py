"""The trial of every claim: verdicts as recorded, every mutant rejected, and what happens when a side is wrong."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import jsonschema
import pytest

from numerics.world import World
from paper_checks.contextual_recall import claims as paper_claims
from verify import __main__ as verify_main
from verify import docket, ledger, recompute
from verify.court import PAPER
from verify.docket import Derived, Entry, entries, tried
from verify.evidence import Finding, Route, Status
from verify.judges.decided import ov_step
from verify.records import record
from verify.tolerances import tolerance
from verify.verdict import Verdict

READINGS = ("set", "literal")


@pytest.mark.parametrize("reading", READINGS)
def test_verdicts_are_the_recorded_ones(outcomes, reading):
    assert {o.entry.claim.id: str(o.verdict) for o in outcomes[reading]} == ledger.recorded(reading)


@pytest.mark.parametrize("reading", READINGS)
def test_every_mutant_is_rejected(outcomes, reading):
    """Each by its claim's own check, on evidence; at least two of them a claim."""
    for o in outcomes[reading]:
        assert o.survivors == (), o.entry.claim.id
        assert len(o.mutants) == len(o.entry.claim.mutations) >= 2
        for mutation, found in o.mutants:
            assert found.status in (Status.FAILS, Status.APPROXIMATE), (o.entry.claim.id, mutation.name)
            assert any(not e.agrees for e in found.evidence), (o.entry.claim.id, mutation.name)


@pytest.mark.parametrize("reading", READINGS)
def test_every_trial_stands_on_evidence(outcomes, reading):
    """Printed and derived statement by the same comparisons; exact ones without a discrepancy, none below its tolerance."""
    for o in outcomes[reading]:
        name = o.entry.claim.id
        assert o.printed.evidence and o.derived.evidence, name
        assert o.derived.status in (Status.HOLDS, Status.APPROXIMATE), name
        assert o.statement.words, name
        for e in (*o.printed.evidence, *o.derived.evidence):
            assert e.tolerance >= 0 and e.why and e.quantity, name
            if e.agrees and e.route in (Route.AUTOGRAD, Route.ENUMERATED, Route.SYMBOLIC):
                assert e.discrepancy <= max(e.tolerance, 0.0), (name, e)
        if o.printed.status is Status.FAILS:
            assert o.printed.counterexample or o.printed.remainder, name
        if o.verdict is Verdict.EXACT:
            assert o.printed.counterexample == "", name


def test_the_ledger_is_what_these_trials_give(records):
    """Every field; of texts with decimals only whether they are there, since their last digits are the machine's."""
    made, committed = verify_main.as_ledger(records), ledger.load()
    assert {k: v for k, v in made.items() if k != "claims"} == {k: v for k, v in committed.items() if k != "claims"}
    for a, b in zip(made["claims"], committed["claims"], strict=True):
        for key in ("counterexample", "remainder"):
            assert (a.pop(key) is None) == (b.pop(key) is None), a["id"]
        assert a == b


def test_wordings_are_the_recorded_ones():
    committed = {entry["id"]: entry for entry in ledger.load()["claims"]}
    claims = paper_claims()
    assert list(committed) == list(claims)
    for name, claim in claims.items():
        assert committed[name]["statement"] == claim.wording
        assert committed[name]["fingerprint"] == claim.fingerprint
        assert committed[name]["verdict"] == ledger.overall(
            committed[name]["readings"], paper_claims()[name].construction
        )


# --- a wrong transcription, a wrong derivation, a changed ledger -----------------------------------------------------------


@pytest.fixture
def exit_status(monkeypatch, tmp_path, records):
    """main() on the trials with some of them replaced: outcomes by reading, or nothing."""

    def run(reading: str = "set", outcome=None, *arguments: str) -> int:
        found = dict(records)
        if outcome is not None:
            found[outcome.entry.claim.id, reading] = record(outcome, reading)
        monkeypatch.setattr(verify_main, "recompute", lambda trials, jobs, state, advance: found)
        return verify_main.main([*arguments, "--state", str(tmp_path / "state")])

    return run


def test_exit_status_without_changes(exit_status, capsys, tmp_path):
    assert exit_status() == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"{len(paper_claims())} claims in 2 readings, 0 undecided, 0 differences from the ledger" in out
    assert list(tmp_path.iterdir()) == []


def failing_mutation(outcome):
    return next(mutation for mutation, found in outcome.mutants if found.status is Status.FAILS)


EXACT = [name for name, verdict in ledger.recorded("set").items() if verdict == "exact"]


@pytest.mark.parametrize("name", EXACT)
def test_a_wrong_transcription_changes_the_verdict(exit_status, outcomes, courts, name, capsys):
    """A printed statement that is true, transcribed with a slip: no longer exact, and `python -m verify` says so."""
    outcome = next(o for o in outcomes["set"] if o.entry.claim.id == name)
    slip = failing_mutation(outcome)
    claim = replace(outcome.entry.claim, printed=slip.apply(outcome.entry.claim.printed))
    wrong = tried(replace(outcome.entry, claim=claim), courts["set"], mutants=False)
    assert wrong.verdict in (Verdict.CORRECTED, Verdict.FALSE)
    assert wrong.printed.status is Status.FAILS
    assert exit_status("set", wrong) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert f"{name} (set): verdict {wrong.verdict}, recorded exact" in out
    assert "1 differences from the ledger" in out


def test_a_right_transcription_of_a_wrong_claim_is_exact(outcomes, courts):
    """What the derivation says, put in place of the printed statement, passes."""
    names = ("index", "rel2.attr", "subj.E_Cy", "lemC1", "rel.ov.update", "thm2.accuracy", "rel2.norm", "eq12")
    for o in outcomes["set"]:
        if o.entry.claim.id in names:
            claim = replace(o.entry.claim, printed=o.statement.statement)
            assert tried(replace(o.entry, claim=claim), courts["set"], mutants=False).verdict is Verdict.EXACT


def test_a_wrong_derivation_is_undecided(exit_status, outcomes, courts, capsys):
    """A derivation with a slip is caught by the other witnesses, whatever is printed; for every claim tried quickly."""
    quick = [o for o in outcomes["set"] if o.seconds < 0.8]
    assert len(quick) >= 20
    for o in quick:
        slip = failing_mutation(o)

        def derive(court, o=o, slip=slip) -> Derived:
            right = o.entry.derive(court)
            return replace(right, statement=slip.apply(right.statement))

        wrong = tried(Entry(o.entry.claim, o.entry.check, derive), courts["set"], mutants=False)
        assert wrong.verdict is Verdict.UNDECIDED, (o.entry.claim.id, slip.name)
    assert exit_status("set", wrong) == 1
    assert f"{wrong.entry.claim.id} (set): verdict undecided" in capsys.readouterr().out


def test_a_wrong_derivation_through_the_command(monkeypatch, tmp_path, capsys):
    """The whole path of `python -m verify` with one claim in the docket and in the ledger."""
    entry = entries()["rel2.attr"]
    committed = ledger.load()
    only = {**committed, "claims": [c for c in committed["claims"] if c["id"] == "rel2.attr"]}
    monkeypatch.setattr(verify_main.ledger, "load", lambda: only)

    def derive(court) -> Derived:
        right = entry.derive(court)
        return replace(right, statement={k: 2 * v for k, v in right.statement.items()})

    arguments = ["--jobs", "1", "--state", str(tmp_path / "state")]
    for made, status in ((entry, 0), (Entry(entry.claim, entry.check, derive), 1)):
        for module in (verify_main, recompute):
            monkeypatch.setattr(module, "entries", lambda made=made: {"rel2.attr": made})
        assert verify_main.main(arguments) == status
    assert "rel2.attr (set): verdict undecided, recorded corrected" in capsys.readouterr().out


def test_changes_of_the_ledger_are_reported(exit_status, monkeypatch, capsys):
    committed = ledger.load()

    def changed(**fields):
        first = {**committed["claims"][0], **fields}
        return {**committed, "claims": [first, *committed["claims"][1:]]}

    name = committed["claims"][0]["id"]
    for book, words in (
        (changed(fingerprint="0" * 16), f"{name}: the transcribed wording changed"),
        (changed(readings={"set": "exact", "literal": "false"}), f"{name} (literal): verdict exact, recorded false"),
        (changed(id="gone"), "gone: in the ledger, but no longer tried"),
        ({**committed, "claims": committed["claims"][1:]}, f"{name}: not in the ledger"),
    ):
        monkeypatch.setattr(verify_main.ledger, "load", lambda book=book: book)
        assert exit_status() == 1
        assert words in " ".join(capsys.readouterr().out.split())


def test_a_surviving_mutant_is_reported(exit_status, outcomes, capsys):
    o = outcomes["literal"][0]
    survivor = replace(o, mutants=((o.mutants[0][0], o.derived), *o.mutants[1:]))
    assert survivor.survivors == (o.mutants[0][0].name,)
    assert exit_status("literal", survivor) == 1
    assert f"{o.entry.claim.id} (literal): mutant survives: {o.mutants[0][0].name}" in capsys.readouterr().out


def test_what_rejects_a_mutant(outcomes):
    o = outcomes["set"][0]
    for derived, status, rejected in (
        (Status.HOLDS, Status.FAILS, True),
        (Status.HOLDS, Status.APPROXIMATE, True),
        (Status.APPROXIMATE, Status.APPROXIMATE, False),
        (Status.HOLDS, Status.HOLDS, False),
        (Status.HOLDS, Status.VACUOUS, False),
        (Status.HOLDS, Status.UNDECIDED, False),
    ):
        made = replace(o, derived=Finding(derived, ()), mutants=((o.mutants[0][0], Finding(status, ())),))
        assert (made.survivors == ()) is rejected, (derived, status)


def test_record_writes_the_ledger(exit_status, monkeypatch):
    """Deliberately, and nothing else does."""
    written = []
    monkeypatch.setattr(verify_main, "write_json", lambda path, value: written.append((path, value)))
    exit_status()
    assert written == []
    assert exit_status("set", None, "record") == 0
    ((path, value),) = written
    assert path.name == "ledger.json" and path.parent.name == "verify"
    schema = json.loads(path.with_name("schema").joinpath("ledger.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(value)


def test_interrupted(monkeypatch, capsys, tmp_path):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(verify_main, "recompute", interrupt)
    monkeypatch.setattr(verify_main, "write_json", lambda path, value: pytest.fail("written"))
    for command in ([], ["record"]):
        assert verify_main.main([*command, "--state", str(tmp_path / "state")]) == 130
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1 and "interrupted" in err


def test_the_ledger_command(tmp_path, capsys):
    target = tmp_path / "l.json"
    assert verify_main.main(["ledger", "--json", str(target)]) == 0
    assert json.loads(target.read_text(encoding="utf-8")) == ledger.load()
    assert capsys.readouterr().out == f"written: {target}\n"
    assert verify_main.main(["ledger"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(ledger.load()["claims"])


def test_a_claim_without_a_check(monkeypatch):
    claims = paper_claims()
    first = next(iter(claims.values()))
    monkeypatch.setattr(docket, "paper_claims", lambda: {**claims, "new": replace(first, id="new")})
    with pytest.raises(LookupError, match="new"):
        entries()


# --- numbers checked by hand -------------------------------------------------------------------------------------------


def test_size_and_order_of_an_approximation(outcomes):
    """rel.ov.update. Each of the L U M_ft entries [u, s] lacks (m-1)/(L T U M_ft); the derived matrix has (m-1)/(L T U^2)
    on L U^2 entries, the same with 1/(L T M_ft) more on the L M_ft own ones, and the lacking term on the others. With the
    common 1/(L T) left out:"""

    def ratio(M_ft: int) -> float:
        L, U, m = PAPER["L"], PAPER["U"], PAPER["m"]
        lacking = Fraction(m - 1, U * M_ft)
        difference = L * U * M_ft * lacking**2
        whole = (
            L * U**2 * Fraction(m - 1, U**2) ** 2
            + L * M_ft * (lacking + Fraction(1, M_ft)) ** 2
            + L * (U - 1) * M_ft * lacking**2
        )
        return math.sqrt(difference / whole)

    order = math.log(ratio(32 * 10**8) / ratio(32 * 10**6)) / math.log(100)
    assert order == pytest.approx(-0.5, abs=1e-4)
    for reading in READINGS:
        for name in ("rel.ov.update", "rel.ov.drop"):
            o = next(o for o in outcomes[reading] if o.entry.claim.id == name)
            assert o.verdict is Verdict.APPROXIMATE
            assert f"relative size {ratio(128):.3g} (Frobenius)" in o.printed.remainder
            assert "O((U/M_ft)^1/2)" in o.printed.remainder


def test_a_remainder_that_does_not_vanish_is_no_approximation(outcomes):
    """subj.update: only the query position is printed, with (1 - 1/U)/m; by the hat gradient the m positions of subjects
    have (1 - 1/U)(m-1)/m^2 for the query and minus (1 - 1/U)/m^2 for each of the m - 1 others. Relative remainder: 1/m for
    the query against (m-1)/m, and so on."""
    m = PAPER["m"]
    query, context = Fraction(m - 1, m**2), Fraction(-1, m**2)
    difference = (Fraction(1, m) - query) ** 2 + (m - 1) * context**2
    whole = query**2 + (m - 1) * context**2
    limit = math.sqrt(difference / whole)
    for reading in READINGS:
        o = next(o for o in outcomes[reading] if o.entry.claim.id == "subj.update")
        assert o.verdict is Verdict.CORRECTED
        assert f"tends to {limit:.3g} = sqrt(1/(m - 1)), not to 0" in o.printed.remainder


WORLD = re.compile(r"balanced M=(\d+) L=(\d+) U=(\d+) M_ft=(\d+) N_ft=(\d+)")


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", ["thm2.accuracy", "thm2.hypotheses"])
def test_counterexamples_of_the_theorem_by_a_plain_forward_pass(outcomes, plain_of, reading, name):
    """The world and the sequence that the text names: gradients, weights and logits by the definitions."""
    text = next(o for o in outcomes[reading] if o.entry.claim.id == name).printed.counterexample
    M, L, U, M_ft, n = map(int, WORLD.search(text).groups())
    world = World.balanced(M, L, U, M_ft, n_grammar=1, seed=2)
    made = plain_of(world, n, reading=reading, eta=(Fraction(1), Fraction(ov_step(reading)), Fraction(1)))
    weights = made.weights()
    tokens = re.search(r"On \[(.*)\] the target is (\S+);", text)
    said = tokens.group(1).replace("[sep]", "|").split()
    pool, failing = ("heldout", []) if "held-out query" in text.split("statement says")[1] else ("seen", [])
    for sequence, y in made.population(pool):
        out = made.logits(sequence, weights)
        if out[y] <= max(value for v, value in out.items() if v != y):
            failing.append(([_name(t) for t in sequence], _name(y), len({t for t in sequence if t[0] == "s"})))
    mine = [f for f in failing if f[0] == said and f[1] == tokens.group(2)]
    assert mine, "the named sequence does not fail"
    assert mine[0][2] == min(f[2] for f in failing), "a failing sequence has fewer distinct subjects"
    count = re.search(rf"{'held-out' if pool == 'heldout' else 'seen'} (\d+)/(\d+) right", text)
    assert int(count.group(2)) - int(count.group(1)) == len(failing)


def _name(token) -> str:
    if token == ("sep",):
        return "|"
    return f"s{token[1]}" if token[0] == "s" else f"a^{token[1]}={token[2]}"


def test_counterexample_of_lemma_c1_by_hand(outcomes):
    """s0 [sep] a^0=0 s1 [sep]: logit of u is -(share of the two subjects that do not have u); 1/V is already exceeded. (The least
    world, which stands first, is worked out in test_bounds.py: there all logits are equal.)"""
    second = next(o for o in outcomes["set"] if o.entry.claim.id == "lemC1").printed.evidence[1]
    text = f"{second.setting}: {second.measured}, {second.printed}"
    assert "s0 [sep] a^0=0 s1 [sep]" in text
    world = World.balanced(*map(int, WORLD.search(text).groups()[:4]), n_grammar=2, seed=1)
    logits = [0.0] * world.V
    for l in range(world.L):
        for u in range(world.U[l]):
            logits[world.attribute_range(l)[u]] = -sum(world.value_index[j, l] != u for j in (0, 1)) / 2
    Z = sum(map(math.exp, logits))
    largest = math.exp(max(logits)) / Z
    assert f"{largest:.12g}" in text and f"{1 / world.V:.12g}" in text and largest > 1 / world.V


def test_counts_of_verdicts(outcomes):
    for reading in READINGS:
        assert Counter(map(str, ledger.recorded(reading).values())) == Counter(
            str(o.verdict) for o in outcomes[reading]
        )
        assert sum(str(o.verdict) == "undecided" for o in outcomes[reading]) == 0


def test_tolerances_are_the_table():
    for route in (Route.SYMBOLIC, Route.ENUMERATED, Route.CERTIFIED):
        assert tolerance(route).value == 0
    assert tolerance(Route.AUTOGRAD).value == 1e-12


@pytest.mark.long
def test_the_whole_recomputation_as_a_process(tmp_path):
    done = subprocess.run([sys.executable, "-m", "verify"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "0 differences from the ledger" in done.stdout
    assert list(tmp_path.iterdir()) == []
