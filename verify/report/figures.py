"""The plots of the report, each from the numbers of verify.report.curves."""

from __future__ import annotations

from typing import Any

from theory.finetuning.conclusion import sharp_M_ft
from verify.court import PAPER
from verify.report import curves
from verify.report.curves import Sweep
from verify.report.decided import decided
from verify.report.figure import CURVES, FAINT, MARKS, STYLES, Figure, lines, number, plotted

SETTING = "M = 256, L = 8, U = 32, M_ft = 128, N_ft = 5"


def figures() -> tuple[Figure, ...]:
    """All plots. About two seconds, most of them for the closed form of the sharp condition."""
    found = (
        region(),
        decided(),
        scores(),
        subject_coefficients(),
        remainder(),
        subject_norm(),
        value_norm(),
        relation_norm(),
    )
    return tuple(one for one in found if one is not None)


def _made(
    name: str,
    title: str,
    claims: tuple[str, ...],
    caption: str,
    alternative: str,
    sweep: Sweep,
    wanted: tuple[float, ...],
    draw: Any,
) -> Figure:
    rows = tuple(tuple(number(v) for v in row) for row in sweep.rows(wanted))
    svg = plotted(name, title, alternative, draw)
    return Figure(name, title, claims, caption, alternative, (sweep.x_name, *sweep.columns), rows, svg)


def _log2_ticks(axis: Any, values: tuple[float, ...]) -> None:
    axis.set_ticks(values, [str(v) for v in values], minor=False)
    axis.set_ticks([], minor=True)


def _log_ticks(axes: Any) -> None:
    """Ticks at 1, 2, 5 times powers of ten on a short logarithmic y axis, at powers of ten on a long one."""
    low, high = axes.get_ylim()
    steps = (1, 2, 5) if high / low < 100 else (1,)
    values = [d * 10.0**k for k in range(-4, 5) for d in steps if low <= d * 10.0**k <= high]
    axes.yaxis.set_ticks(values, [f"{v:g}" for v in values], minor=False)
    axes.yaxis.set_ticks([], minor=True)


def _named(axes: Any, words: str, point: tuple[float, float], place: tuple[float, float], ha: str) -> None:
    """Words away from the curves, with a thin line to their point."""
    axes.annotate(words, point, place, ha=ha, arrowprops={"arrowstyle": "-", "color": FAINT, "shrinkB": 5})


def region() -> Figure:
    """Where in (U, M_ft) the theorem's conclusion holds."""
    N_ft = (1, 5, 16)
    sweep = curves.thresholds(N_ft)
    sharp = sharp_M_ft(PAPER["M"], PAPER["L"], PAPER["U"], PAPER["m"])
    top = 1024

    def draw(axes: Any) -> None:
        for k, (label, found) in enumerate(sweep.columns.items()):
            axes.fill_between(sweep.x, found, top, color=CURVES[k], alpha=0.10, linewidth=0)
            axes.plot(
                sweep.x, found, color=CURVES[k], linestyle=STYLES[k], linewidth=1.8, label=f"{label}: above the line"
            )
        axes.plot(sweep.x, sweep.x, color=FAINT, linewidth=1.2, label="M_ft = U")
        axes.plot([PAPER["U"]], [PAPER["M_ft"]], "*", color="#000000", markersize=13, linestyle="none")
        _named(axes, "the paper: U = 32, M_ft = 128", (PAPER["U"], PAPER["M_ft"]), (61, 5.5), ha="right")
        axes.set(
            xscale="log",
            yscale="log",
            xlim=(2, 64),
            ylim=(4, top),
            xlabel="U, values per type",
            ylabel="M_ft, finetuning subjects",
        )
        _log2_ticks(axes.xaxis, (2, 4, 8, 16, 32, 64))
        _log2_ticks(axes.yaxis, (4, 16, 64, 256, 1024))
        axes.legend(frameon=False, loc="upper left", fontsize=10)

    return _made(
        "region",
        "Where the conclusion of Theorem 2 holds",
        ("thm2.accuracy", "thm2.hypotheses"),
        "Smallest M_ft from which the model is right on every sequence after the balanced hat steps (L = 8, full window, "
        f"set reading, held-out subjects present). At the paper's own setting M_ft = 128 is below it: with U = 32 and N_ft = 5 the conclusion "
        f"needs M_ft ≥ {sharp}.",
        "Log-log plot of M_ft against U. The conclusion holds above a line for each N_ft; the lines rise about like U + U²/N_ft, "
        "highest for N_ft = 1 and lowest for N_ft = 16. The paper's setting, U = 32 and M_ft = 128, lies below the line of its own N_ft = 5 "
        "and above that of N_ft = 16.",
        sweep,
        (2, 4, 8, 16, 32, 48, 64),
        draw,
    )


