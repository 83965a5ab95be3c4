"""Patterns of texts, matched in linear time: by RE2 in columns, by Rust's regex in single texts.

Neither engine backtracks, so no text can make a match slow.
"""

from __future__ import annotations

import functools
import re
from typing import Annotated

import pyarrow
from pyarrow import compute
from pydantic import StringConstraints, TypeAdapter
from pydantic import ValidationError as Mismatch
from pydantic_core import SchemaError

# Constructs that the two engines read differently: nested sets, set operations, {,n}, \< and \>.
AMBIGUOUS = re.compile(r"\[[^\]]*\[(?!:)|&&|--|~~|\{,|\\[<>]")
ESCAPED = re.compile(r"\\[^<>]")


def check_pattern(pattern: str) -> None:
    """Raise `ValueError` unless both engines take the pattern, and read it alike."""
    try:
        _adapter(pattern)
        compute.match_substring_regex(pyarrow.array([""]), anchored(pattern))
    except (pyarrow.ArrowInvalid, SchemaError) as error:
        reason = str(error).rpartition("error: ")[2].strip()
        raise ValueError(f"{reason} (matching must take linear time)") from error
    if found := AMBIGUOUS.search(ESCAPED.sub("", pattern)):
        raise ValueError(f"{found[0]} is ambiguous; write it in another way")


def anchored(pattern: str) -> str:
    """Return the pattern that matches a whole text."""
    return f"^(?:{pattern})$"


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches the whole pattern."""
    try:
        _adapter(pattern).validate_python(text)
    except Mismatch:
        return False
    return True


def matching(pattern: str, texts: pyarrow.Array) -> pyarrow.BooleanArray:
    r"""Return which texts match the whole pattern.

    The texts must be ASCII without line breaks: only there ``\w``, ``\d`` and ``$`` mean the same
    to both engines.
    """
    return compute.match_substring_regex(texts, anchored(pattern))


@functools.cache
def _adapter(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=anchored(pattern))])
