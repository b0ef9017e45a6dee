"""
XCLIENT and XFORWARD: what one in front of this node tells of its own client. Sources: Postfix's XCLIENT_README and
XFORWARD_README; RFC 3461 §4 (xtext).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from ....mail.host import address_of
from .. import replies
from ..offer import Offer
from ..xtext import decoded
from .mistake import Mistake

VALUE_OCTETS = 255
PROTOCOL_OCTETS = 64


class Attribute(Enum):
    """What can be told."""

    NAME = "NAME"
    ADDRESS = "ADDR"
    PORT = "PORT"
    PROTOCOL = "PROTO"
    HELLO = "HELO"
    LOGIN = "LOGIN"
    IDENTIFIER = "IDENT"
    SOURCE = "SOURCE"


Told = tuple[tuple[Attribute, str], ...]
"""Attributes with their values; "" takes back what was told before."""


@dataclass(frozen=True, slots=True)
class XClient:
    """XCLIENT: the session is that of this client, from now on and from its greeting on."""

    told: Told


@dataclass(frozen=True, slots=True)
class XForward:
    """XFORWARD: the next message comes from this client."""

    told: Told


# What can't lead out of a trace line or a word of the log.
_WORD = re.compile(r"[!#-'*+\-./0-9:=?A-Z\[\]^-~]++")


def _word(value: str) -> str:
    if not _WORD.fullmatch(value) or len(value) > VALUE_OCTETS:
        raise ValueError("not a word")
    return value


def _address(value: str) -> str:
    bare = value[5:] if value[:5].upper() == "IPV6:" else value
    address = address_of(bare)
    if address is None or "%" in bare:
        raise ValueError("not an address, or one with a zone")
    return str(address)


def _port(value: str) -> str:
    if not value.isascii() or not value.isdigit() or len(value) > 5 or int(value) > 65535:
        raise ValueError("not a port")
    return value


def _smtp(value: str) -> str:
    if value.upper() not in ("SMTP", "ESMTP"):
        raise ValueError("not a protocol")
    return value.upper()


def _protocol(value: str) -> str:
    if len(value) > PROTOCOL_OCTETS:
        raise ValueError("not a protocol")
    return _word(value)


def _login(value: str) -> str:
    if len(value) > VALUE_OCTETS:
        raise ValueError("not a name")
    return value


def _source(value: str) -> str:
    if value.upper() not in ("LOCAL", "REMOTE"):
        raise ValueError("not a source")
    return value.upper()


Readers = Mapping[Attribute, Callable[[str], str]]

_XCLIENT_ATTRIBUTES: Readers = {
    Attribute.NAME: _word,
    Attribute.ADDRESS: _address,
    Attribute.PORT: _port,
    Attribute.PROTOCOL: _smtp,
    Attribute.HELLO: _word,
}
_LOGIN: Readers = {Attribute.LOGIN: _login}
XFORWARD_ATTRIBUTES: Readers = {
    Attribute.NAME: _word,
    Attribute.ADDRESS: _word,
    Attribute.PORT: _port,
    Attribute.PROTOCOL: _protocol,
    Attribute.HELLO: _word,
    Attribute.IDENTIFIER: _word,
    Attribute.SOURCE: _source,
}
_UNKNOWN = ("[UNAVAILABLE]", "[TEMPUNAVAIL]")


def xclient_attributes(offer: Offer) -> Readers:
    """What XCLIENT may tell; a login where there are any."""
    return {**_XCLIENT_ATTRIBUTES, **_LOGIN} if offer.has_auth else _XCLIENT_ATTRIBUTES


def parse_xclient(argument: bytes, offer: Offer) -> XClient | Mistake:
    """Read the argument of XCLIENT."""
    try:
        return XClient(_told(argument, xclient_attributes(offer)))
    except ValueError:
        return Mistake(replies.BAD_ARGUMENTS)


def parse_xforward(argument: bytes, offer: Offer) -> XForward | Mistake:
    """Read the argument of XFORWARD."""
    try:
        return XForward(_told(argument, XFORWARD_ATTRIBUTES))
    except ValueError:
        return Mistake(replies.BAD_ARGUMENTS)


def _told(argument: bytes, readers: Readers) -> Told:
    told: dict[Attribute, str] = {}
    for word in argument.decode("ascii").split():
        name, equals, value = word.partition("=")
        attribute = Attribute(name.upper())
        if not equals or attribute in told or attribute not in readers:
            raise ValueError("not an attribute, or one told twice")
        told[attribute] = "" if value.upper() in _UNKNOWN else readers[attribute](decoded(value))
    if not told:
        raise ValueError("nothing is told")
    return tuple(told.items())
