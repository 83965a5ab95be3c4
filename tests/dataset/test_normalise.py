from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.dataset.normalise import MISSING, number_of, rounded, text, text_of


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("PC 17599", "PC 17599"),
        ("  PC \t 17599\n", "PC 17599"),
        ("PC\u00a017599\u2003", "PC 17599"),
        ("PC\u200b 17599\ufeff", "PC 17599"),
        ("ＰＣ １７５９９", "PC 17599"),
        ("330911.0", "330911"),
        ("330911.00", "330911"),
        ("1.5", "1.5"),
        ("A.0", "A.0"),
        ("O’Brien", "O'Brien"),
        ("Petroff–Pastcho", "Petroff-Pastcho"),
        ("Cafe\u0301", "Café"),
    ],
)
def test_what_means_the_same_is_spelled_the_same(value, spelled):
    assert text(value) == spelled
    assert text(value, "upper") == spelled.upper() and text(value, "lower") == spelled.lower()


@pytest.mark.parametrize("word", sorted(MISSING))
def test_missing_is_missing_in_texts_and_numbers(word):
    for spelled in (word, word.upper(), f" {word.title()}\u00a0"):
        assert text(spelled) is None and number_of(spelled) is None


@given(st.text(max_size=20))
def test_one_spelling_is_its_own_spelling(value):
    once = text(value)
    assert once is None or text(once) == once


@pytest.mark.parametrize("value", [7, np.int32(7), 7.0, np.float32(7), "7", "7.0"])
def test_a_whole_number_is_a_text(value):
    assert text_of(value) == "7"


@pytest.mark.parametrize("value", [1.5, np.inf, True, np.True_, None, [], b"x", 1j, Decimal(1)])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ValueError):
        text_of(value)


@pytest.mark.parametrize(
    "value", [" 7.25 ", "+7.25", "7.250", ".725e1", "725.e-2", 7.25, np.float32(7.25)]
)
def test_a_number_has_many_spellings(value):
    assert number_of(value) == 7.25
    assert number_of(Decimal("7.25")) == 7.25


@pytest.mark.parametrize(
    "value",
    ["7,25", "7 25", "1_0", "0x7", "inf", "£7", "٧", True, np.True_, 1j, [], b"7", "-"],
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError):
        number_of(value)


def test_noise_behind_the_decimals_is_rounded_off():
    fares = np.array([7.2292, 512.3292, 0.0, 71.2833, np.nan])
    noisy = fares.astype("float32").astype("float64")
    assert not np.array_equal(noisy, fares, equal_nan=True)
    assert np.array_equal(rounded(noisy, 4), fares, equal_nan=True)
    assert np.signbit(rounded(np.array([-1e-9]), 4)).item() is False
