"""JSON texts with a digest, and with a signature if there is a key.

The digest shows damage. Only the signature proves the origin: a writer without the key can still
write digests.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

DIGEST, SIGNATURE = "digest", "signature"
END = re.compile(rb',\n  "signature": (null|"[0-9a-f]{64}")(,\n  "digest": "([0-9a-f]{64})"\n\})\Z')


class WrongSignature(ValueError):
    """There is no signature, or not one by this key."""


def sha256(data: bytes) -> str:
    """Return the SHA-256 of the data in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sealed(values: Mapping[str, Any], key: str | None) -> bytes:
    """Return values as JSON that ends with its signature and digest.

    The signature is the HMAC-SHA-256 of all before it, or null without a key; the digest is the
    SHA-256 of all before it, the signature among it.
    """
    body = json.dumps(dict(values), indent=2, default=str, allow_nan=False).encode()
    body = body.removesuffix(b"\n}")
    signature = f'"{_signature(body, key)}"' if key else "null"
    signed = body + f',\n  "{SIGNATURE}": {signature}'.encode()
    return signed + f',\n  "{DIGEST}": "{sha256(signed)}"\n}}'.encode()


def opened(data: bytes, key: str | None) -> dict[str, Any]:
    """Return the values of a sealed text.

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
        raise ValueError("it lacks its digest")
    end = END.search(data)
    if not end or sha256(data[: end.start(2)]).encode() != end[3]:
        raise ValueError("it was changed since it was written (SHA-256)")
    if key:
        if end[1] == b"null":
            raise WrongSignature("it is not signed, and store.signing_key is set")
        if not hmac.compare_digest(end[1], f'"{_signature(data[: end.start()], key)}"'.encode()):
            raise WrongSignature("its signature is not by store.signing_key")
    del values[DIGEST], values[SIGNATURE]
    return values


def _signature(text: bytes, key: str) -> str:
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no value")
