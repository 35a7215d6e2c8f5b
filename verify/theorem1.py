"""`python -m verify.theorem1`: Theorem 1/2 derived, measured and run at one setting, and its claims tried.

Exit status: 0 the witnesses agree and every verdict that was sought is the recorded one; 1 they do not; 2 unusable input.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from numerics.population.certified import CertifiedGradients
from numerics.population.sampled import SampledGradients
from numerics.world import World
from paper_checks.contextual_recall.assumptions import BALANCED, BALANCED_FT, THEOREM_2
from verify import ledger, tables
from verify.agreement import agreement, sampled_agreement
from verify.arguments import one_line, parsed, parser, read
from verify.coefficients import Row, rows
from verify.conclude import Conclusion, any_beta, at_other_S, hat, sharp, sharp_limit, true
from verify.court import Court
from verify.docket import Outcome, theorem_entries, tried
from verify.evidence import Evidence
from verify.explain.explanation import Explanation, explained
from verify.explain.page import page
from verify.failures import failures
from verify.finite import Finite, finite
from verify.output import revision, versions, write_json
from verify.process import as_command
from verify.progress import paged
from verify.records import record
from verify.region.finite import FiniteBeta
from verify.setting import Setting, SettingError
from verify.witnesses import Witnesses, one_thread

SCHEMA = "contextual-recall-referee/theorem1/1"


def check(setting: Setting) -> list[Evidence]:
    """All evidence on the claims of Theorem 1/2 at a balanced setting; see `run` for everything else."""
    world = World.balanced(setting.M, setting.L, setting.U, setting.M_ft, n_grammar=setting.G, seed=setting.seed)
    court = Court(setting, world)
    return [e for entry in theorem_entries().values() for e in tried(entry, court, mutants=False).printed.evidence]


class Result:
    """Everything that a run found."""

    def __init__(self, setting: Setting, world: World, claims: bool = True) -> None:
        self.setting, self.world, self.claims = setting, world, claims
        self.assumptions: list[tuple[str, bool | None]] = []
        self.rows: list[Row] = []
        self.agreement: list[Evidence] = []
        self.conclusions: dict[str, Conclusion] = {}
        self.any_beta: dict[str, FiniteBeta] = {}
        self.finite: Finite | None = None
        self.other_S: tuple[int, Conclusion] | None = None
        self.sharp_M_ft: int | None = None
        self.limit_M_ft: int | None = None
        self.explanation: Explanation | None = None
        self.outcomes: list[Outcome] = []
        self.routes: dict[str, str] = {}
        self.seconds = 0.0
        self.stages: dict[str, float] = {}

    @property
    def recorded(self) -> dict[str, str]:
        return ledger.recorded(self.setting.reading)

    @property
    def problems(self) -> list[str]:
        """What keeps the run from exit status 0."""
        found = [f"witnesses disagree: {e.quantity}: {e.measured}" for e in self.agreement if not e.agrees]
        recorded = self.recorded
        for o in self.outcomes:
            name = o.entry.claim.id
            if recorded.get(name) != o.verdict:
                found.append(f"{name}: verdict {o.verdict}, recorded {recorded.get(name, 'nothing')}")
            found += [f"{name}: mutant survives: {mutant}" for mutant in o.survivors]
        return found


def run(
    setting: Setting,
    world: World,
    device: str,
    bar: Callable[[str], Any],
    stage: Callable[[str], Any],
    full: bool = False,
    claims: bool = True,
) -> Result:
    """The whole job. full: every further witness of the true gradients that is feasible, however long; claims: try them and their
    mutants, most of the time at small settings."""
    begun = time.perf_counter()
    result = Result(setting, world, claims)
    w = Witnesses(setting, world, device, bar, full)
    court = Court(setting, world)
    result.assumptions = [(a.name, a.holds(court.p)) for a in (*THEOREM_2, BALANCED, BALANCED_FT)]

    def timed(name: str, ask: Callable[[], Any]) -> Any:
        stage(name)
        start = time.perf_counter()
        answer = ask()
        result.stages[name] = time.perf_counter() - start
        return answer

    result.rows = timed("coefficients at this setting", lambda: rows(w))
    result.agreement = timed("agreement of the witnesses", lambda: [*agreement(w), *sampled_agreement(result.rows)])
    result.conclusions["hat"] = timed("conclusion after hat steps", lambda: hat(w))
    result.conclusions["true"] = timed("conclusion after true steps", lambda: true(w))
    for objective in result.conclusions:
        result.any_beta[objective] = timed(f"finite beta, {objective} steps", partial(any_beta, w, objective))
    result.other_S = timed("the other window", lambda: at_other_S(w))
    result.finite = timed("finite beta", lambda: finite(w))
    result.sharp_M_ft = timed("sharp condition", lambda: sharp(setting))
    result.limit_M_ft = sharp_limit(setting)
    if setting.facts is not None:
        result.explanation = timed("the table explained", lambda: explained(w, result.conclusions, result.any_beta))
    for name, entry in theorem_entries().items() if claims else ():
        result.outcomes.append(timed(f"claim {name}", partial(tried, entry, court)))
    result.routes = _routes(w)
    result.seconds = time.perf_counter() - begun
    return result


def _routes(w: Witnesses) -> dict[str, str]:
    """How each column of the coefficient table was obtained."""
    if w.autograd_hat is not None:
        autograd = f"literal network over all {w.setting.population} sequences"
    elif w.autograd_sampled is not None:
        drawn = w.autograd_sampled
        autograd = f"literal network, SAMPLED: class means of {drawn.replicates} x {drawn.sequences} drawn sequences ± standard error"
    else:
        autograd = f"not run here (V = {w.world.V}, T = {w.setting.T} are too large); on the bench"
    return {"exact": w.exact_route, "autograd": autograd, "true": _true_route(w)}


def _true_route(w: Witnesses) -> str:
    g = w.true
    if g is None:
        return "not run (V too large)"
    if isinstance(g, CertifiedGradients):
        reached = g.relative
        bounds = f"{max(reached['kq_subj'], reached['ov_rel']):.0e} (step 1), {reached['kq_rel']:.0e} (step 2)"
        alone = f"; no second exact method: {w.unconfirmed}" if w.unconfirmed else ""
        return (
            f"CERTIFIED over all {w.setting.population} sequences ({g.method}), proven relative error {bounds}{alone}"
        )
    why = f"; not certified: {w.uncertified}" if w.uncertified else ""
    if isinstance(g, SampledGradients):
        return f"SAMPLED, {g.replicates} replicates of {g.sequences} sequences, ± 5 standard errors{why}"
    return f"float64 over every sequence{why}"


def as_json(result: Result) -> dict[str, Any]:
    """The documented JSON (verify/schema/theorem1.schema.json)."""
    return {
        "schema": SCHEMA,
        "setting": result.setting.as_json(),
        "assumptions": [{"name": name, "holds": holds} for name, holds in result.assumptions],
        "coefficients": [row.as_json() for row in result.rows],
        "routes": result.routes,
        "agreement": [e.as_json("agreement") for e in result.agreement],
        "conclusion": {
            **{name: c.as_json() for name, c in result.conclusions.items()},
            "finite_beta": None if result.finite is None else result.finite.as_json(),
            "any_beta": {name: found.as_json() for name, found in result.any_beta.items()},
            "sharp_M_ft": result.sharp_M_ft,
            "limit_M_ft": result.limit_M_ft,
            "sharp_has_heldout": None if result.sharp_M_ft is None else result.sharp_M_ft < result.setting.M,
            "other_S": None if result.other_S is None else {"S": result.other_S[0], "hat": result.other_S[1].as_json()},
        },
        "explanation": None if result.explanation is None else result.explanation.as_json(),
        "claims": [record(o, result.setting.reading) for o in result.outcomes],
        "problems": result.problems,
        "versions": versions(),
        "revision": revision(),
        "seconds": round(result.seconds, 3),
        "stages": {name: round(seconds, 3) for name, seconds in result.stages.items()},
    }


def show(console: Console, result: Result, quiet: bool) -> None:
    """Everything for people; the last lines are what a reader should know."""
    setting = result.setting
    if not quiet:
        names = "a balanced world" if setting.facts is None else f"the facts of {setting.facts}"
        tables.header(console, setting, result.assumptions, names)
        console.print()
        console.print(
            tables.coefficient_table(
                result.rows, result.routes["exact"], result.routes["autograd"], result.routes["true"]
            )
        )
        good = sum(e.agrees for e in result.agreement)
        console.print(
            f"witnesses at this setting: {good} of {len(result.agreement)} comparisons agree", highlight=False
        )
        for e in result.agreement:
            if not e.agrees:
                console.print(f"  [red]DISAGREE[/red] {e.quantity}: {e.measured}, {e.printed}", highlight=False)
        console.print()
        for c in result.conclusions.values():
            tables.conclusion_lines(console, c)
            console.print(f"  finite beta: {result.any_beta[c.objective].words()}", highlight=False)
        if result.other_S is not None:
            tables.other_window(console, setting, *result.other_S)
        if result.finite is not None:
            result.finite.show(console)
        console.print()
        if result.explanation is not None:
            console.print(Markdown(page(result.explanation, setting, str(setting.facts))))
            console.print()
        if result.claims:
            console.print(tables.claims_table([record(o, setting.reading) for o in result.outcomes], result.recorded))
        for problem in result.problems:
            console.print(f"[bold red]{problem}[/bold red]", highlight=False)
        console.print(f"{result.seconds:.1f} s", highlight=False)
        console.print()
    for line in last_lines(result):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def last_lines(result: Result) -> list[str]:
    """What a reader should know, in three lines; at a finite beta what is so there comes before them."""
    counts: dict[str, int] = {}
    for o in result.outcomes:
        counts[str(o.verdict)] = counts.get(str(o.verdict), 0) + 1
    verdicts = ", ".join(f"{n} {name}" for name, n in sorted(counts.items(), key=lambda item: -item[1]))
    killed = sum(len(o.mutants) - len(o.survivors) for o in result.outcomes)
    total = sum(len(o.mutants) for o in result.outcomes)
    state = "all verdicts as recorded" if not result.problems else f"{len(result.problems)} PROBLEMS"
    hat_, true_ = result.conclusions["hat"], result.conclusions["true"]
    words = {True: "holds", False: "FAILS", None: "is open"}
    pools = "" if result.setting.M_ft < result.setting.M else ", on seen queries (M_ft = M holds none out)"
    # One cause is enough for a line: the hat steps are the paper's, and known exactly.
    why = failures(hat_) or failures(true_)
    where = f": {why}" if why else ""
    return [
        *asked_beta(result),
        f"Theorem 1/2 {words[hat_.holds]} here after hat steps and {words[true_.holds]} after true steps, at beta = inf"
        f" (hard attention){pools}{where}.{finite_line(result)}",
        sharp_line(result),
        f"Claims: {verdicts}; {killed} of {total} mutants rejected; {state}." if result.claims else untried(result),
    ]


def untried(result: Result) -> str:
    """The line in place of the verdicts where no claim was tried: what was, and whether it agrees."""
    good, all_ = sum(e.agrees for e in result.agreement), len(result.agreement)
    return f"Claims: not tried (--no-claims); {good} of {all_} comparisons of the witnesses agree."


def asked_beta(result: Result) -> list[str]:
    """The conclusion at the setting's finite beta, gradients and forward pass; no line at beta = inf."""
    found = result.finite
    if found is None:
        return []
    if found.why:
        return [f"At beta = {found.beta:g}: not decided; {found.why}."]
    told = []
    for objective, pools in found.accuracy.items():
        parts = [
            f"{right} of {total} {'held-out' if pool == 'heldout' else pool}" + (f" ({ties} tied)" if ties else "")
            for pool, (right, ties, total) in pools.items()
            if total
        ]
        holds = all(right == total for right, _, total in pools.values())
        told.append(f"{'holds' if holds else 'FAILS'} after {objective} steps ({' and '.join(parts)} sequences right)")
    return [f"At beta = {found.beta:g}, gradients and forward pass, Theorem 1/2 {' and '.join(told)}."]


