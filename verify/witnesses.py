"""The witnesses at the user's setting: what each route says there, and where a route cannot go, why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from numerics.models.population_gradient import AutogradGradients, population_gradients
from numerics.models.sampled_gradient import SampledAutograd, sampled_population_gradients
from numerics.population import finetuning_gradients
from numerics.population.certified import CertifiedGradients, NotCertified, certified_gradients
from numerics.population.exact import ExactGradients, enumerated_hat_gradients
from numerics.population.gradients import Gradients, gradients_at
from numerics.population.halves import halves_gradients
from numerics.population.marginal import hat_gradients as marginal_hat_gradients
from numerics.population.sampled import SampledGradients, sampled_gradients
from numerics.world import World
from theory.finetuning import HatGradients, hat_gradients
from verify.setting import Setting
from verify.worlds import directions, frequencies

#: Sequences up to which a route enumerates in the main job: seconds, not minutes, on two cores.
ENUMERATE_HAT = 300_000
ENUMERATE_TRUE = 2_000_000
ENUMERATE_FULL = 20_000_000
#: Autograd backpropagates through dense (T, d) inputs: sequences times T times d.
AUTOGRAD_WORK = 4e8
#: The same for each of the replicates drawn instead where that is exceeded.
SAMPLED_WORK = 2.5e6
#: Dense (V, V) matrices: V up to which the numeric witness is heard (Fractions take about 100 bytes an entry).
DENSE_V = 3000

#: Relative errors asked of the certified gradients, step 1 and step 2.
TOLERANCE = (1e-12, 1e-9)

TrueGradients = CertifiedGradients | Gradients | SampledGradients
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Witnesses:
    """Asked lazily; every answer is remembered for the run. `progress(label)` gives a progress callback or None."""

    setting: Setting
    world: World
    device: str = "cpu"
    progress: Callable[[str], Progress | None] = lambda label: None
    full: bool = False
    reasons: list[str] = field(default_factory=list)

    @property
    def dense(self) -> bool:
        """Whether (V, V) matrices are affordable."""
        return self.world.V <= DENSE_V

    @cached_property
    def keys(self) -> list[tuple]:
        return directions(self.world, self.setting.T)

    @cached_property
    def derived(self) -> HatGradients:
        return hat_gradients(frequencies(self.world), self.setting.m, self.setting.window, self.setting.eta_ov)

    def derived_kq(self, which: str) -> NDArray[np.object_]:
        """(V+T,) Fractions."""
        value = getattr(self.derived, which)
        return np.array([value(key) for key in self.keys], dtype=object)

    @cached_property
    def derived_ov(self) -> NDArray[np.object_]:
        """(V, V) Fractions, before projection."""
        keys = self.keys[: self.world.V]
        return np.array([[self.derived.ov_rel(out, into) for into in keys] for out in keys], dtype=object)

    @cached_property
    def marginal(self) -> ExactGradients | None:
        """Exact hat gradients by sums over pairs and triples of draws; None where (V, V) is too large."""
        if not self.dense:
            return None
        s = self.setting
        return marginal_hat_gradients(self.world, s.N_ft, s.eta_ov, s.window, s.reading)

    @cached_property
    def enumerated(self) -> ExactGradients | None:
        """Exact hat gradients by plain enumeration; None where the population is too large for this job."""
        s = self.setting
        if not self.dense or s.population > ENUMERATE_HAT:
            return None
        return enumerated_hat_gradients(self.world, s.N_ft, s.eta_ov, s.window, s.reading)

    @property
    def exact(self) -> ExactGradients | None:
        """The plain enumeration where there is one, else the marginal route."""
        return self.enumerated if self.enumerated is not None else self.marginal

    @property
    def exact_route(self) -> str:
        if self.enumerated is not None:
            return "enumerated"
        return "exact sums over draws" if self.marginal is not None else f"none (V = {self.world.V} > {DENSE_V})"

    def autograd_feasible(self) -> bool:
        """Whether the literal network can be run over the whole population: its matrices are (V + T, V + T)."""
        s = self.setting
        return self.dense and s.population * s.T * (self.world.V + s.T) <= AUTOGRAD_WORK

    @cached_property
    def autograd_hat(self) -> AutogradGradients | None:
        return self._autograd("hat")

    @cached_property
    def autograd_true(self) -> AutogradGradients | None:
        return self._autograd("true")

    @cached_property
    def autograd_sampled(self) -> SampledAutograd | None:
        """The literal network on drawn sequences, hat loss, where the whole population cannot be backpropagated.

        None where even the smallest sample is too much: very long sequences.
        """
        s = self.setting
        if self.autograd_feasible() or not self.dense or 32 * s.T * (self.world.V + s.T) > 2 * SAMPLED_WORK:
            return None
        size = max(32, int(SAMPLED_WORK / (s.T * (self.world.V + s.T))))
        return sampled_population_gradients(
            self.world,
            s.N_ft,
            "hat",
            float(s.eta_ov),
            s.window,
            s.reading,
            size=min(size, 256),
            seed=s.seed,
            device=self.device,
        )

    def _autograd(self, objective: str) -> AutogradGradients | None:
        if not self.autograd_feasible():
            return None
        s = self.setting
        return population_gradients(
            self.world, s.N_ft, objective, float(s.eta_ov), s.window, s.reading, device=self.device
        )

    @property
    def true(self) -> TrueGradients | None:
        """True gradients: certified where that succeeds, else by plain enumeration, else sampled; None beyond (V, V)."""
        if self.certified is not None:
            return self.certified
        return self.plain if self.plain is not None else self.sampled

    @cached_property
    def certified(self) -> CertifiedGradients | None:
        """True gradients of the whole population with proven radii; None where they cannot be certified (`uncertified` says why)."""
        if not self.dense:
            return None
        s = self.setting
        try:
            with one_thread():
                return certified_gradients(
                    self.world,
                    s.N_ft,
                    float(s.eta_ov),
                    s.window,
                    s.reading,
                    tolerance=TOLERANCE,
                    progress=self.progress("true gradients (certified)"),
                    device=self.device,
                )
        except NotCertified as error:
            self.reasons.append(str(error))
            return None

    @property
    def uncertified(self) -> str:
        """Why nothing was certified; empty where something was."""
        return self.reasons[-1] if self.certified is None and self.reasons else ""

    @property
    def unconfirmed(self) -> str:
        """Why `full` heard no second exact method; empty where it did, or was not asked."""
        return self.reasons[0] if self.full and self.dense and self.halves is None else ""

    @cached_property
    def plain(self) -> Gradients | None:
        """True gradients by plain enumeration in float64; None where the population is too large for this job."""
        s = self.setting
        if not self.dense or s.population > (ENUMERATE_FULL if self.full else ENUMERATE_TRUE):
            return None
        return finetuning_gradients(
            self.world,
            s.N_ft,
            "true",
            float(s.eta_ov),
            s.window,
            s.reading,
            progress=self.progress("true gradients (enumerated)"),
            device=self.device,
        )

    @cached_property
    def halves(self) -> CertifiedGradients | None:
        """The second exact method, with its own radii; None unless asked for by `full`, or where it is too large."""
        if not self.dense or not self.full:
            return None
        s = self.setting
        try:
            return halves_gradients(
                self.world,
                s.N_ft,
                float(s.eta_ov),
                s.window,
                s.reading,
                progress=self.progress("true gradients (second method)"),
                device=self.device,
            )
        except ValueError as error:
            self.reasons.insert(0, str(error))
            return None

    @cached_property
    def sampled(self) -> SampledGradients | None:
        """An estimate with standard errors: where nothing better is feasible, and as a further witness of `full`."""
        s = self.setting
        if not self.dense or not (self.full or (self.plain is None and self.certified is None)):
            return None
        return sampled_gradients(
            self.world,
            s.N_ft,
            float(s.eta_ov),
            s.window,
            s.reading,
            seed=s.seed,
            n=_samples(s),
            progress=self.progress("true gradients (sampled)"),
            device=self.device,
        )

    @cached_property
    def finite(self) -> tuple[Gradients, Gradients] | None:
        """Hat and true gradients at the setting's finite beta, by enumeration; None where it is infinite or too large."""
        s = self.setting
        if np.isinf(s.beta) or not self.dense or s.population > ENUMERATE_TRUE:
            return None
        both = [
            gradients_at(
                self.world,
                s.N_ft,
                s.beta,
                objective,
                float(s.eta_ov),
                float(s.eta_kq_subj),
                s.window,
                s.reading,
                device=self.device,
            )
            for objective in ("hat", "true")
        ]
        return both[0], both[1]


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread: many small products, which threads only wait for each other in when the machine is shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _samples(setting: Setting) -> int:
    """Contexts per replicate: so many that the whole estimate takes about six seconds on two cores."""
    work = setting.L * setting.M_ft * setting.m * sum(setting.U)
    wanted = int(256 * (8 * 128 * 6 * 256) / work)
    return max(setting.M_ft, wanted // setting.M_ft * setting.M_ft) if wanted < 8192 else 8192


def timed(ask: Callable[[], object]) -> float:
    """Seconds that a question takes."""
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun
