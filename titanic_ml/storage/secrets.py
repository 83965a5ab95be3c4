"""Addresses and messages about them without their passwords."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from titanic_ml.errors import SettingsError

OWN = (
    "table",
    "schema",
    "query",
    "if_exists",
)  # parameters of an address; the others are the driver's
BUCKETS = ("s3", "gs", "az")
WITHOUT_USERS = ("http", "https", *BUCKETS)  # with no user in their addresses
SHORTEST = 3  # length of a part of a password that is masked by itself
_SCHEME = re.compile(  # in the best known ones a slash may be forgotten
    r"\b([a-z][\w+.]*)(://|(?:(?<=postgresql)|(?<=postgres)|(?<=http)|(?<=https)|(?<=s3))(:/?|//))",
    re.IGNORECASE | re.ASCII,
)
_OWN = re.compile(rf"[?&](?:{'|'.join(OWN)})=")
_SECRET = re.compile(
    r"[?&][^=&#]*(?:pass|secret|token|key|credential|sig)[^=&#]*=([^&#]+)", re.IGNORECASE
)
_NO_PORT = re.compile(r"[^\[@:/?#]*:(?!\d*(?:[/?#]|$))")


def shown(uri: str) -> str:
    """Return an address for people: without passwords, a web address also without its query.

    It holds for what is no right address, too, for a message about it must not show the secret. All
    up to the last @ before the table's own parameters is taken for user and password.

    >>> shown("postgresql://ann:secret@host/db?sslmode=require&table=loans")
    'postgresql://ann:***@host/db?table=loans'
    >>> shown("https://host/a.csv?token=secret"), shown("data/a.csv")
    ('https://host/a.csv', 'data/a.csv')
    """
    found = _taken_apart(uri)
    if found is None:
        return uri
    name, colon, _ = found.userinfo.partition(":")
    user = "***" if found.is_key else name + ":***" * bool(colon)
    host = re.split("[?#]", found.host)[0]
    at = "@" * bool(found.userinfo and host)
    own = "" if found.scheme in WITHOUT_USERS else found.own
    return f"{found.start}{user}{at}{host}{own}"


def check_userinfo(uri: str) -> None:
    """Refuse an address of a server if a client could take a part of the password for a host.

    Raises
    ------
    SettingsError
        There are several @, or a mark that ends the host comes before it.
    """
    found = _taken_apart(uri)
    if found and found.userinfo and (not found.host or re.search("[@/?#]", found.userinfo)):
        raise SettingsError(
            f"{shown(uri)}: not an address of a server, expected user:password@host with one @; in "
            "a password an @ is written %40, a slash %2F, a # %23, a ? %3F"
        )


def check_no_userinfo(uri: str) -> None:
    """Refuse an address of a bucket or of the web that holds a user or a key.

    Raises
    ------
    SettingsError
        The address holds a user or a key; the message names the variables for them.
    """
    found = _taken_apart(uri)
    if found and found.userinfo and found.scheme in WITHOUT_USERS:
        raise SettingsError(
            f"{shown(uri)}: found a user or a key in the address, expected none; the keys of a "
            "bucket belong in the variables of its cloud, such as AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY; in a file's name an @ is written %40"
        )


def without_secrets(text: str, *uris: str) -> str:
    """Mask the passwords of addresses, and parts of them, in a message of a driver or server.

    Parameters
    ----------
    text
        Message that may quote the addresses.
    *uris
        Addresses, also with words in front of them.

    Returns
    -------
    str
        The message with ``***`` in place of the passwords.

    Examples
    --------
    >>> without_secrets("no host ss@db", "postgresql://ann:pa/sss@db/x")
    'no host ss@db'
    >>> without_secrets("no host sss@db", "postgresql://ann:pa/sss@db/x")
    'no host ***@db'
    """
    secrets = {secret for uri in uris for secret in _secrets(uri)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def cause(error: BaseException, *uris: str) -> BaseException | None:
    """Return the error as a cause, or None if it quotes a secret of these addresses."""
    text = str(error)
    return error if without_secrets(text, *uris) == text else None


class _Address(NamedTuple):
    start: str  # with the mark behind the scheme
    scheme: str
    userinfo: str
    host: str  # and what is behind it, but for our own parameters
    own: str  # these, decoded
    rest: str  # all behind the mark

    @property
    def is_key(self) -> bool:
        """Whether the user is a secret too: a token of the web, or a key of a bucket."""
        return bool(self.userinfo) and self.scheme in WITHOUT_USERS


def _taken_apart(text: str) -> _Address | None:
    """Split an address; None if it is a path of this machine."""
    if not (found := _SCHEME.search(text)):
        return None
    scheme, rest = found[1].lower(), text[found.end() :]
    first = _OWN.search(rest)
    end = first.start() if first else len(rest)
    parts = [part for part in rest[end + 1 :].split("&") if part.partition("=")[0] in OWN]
    own = "?" * bool(parts) + "&".join(map(unquote, parts))
    head = _SECRET.sub("?", rest[:end])
    return _Address(text[: found.end()], scheme, *_userinfo(scheme, head), own, rest)


def _userinfo(scheme: str, head: str) -> tuple[str, str]:
    """User and password, and what is behind their @.

    Where there is no @, what stands behind a colon and is no port is a password without a host.
    """
    userinfo, at, host = head.rpartition("@")
    if scheme in ("sqlite", "memory"):
        return "", head
    if scheme in BUCKETS and "@" not in re.split("[/?#]", head)[0] and ":" not in userinfo:
        at = ""  # of an object's key
    if at:
        return userinfo, host
    return (head, "") if _NO_PORT.match(head) else ("", head)


def _secrets(text: str) -> set[str]:
    """List the passwords in an address, as they are and decoded, and their parts."""
    if not (found := _taken_apart(text)):
        return set()
    given = [found.userinfo.partition(":")[2], *_SECRET.findall(found.rest)]
    given += [found.userinfo] * found.is_key
    if found.scheme in WITHOUT_USERS:
        given.append(found.rest.partition("?")[2])
    whole = {form for secret in given if secret for form in (secret, unquote(secret))}
    parts = {part for secret in whole for part in re.split("[@:/?#&=]", secret)}
    return whole | {part for part in parts if len(part) >= SHORTEST}
