"""A JSON text that says by itself whether it was changed, and with a key, by whom it was written.

The digest shows damage. Only the signature shows who wrote it: whoever can write a store without a
key can write digests too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, NoReturn

DIGEST, SIGNATURE = "digest", "signature"


class WrongSignature(ValueError):
    """There is no signature, or not one by this key."""


def sha256(data: bytes) -> str:
    """The SHA-256 of the data, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sealed(values: Mapping[str, Any], key: str | None) -> bytes:
    """Values as a JSON text, with its SHA-256 and, if there is a key, its HMAC-SHA-256."""
    text = _rendered(values)
    signature = _signature(text, key) if key else None
    return _rendered({**values, DIGEST: sha256(text), SIGNATURE: signature})


def opened(data: bytes, key: str | None) -> dict[str, Any]:
    """The values of a sealed text.

    Raises
    ------
    ValueError
        It is no such text, or was changed since.
    WrongSignature
        There is a key, and the signature is not by it.
    """
    values = json.loads(data, parse_constant=_refuse)
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    if not {DIGEST, SIGNATURE} <= values.keys():
        hint = ", as in an earlier layout: `models convert` adds it" if "files" in values else ""
        raise ValueError(f"it lacks its digest{hint}")
    whole = _rendered(values)
    digest, signature = values.pop(DIGEST), values.pop(SIGNATURE)
    text = _rendered(values)
    if whole != data or digest != sha256(text):
        raise ValueError("it was changed since it was written (SHA-256)")
    if key and not signature:
        raise WrongSignature("it is not signed, and store.signing_key is set")
    if key and not hmac.compare_digest(str(signature).encode(), _signature(text, key).encode()):
        raise WrongSignature("its signature is not by store.signing_key")
    return values


def _rendered(values: Mapping[str, Any]) -> bytes:
    """One text for the same values, so that not even a space can be changed unseen."""
    return json.dumps(values, indent=2, default=str, allow_nan=False).encode()


def _signature(text: bytes, key: str) -> str:
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no value")
