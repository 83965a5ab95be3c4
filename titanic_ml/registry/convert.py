"""A store of the earlier layout, or without signatures, brought up to date in its place.

Before, manifests had no digest, and `champion.json` and `latest.json` beside the versions held an
alias with its history. It may be interrupted and run again: what is done is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from titanic_ml.errors import ModelError, ModelRefused
from titanic_ml.registry.aliases import PROMOTE, ROLLBACK, Entry
from titanic_ml.registry.signatures import opened, sealed, sha256
from titanic_ml.registry.store import EARLIER, ModelStore
from titanic_ml.registry.version import MANIFEST, Manifest, ModelVersion


def convert(store: ModelStore) -> list[str]:
    """Give manifests their digest, sign them if the store has a key, and make the champion a log.

    Only a version whose files are those that were saved is taken over. Whoever signs a store
    vouches for what is in it.

    Returns
    -------
    list of str
        What was changed, by name.

    Raises
    ------
    ModelRefused
        A version or the history is damaged; what came before it is converted.
    """
    done = [name for name in reversed(store.names()) if _version_converted(store, name)]
    if data := store.objects.read(EARLIER[0]):
        _history_converted(store, data)
    if there := [name for name in EARLIER if store.objects.read(name) is not None]:
        store.objects.delete(there)
    return [*done, *there]


def _version_converted(store: ModelStore, name: str) -> bool:
    """Write the manifest anew, unless it is as it should be."""
    path = f"{name}/{MANIFEST}"
    data = store.objects.read(path) or b""
    where = store.objects.address(path)
    try:
        manifest = Manifest.from_bytes(_sealed(data, store.key))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelRefused(f"{where}: damaged: {error}; delete that version's folder") from error
    ModelVersion(store.objects, manifest).check()
    new = manifest.to_bytes(store.key)
    if new == data or (store.key is None and _is_signed(data)):
        return False
    store.objects.replace(path, new)
    return True


def _sealed(data: bytes, key: str | None) -> bytes:
    """A manifest of either layout with a digest."""
    values = json.loads(data)
    if "digest" in values:
        opened(data, None)
        return data
    return sealed(values, key)


def _is_signed(data: bytes) -> bool:
    return bool(json.loads(data).get("signature"))


def _history_converted(store: ModelStore, data: bytes) -> None:
    """Make each entry of the earlier champion's history one of the log."""
    where = store.objects.address(EARLIER[0])
    try:
        entries = _entries(json.loads(data)["history"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRefused(f"{where}: damaged: {error}; restore it or remove it") from error
    for entry in entries:
        name, text = store.champion.entry_name(entry.number), json.dumps(asdict(entry), indent=2)
        if not store.objects.create(name, text.encode()) and store.objects.read(name) != (
            text.encode()
        ):
            raise ModelError(f"{where}: the champion was moved since; remove this file")


def _entries(history: Sequence[dict[str, str]]) -> list[Entry]:
    """The earlier history: a rollback there took the last version from a stack."""
    entries: list[Entry] = []
    stack: list[int] = []  # numbers of entries
    for number, old in enumerate(history, 1):
        rolled_back = old["why"] == ROLLBACK
        if rolled_back and stack:
            stack.pop()
        if stack and entries[stack[-1] - 1].version == old["version"]:
            stack.pop()
        back = stack[-1] if stack else None
        stack.append(number)
        token = sha256(json.dumps(old).encode())[:16]
        what = old["version"], old["time"], old["who"], old["why"]
        action = ROLLBACK if rolled_back else PROMOTE
        entries.append(Entry(number, *what, action, back, token))
    return entries
