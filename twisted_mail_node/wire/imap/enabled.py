"""
What a client can enable: the extensions that change what it is told, once it has said that it can take that.

The engine has the set of those that are; grammar, view and responses look at it. What is offered is decided by the
session. Sources: RFC 5161 §3.1; RFC 5464 §4.1; RFC 7162 §3.1, §3.2.3; RFC 9051 §6.3.1; RFC 9586 §3.2; RFC 9755 §3.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Extension(Enum):
    """What ENABLE can enable; the value is the capability's name as it is told."""

    CONDSTORE = "CONDSTORE"
    QRESYNC = "QRESYNC"
    UTF8_ACCEPT = "UTF8=ACCEPT"
    IMAP4REV2 = "IMAP4rev2"
    UIDONLY = "UIDONLY"
    METADATA = "METADATA"


_BY_NAME = {extension.value.upper(): extension for extension in Extension}
_IMPLIED = {Extension.QRESYNC: (Extension.CONDSTORE,)}


def named(names: Iterable[str]) -> list[Extension]:
    """The extensions of these names, each once, in this order; other names are passed over (RFC 5161 §3.1)."""
    found = (_BY_NAME.get(name.upper()) for name in names)
    return list(dict.fromkeys(extension for extension in found if extension is not None))


def with_implied(extensions: Iterable[Extension]) -> set[Extension]:
    """These extensions, and those that are enabled along with them (RFC 7162 §3.2.3)."""
    return {each for extension in extensions for each in (extension, *_IMPLIED.get(extension, ()))}
