"""Fingerprints of wordings and the reading of ">>"."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import pytest

from paper_checks.claim import Claim, Kind, much_larger


def claim(wording: str) -> Claim:
    return Claim("x", "here", "a title", Kind.EQUATION, wording, printed=None)


def test_fingerprint():
    """The first 16 hexadecimal digits of SHA-256; every character of the wording counts, nothing else does."""
    one = claim(r"\alpha\ll 1")
    assert one.fingerprint == hashlib.sha256(rb"\alpha\ll 1").hexdigest()[:16]
    assert claim(r"\alpha\ll 2").fingerprint != one.fingerprint != claim(r"\alpha\ll 1 ").fingerprint
    assert replace(one, title="another", printed=1, where="there").fingerprint == one.fingerprint
    assert claim("").fingerprint == "e3b0c44298fc1c14"


def test_claims_are_frozen():
    with pytest.raises(FrozenInstanceError):
        claim("w").wording = "another"


def test_much_larger():
    """The paper's own factor, M_ft / U = 128 / 32 = 4."""
    assert much_larger(128, 32) and much_larger(Fraction(4), 1) and much_larger(0, 0)
    assert not much_larger(127, 32) and not much_larger(1, 128)
    assert much_larger(2, 1, factor=2)
