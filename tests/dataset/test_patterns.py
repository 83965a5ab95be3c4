"""Both engines read a pattern alike, and in linear time."""

from __future__ import annotations

import time

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.dataset.patterns import check_pattern, matches, matching

PATTERNS = [
    r"[^\W\d_][^,]*,[^.]*[^\W\d_][^.]*\..*",
    r"[A-GT]\d{0,3}( [A-GT]\d{1,3})*",
    r".*\w.*",
    r"a|Z0",
    r"(?i)nu+l{1,2}",
    r"[[:alpha:]]+",
    r"\[[ab]\]|\bE\b.*",
]


@given(st.text([chr(code) for code in range(32, 127)], max_size=8))
def test_the_engines_agree_on_ascii(text):
    for pattern in PATTERNS:
        check_pattern(pattern)
        assert matching(pattern, pyarrow.array([text])).to_pylist() == [matches(pattern, text)]


def test_letters_of_other_alphabets_are_letters():
    assert matches(PATTERNS[0], "Åström, Fröken. Ida") and not matches(r"\d+", "a1")


@pytest.mark.parametrize(
    "pattern, reason",
    [
        ("(", "unclosed group"),
        (r"(?!a).*", "look-around"),
        (r"(a)\1", "backreferences"),
        (r"a{,3}", "repetition quantifier"),
        (r"[a[b]]", "ambiguous"),
        (r"[a-z&&b]", "&& is ambiguous"),
        (r"\<a", r"\\< is ambiguous"),
        (r"(?<=a)b", "look-around"),
    ],
)
def test_a_pattern_that_the_engines_do_not_read_alike_is_refused(pattern, reason):
    with pytest.raises(ValueError, match=reason):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [*PATTERNS, r"(a|a)*b", r"(a+)+b", r"(.*)(.*)(.*)c"])
def test_a_match_takes_linear_time(pattern):
    text = "A" * 100_000
    start = time.perf_counter()
    matches(pattern, text)
    matching(pattern, pyarrow.array([text]))
    assert time.perf_counter() - start < 1  # backtracking takes minutes
