"""From how many finetuning subjects on the conclusion holds."""

from __future__ import annotations

from theory.finetuning.conclusion import balanced_conclusion, limit_M_ft, sharp_M_ft
from verify.setting import Setting


def sharp(setting: Setting) -> int | None:
    """The smallest integer M_ft <= M for which the balanced hat conclusion holds with the other sizes as given; None: none.

    M itself says that no M_ft < M suffices: at M_ft = M no query is held out, and only seen ones must be right, while the
    theorem is about M_ft < M.

    Full window, reading "set" and L >= 2: closed form, the same for every eta_ov > 0, and it holds from there on. Otherwise
    every M_ft is decided by the derivation at the setting's steps, and a larger M_ft may fail again (with L = 1 there is no
    type to infer: queries attended alone can be right, and eta_ov matters).
    """
    if setting.window is None and setting.reading == "set" and setting.L >= 2:
        return sharp_M_ft(setting.M, setting.L, setting.U, setting.m)
    for M_ft in range(max(setting.U), setting.M + 1):
        found = balanced_conclusion(
            setting.M,
            setting.L,
            setting.U,
            M_ft,
            setting.m,
            window=setting.window,
            eta_ov=setting.eta_ov,
            eta_kq_rel=setting.eta_kq_rel,
            eta_kq_subj=setting.eta_kq_subj,
            reading=setting.reading,
        )
        if found.holds:
            return M_ft
    return None


def sharp_limit(setting: Setting) -> int | None:
    """The smallest multiple of U below M from which on, at multiples of U, the balanced hat conclusion holds from some finite beta on, at
    the setting's steps; None: none.

    At other M_ft the frequencies cannot all be 1/U, and what the limit hangs on is lost.  Answered where the derivation is: full window,
    reading "set", one U >= 2, L >= 2; None elsewhere.
    """
    if setting.window is not None or setting.reading != "set" or len(set(setting.U)) > 1:
        return None
    U = setting.U[0]
    if setting.L < 2 or U < 2:
        return None
    first = limit_M_ft(setting.M, setting.L, U, setting.m, setting.eta_ov, setting.eta_kq_rel, setting.eta_kq_subj)
    multiple = None if first is None else -(-first // U) * U
    return multiple if multiple is not None and multiple < setting.M else None
