"""What the page says of finite beta: by parts where a value is never shown, and where nothing is sought."""

from __future__ import annotations

UNSHOWN = "who,town,u\n" + "".join(f"s{j},{j // 4},{j % 2}\n" for j in range(8)) + "h0,0,0\nh1,1,1\nh2,2,1\n"
NAMES = [*(f"s{j}" for j in range(8)), "h0", "h1", "h2"]


def test_finite_beta_by_parts_where_a_value_is_never_shown(run, tmp_path):
    facts = tmp_path / "facts.csv"
    facts.write_text(UNSHOWN, encoding="utf-8")
    data, text = run("--facts", str(facts), "--M-ft", "8", "--N-ft", "1", "--device", "cpu")
    hat, true = (data["any_beta"][name] for name in ("hat", "true"))
    assert hat["proven"] is None and list(hat["parts"]) == ["seen", "heldout", "heldout_covered"]
    assert true["proven"] is not None and true["parts"] == {}
    lines = text.splitlines()
    assert "| hat | all | no beta at which it is proven | – |" in lines
    assert "| hat | held-out queries | no beta at which it is proven | – |" in lines
    for words, part in (
        ("seen queries", "seen"),
        ("held-out queries with values that finetuning subjects have", "heldout_covered"),
    ):
        one = hat["parts"][part]
        kind, (context, query) = one["sequence"]["type"], one["sequence"]["subjects"]
        where = f"{['town', 'u'][kind]}; contexts {NAMES[context]}; query {NAMES[query]}"
        bounds = rf"every finite beta \>= {one['sufficient']:.5g} | {one['fails_at']:.5g}: {where}"
        assert f"| hat | {words} | {bounds} |" in lines


def test_what_was_not_sought_is_said(run):
    _, text = run("--M", "8", "--L", "2", "--U", "2", "--N-ft", "1", "--device", "cpu", "--M-ft", "6", "--S", "1")
    assert "| hat | all | not sought: T \\> S + 2: the relation head starts from a window | – |" in text