def finite_line(result: Result) -> str:
    """Where hard attention fails and a softmax does not; empty if nothing of the kind is proven."""
    told = [
        f"at {found.range_words()} ({name})"
        for name, found in result.any_beta.items()
        if result.conclusions[name].holds is False and found.proven is not None
    ]
    return f" With softmax attention every sequence is right, proven, {' and '.join(told)}." if told else ""


def sharp_line(result: Result) -> str:
    """From which M_ft the hat conclusion holds if all values of a type are equally frequent, and whether they are here."""
    setting, first = result.setting, result.sharp_M_ft
    # The closed form (one U) is a statement on every step size and on every larger M_ft; a scan gives the first M_ft only.
    everywhere = setting.window is None and setting.reading == "set" and setting.L >= 2
    onwards = everywhere and len(set(setting.U)) == 1
    if first is None:
        holds = "for no M_ft up to M"
    elif first == setting.M:
        holds = f"for no M_ft < M = {first}; at M_ft = M no query is held out, and it holds"
    else:
        holds = f"from M_ft = {first} on" if onwards else f"first at M_ft = {first}"
    scale = "; M_ft must exceed about U + U^2/N_ft, not only be >> U" if onwards else ""
    whose = "Balanced, hat"
    if not dict(result.assumptions)[BALANCED_FT.name]:
        whose = "For a balanced table of these sizes (here the finetuning subjects are not balanced), hat"
    steps = "for all" if everywhere else "at these"
    limit = ""
    if result.limit_M_ft is not None:
        limit = (
            f" At every large finite beta, at these step sizes and with all frequencies 1/U: at multiples of U from M_ft ="
            f" {result.limit_M_ft} on."
        )
    return f"{whose}: {steps} step sizes it holds {holds} (here M_ft = {setting.M_ft}){scale}.{limit}"