def scores() -> Figure:
    """Who wins the relation head's attention, against M_ft."""
    sweep = curves.relation_scores(sorted({*range(64, 256, 8), 235, 255}))
    sharp = sharp_M_ft(PAPER["M"], PAPER["L"], PAPER["U"], PAPER["m"])

    def draw(axes: Any) -> None:
        lines(axes, sweep.x, sweep.columns, every=4)
        for at, words in ((PAPER["M_ft"], "the paper"), (sharp, f"sharp: {sharp}")):
            axes.axvline(at, color=FAINT, linewidth=1.2)
            axes.annotate(words, (at, -3.2), (-4, 0), textcoords="offset points", ha="right")
        axes.set(xlabel="M_ft, finetuning subjects", ylabel="score × 10⁶", xlim=(64, 256), ylim=(-9, 8))
        axes.legend(frameon=False, ncols=3, loc="upper right", fontsize=10)

    return _made(
        "scores",
        "Scores in the relation head against M_ft",
        ("thm2.accuracy", "thm2.hypotheses", "rel2.update"),
        "Final score of every kind of position, per unit of beta and of the step sizes, times a million; M = 256, L = 8, U = 32, N_ft = 5. "
        "As beta goes to infinity the head attends the highest: the theorem needs the attributes to be it, and they overtake the seen "
        f"query only at M_ft = {sharp}.",
        "Line plot. The scores of the seen and the held-out query fall with M_ft and that of the attributes rises; they cross between "
        f"M_ft = 224 and {sharp}. At the paper's M_ft = 128 the query scores about 2.6 times as much as the attributes. Context subjects stay "
        "slightly below zero, separators lowest.",
        sweep,
        (64, 96, 128, 160, 192, 224, sharp or 235, 255),
        draw,
    )


def subject_coefficients() -> Figure:
    """What the first step adds to W_KQ^subj, printed and derived."""
    sweep = curves.subject_coefficients(range(2, 25))

    def draw(axes: Any) -> None:
        lines(axes, sweep.x, sweep.columns, every=2)
        axes.axvline(PAPER["m"], color=FAINT, linewidth=1.2)
        axes.annotate("the paper: m = 6", (PAPER["m"], 0.44), (5, 0), textcoords="offset points")
        axes.set(xlabel="m, subjects in a sequence", ylabel="update per unit step")
        axes.legend(frameon=False, fontsize=10)

    return _made(
        "subject-coefficients",
        "Update of W_KQ^subj: printed against derived",
        ("subj.update", "subj.E_Cy"),
        "Coefficients of the query's position p_-1 and of the context subjects' positions, U = 32. The printed one of the query misses the "
        "factor (m − 1)/m, and the context positions get minus 1/(m − 1) times the query's coefficient, not nothing.",
        "Line plot against m. The printed coefficient of the query's position is twice the derived one at m = 2 and approaches it as m grows; "
        "that of the context positions is printed as zero and derived as negative, rising to zero.",
        sweep,
        (2, 3, 4, 6, 8, 12, 16, 24),
        draw,
    )


