"""Signed texts: changes and other keys are detected."""

import json

import pytest

from titanic_ml.registry.signatures import WrongSignature, opened, sealed, sha256

VALUES = {"a": [1, 2.5, None, "é"], "b": {"c": True}}


@pytest.mark.parametrize("key", [None, "a key", "ключ"])
def test_what_was_sealed_is_opened(key):
    text = sealed(VALUES, key)
    assert opened(text, key) == opened(text, None) == VALUES
    assert json.loads(text)["digest"] == sha256(text.partition(b',\n  "digest"')[0])
    assert bool(json.loads(text)["signature"]) == bool(key)
    assert sealed(VALUES, key) == text


def test_the_signature_is_by_the_key_alone():
    with pytest.raises(WrongSignature, match="it is not signed"):
        opened(sealed(VALUES, None), "a key")
    with pytest.raises(WrongSignature, match="its signature is not by"):
        opened(sealed(VALUES, "another"), "a key")


@pytest.mark.parametrize("key", [None, "a key"])
def test_any_flipped_bit_is_reported_also_without_the_key(key):
    text = sealed(VALUES, key)
    for place in range(len(text)):
        for bit in range(8):
            damaged = text[:place] + bytes([text[place] ^ 1 << bit]) + text[place + 1 :]
            with pytest.raises(ValueError):
                opened(damaged, None)


def test_a_signature_of_another_kind_is_reported():
    values = json.loads(sealed(VALUES, "a key")) | {"signature": ["no text"]}
    with pytest.raises(ValueError, match="it was changed since it was written"):
        opened(json.dumps(values, indent=2).encode(), "a key")


@pytest.mark.parametrize("change", [b" ", b"\n"])
def test_not_even_a_space_may_be_added(change):
    for text in (sealed(VALUES, None) + change, change + sealed(VALUES, None)):
        with pytest.raises(ValueError, match="it was changed since it was written"):
            opened(text, None)


def test_a_value_that_was_changed_is_reported():
    text = sealed(VALUES, "a key").replace(b"2.5", b"2.6")
    for key in (None, "a key"):
        with pytest.raises(ValueError, match="it was changed since it was written"):
            opened(text, key)


def test_what_is_no_number_is_neither_written_nor_read():
    with pytest.raises(ValueError, match="not JSON compliant"):
        sealed({"a": float("nan")}, None)
    with pytest.raises(ValueError, match="Infinity is no value"):
        opened(b'{"a": Infinity}', None)


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"[]", "no JSON object"), (b"{}", "lacks its digest$")],
)
def test_what_is_no_such_text_is_reported(text, words):
    with pytest.raises(ValueError, match=words):
        opened(text, None)