@contextmanager
def _bars(quiet: bool, claims: bool):
    """Progress on standard error, only on a terminal: (bar for a counted job, stage for a named one)."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield (lambda label: None), (lambda label: None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        stages = progress.add_task("starting", total=12 + (len(theorem_entries()) if claims else 0))
        first = True

        def stage(label: str) -> None:
            nonlocal first
            progress.update(stages, description=label, advance=0 if first else 1)
            first = False

        def bar(label: str) -> Callable[[int, int], None]:
            task = progress.add_task(f"  {label}", total=1)
            return lambda done, total: progress.update(task, completed=done, total=total, visible=done < total)

        yield bar, stage


def _device(wanted: str) -> str:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SettingError("--device cuda: no CUDA device is available here; use cpu or auto")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    made = parser(
        "python -m verify.theorem1", "Theorem 1/2: derived, measured, run, and its claims tried, at one setting."
    )
    made.add_argument(
        "--no-claims",
        action="store_true",
        help="what is so at this setting alone, in a fraction of the time: no claim is tried, and the exit status tells of the witnesses",
    )
    options = parsed(made, arguments)
    try:
        setting, world = read(options)
        device = _device(options.device)
    except (SettingError, ValueError) as error:
        print(f"python -m verify.theorem1: {one_line(error)}", file=sys.stderr)
        return 2
    try:
        with _bars(options.quiet, not options.no_claims) as (bar, stage), one_thread():
            # Networks and products of the job are small: threads only wait for each other, up to ten times as long.
            result = run(setting, world, device, bar, stage, options.full, not options.no_claims)
        if options.json is not None:
            try:
                write_json(options.json, as_json(result))
            except OSError as error:
                print(f"python -m verify.theorem1: --json {options.json}: {one_line(error)}", file=sys.stderr)
                return 2
        with paged() as console:
            show(console, result, options.quiet)
    except KeyboardInterrupt:
        print("python -m verify.theorem1: interrupted, nothing written", file=sys.stderr)
        return 130
    return 1 if result.problems else 0


if __name__ == "__main__":
    as_command(main)