def remainder() -> Figure:
    """How well the printed update of W_OV^rel approximates."""
    ratios = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    sweep = curves.update_remainder(ratios)

    def draw(axes: Any) -> None:
        lines(axes, sweep.x, sweep.columns)
        here = sweep.columns["relative remainder"][ratios.index(4)] or 0.0
        axes.plot([4], [here], "*", color="#000000", markersize=13)
        _named(axes, "the paper: M_ft / U = 4", (4, here), (1.1, 0.11), ha="left")
        axes.set(xscale="log", yscale="log", xlabel="M_ft / U", ylabel="relative size (Frobenius)")
        _log2_ticks(axes.xaxis, (1, 4, 16, 64, 256))
        _log2_ticks(axes.yaxis, (0.1, 0.2, 0.5, 1))
        axes.legend(frameon=False, fontsize=10)

    found = number(sweep.columns["relative remainder"][2])
    return _made(
        "remainder",
        "What the printed update of W_OV^rel leaves out",
        ("rel.ov.update", "rel.ov.drop"),
        "Relative size of the term that is dropped “since M_ft >> U”; L = 8, U = 32, N_ft = 5, M = 2 M_ft. It vanishes with order −1/2: at the "
        f"paper's M_ft / U = 4 it is {found}.",
        f"Log-log plot. The relative remainder falls from about 0.52 at M_ft = U to {found} at M_ft = 4 U and approaches a line of slope "
        "minus one half.",
        sweep,
        tuple(map(float, ratios)),
        draw,
    )


def _norm(
    name: str, title: str, claims: tuple[str, ...], caption: str, alternative: str, sweep: Sweep, where: int, label: str
) -> Figure:
    def draw(axes: Any) -> None:
        for k, (words, values) in enumerate(sweep.columns.items()):
            axes.plot(
                sweep.x,
                values,
                color=CURVES[k],
                linestyle=STYLES[k],
                marker=MARKS[k],
                markersize=4.5,
                linewidth=1.8,
                label=words,
            )
        axes.axvline(where, color=FAINT, linewidth=1.2)
        axes.set(xscale="log", yscale="log", xlabel=label, ylabel="norm")
        _log_ticks(axes)
        _log2_ticks(axes.xaxis, tuple(int(x) for x in sweep.x if x == int(x) and (int(x) & (int(x) - 1)) == 0))
        axes.legend(frameon=False, fontsize=10)

    return _made(name, title, claims, caption, alternative, sweep, sweep.x, draw)


def subject_norm() -> Figure:
    """Norm of the hat gradient of W_KQ^subj against m."""
    sweep = curves.subject_norm((2, 4, 6, 8, 16, 32, 64))
    return _norm(
        "subject-norm",
        "Norm of the gradient of W_KQ^subj against m",
        ("subj.true_vs_hat",),
        f"Derived norm per unit of beta, and the printed order 1/m drawn through it at the paper's m = 6 (grey line); otherwise {SETTING}.",
        "Log-log plot. The derived norm falls with m and is parallel to the line of the printed order 1/m for large m.",
        sweep,
        PAPER["m"],
        "m, subjects in a sequence",
    )


def value_norm() -> Figure:
    """Norm of the hat gradient of W_OV^rel against U."""
    sweep = curves.value_norm((2, 4, 8, 16, 32, 64, 128))
    return _norm(
        "value-norm",
        "Norm of the gradient of W_OV^rel against U",
        ("rel.ov.norm", "rel.ov.neglect"),
        f"Derived norm and the printed sqrt(U L), which should exceed 1; {SETTING} but for U. "
        "The norm falls as the printed one rises, and is never above 1.",
        "Log-log plot. The printed norm rises from 4 to 32 over U = 2 to 128; the derived one falls from 0.10 to 0.011.",
        sweep,
        PAPER["U"],
        "U, values per type",
    )


def relation_norm() -> Figure:
    """Norm of the second hat gradient of W_KQ^rel against m."""
    sweep = curves.relation_norm((2, 3, 4, 6, 8, 16, 32, 64, 128))
    return _norm(
        "relation-norm",
        "Norm of the second gradient of W_KQ^rel against m",
        ("rel2.norm", "rel2.update"),
        f"Derived norm per unit of beta and alpha_2, and the printed order m² drawn through it at the paper's m = 6 "
        f"(grey line); otherwise {SETTING}.",
        "Log-log plot. The derived norm has a shallow minimum near m = 4 and then grows about linearly in m; "
        "the printed order m² is far steeper.",
        sweep,
        PAPER["m"],
        "m, subjects in a sequence",
    )
