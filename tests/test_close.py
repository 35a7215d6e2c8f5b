"""What the comparison of records lets pass, and what it does not."""

import pytest

from tests.close import close

MADE = {"a": [1.0, {"b": 0.1 + 0.2, "n": 3}], "word": "x", "none": None, "holds": True}


def test_the_last_digit_passes():
    assert close({"a": [1.0, {"b": 0.3, "n": 3}], "word": "x", "none": None, "holds": True}, MADE)
    assert close([1], [1.0]) and close(1e-13, 0.0)


@pytest.mark.parametrize(
    "other",
    [
        {"a": [1.0, {"b": 0.3 + 1e-8, "n": 3}]},
        {"a": [1.0, {"b": 0.3, "n": 4}]},
        {"a": [1.0, {"b": 0.3, "n": 3, "c": 0}]},
        {"a": [1.0, {"b": 0.3}]},
        {"a": [1.0]},
        {"a": None},
        {"word": "y"},
        {"none": 0},
        {"holds": False},
        {"holds": 1},
        {"holds": None},
    ],
)
def test_anything_else_does_not(other):
    assert not close(MADE | other, MADE) and not close(MADE, MADE | other)


def test_truth_values_are_no_numbers():
    assert not close(True, 1.0) and not close(1.0, True) and not close(0.0, False)
