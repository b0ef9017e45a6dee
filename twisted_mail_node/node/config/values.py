"""
The kinds of value a setting may have: sizes, durations, networks, host names, servers, endpoints.

Each is a pydantic type over the plain Python value that the node works with. What is not allowed raises
ValueError with the words that follow "allowed:".
"""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import idna
from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, ValidationInfo

from ...mail.address import Address
from ...mail.domain_name import ascii_domain
from ...mail.errors import BadMailboxName
from ...mail.host import Network
from ...mail.mailbox_name import INBOX, checked
from .endpoint import STATE_DIR_MARK, check_endpoint, resolved_endpoint

_SIZE_UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_DURATION_UNITS = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
    "week": 604800.0,
}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")  # RFC 3986 §3
_QUANTITY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]*)", re.ASCII)


def octets_of(value: object) -> int:
    """A size as octets. Raises: ValueError."""
    allowed = 'a size such as "50 MiB", "64 kB" or a whole number of octets'
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(allowed)
    if isinstance(value, int):
        octets = value
    else:
        match = _QUANTITY.fullmatch(value.strip())
        if match is None or match[2].lower() not in _SIZE_UNITS:
            raise ValueError(allowed)
        octets = round(float(match[1]) * _SIZE_UNITS[match[2].lower()])
    if octets < 0:
        raise ValueError(allowed)
    return octets


def _seconds(value: object) -> float:
    allowed = 'a duration such as "30 s", "10 min", "4 h", "5 days" or a number of seconds'
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(allowed)
    if not isinstance(value, str):
        seconds = float(value)
    else:
        match = _QUANTITY.fullmatch(value.strip())
        unit = match[2].lower() if match else "?"
        factor = _DURATION_UNITS.get(unit) or _DURATION_UNITS.get(unit.removesuffix("s"))
        if match is None or factor is None:
            raise ValueError(allowed)
        seconds = float(match[1]) * factor
    if not 0 <= seconds < float("inf"):
        raise ValueError(allowed)
    return seconds


def _network(value: object) -> Network:
    if isinstance(value, Network):
        return value
    try:
        if isinstance(value, str):
            return ipaddress.ip_network(value)
    except ValueError:
        pass
    raise ValueError('an IP address or a network such as "127.0.0.0/8" or "2001:db8::/32" (no bits after the prefix)')


def is_host_name(text: str) -> bool:
    """Whether this can be a host's or a domain's name, in Unicode or A-labels."""
    try:
        return bool(idna.encode(text, uts46=True)) and not text.endswith(".")
    except (idna.IDNAError, UnicodeError):
        return False


def _host_name(value: object) -> str:
    if not isinstance(value, str) or not is_host_name(value):
        raise ValueError('a host name such as "mx.example.org"')
    return ascii_domain(value)


def split_host_port(text: str) -> tuple[str, int]:
    """
    `"host:port"` or `"[2001:db8::1]:port"` as host and port.

    Raises: ValueError: no port from 1 to 65535, or no host.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("no port")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    if ":" in host:
        raise ValueError("an IPv6 address needs brackets")
    return host, int(port)


def _name_server(value: object) -> tuple[str, int]:
    allowed = 'an IP address with or without a port: "127.0.0.1:5353", "192.0.2.1", "[::1]:53"'
    if not isinstance(value, str):
        raise ValueError(allowed)
    try:
        return str(ipaddress.ip_address(value.strip("[]"))), 53
    except ValueError:
        pass
    try:
        host, port = split_host_port(value)
        return str(ipaddress.ip_address(host)), port
    except ValueError:
        raise ValueError(allowed) from None


def _smarthost(value: object) -> str:
    if value == "":
        return ""
    try:
        host, _ = split_host_port(value) if isinstance(value, str) else ("", 0)
        if is_host_name(host) or ipaddress.ip_address(host):
            return str(value)
    except ValueError:
        pass
    raise ValueError('"host:port" such as "relay.example.org:587", or "" to send by MX')


def _base(info: ValidationInfo) -> Path:
    """The folder that relative paths start from: the file's, or the working directory."""
    return Path((info.context or {}).get("base", "")).absolute()


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError("a path")
    return Path(os.path.normpath(_base(info) / Path(value).expanduser()))


def _optional_path(value: object, info: ValidationInfo) -> Path | None:
    return None if value is None or value == "" else _path(value, info)


def _endpoint(value: str, info: ValidationInfo) -> str:
    check_endpoint(value)
    return str(resolved_endpoint(value, Path(STATE_DIR_MARK), _base(info))) if value.startswith("unix:") else value


def is_this_machine(hostname: str | None) -> bool:
    """Whether what goes to this host stays on this machine."""
    return hostname in ("localhost", "127.0.0.1", "::1")


def _ldap_uri(value: str) -> str:
    allowed = 'an LDAP server such as "ldaps://ldap.example.org" or "ldap://127.0.0.1:1389", without a path'
    try:
        parts = urlsplit(value)
        if parts.scheme == "ldapi" and unquote(parts.netloc).startswith("/") and not parts.path:
            return value
        # Asked for, since a port that can't be one raises here.
        is_plain = (parts.port or 1) > 0 and not (parts.path.strip("/") or parts.query or parts.username)
        if parts.scheme in ("ldap", "ldaps") and parts.hostname and is_plain:
            return value
    except ValueError:
        pass
    raise ValueError(allowed)


def _web_address(value: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        local = is_this_machine(parts.hostname)
        if parts.hostname and not parts.username and (parts.scheme == "https" or (parts.scheme == "http" and local)):
            return value
    except ValueError:
        pass
    raise ValueError('an address such as "https://login.example.org/keys"; http: only of this machine')


def _uri(value: str) -> str:
    if value and not _URI.fullmatch(value):
        raise ValueError('a URI such as "mailto:postmaster@example.org" or "tel:+81-3-1234-5678"')
    return value


def _key_set_place(value: str, info: ValidationInfo) -> str:
    return _web_address(value) if not value or ":" in value else str(_path(value, info))


def _mailbox_name(value: str) -> str:
    try:
        name = checked(value)
    except BadMailboxName as error:
        raise ValueError(f"a mailbox name; {error.text}") from None
    if name == INBOX:
        raise ValueError("a mailbox other than INBOX, which is always there")
    return name


def _account_name(value: str) -> str:
    try:
        return Address.parse(value).key
    except ValueError:
        raise ValueError("an account: NAME@DOMAIN") from None


Size = Annotated[int, BeforeValidator(octets_of)]
"""Octets."""
Seconds = Annotated[float, BeforeValidator(_seconds)]
"""A duration in seconds."""
Wait = Annotated[Seconds, Field(ge=1)]
"""A duration of a second at least."""
NetworkText = Annotated[Network, BeforeValidator(_network)]
HostName = Annotated[str, BeforeValidator(_host_name)]
"""In lower case, without a dot at its end."""
NameServer = Annotated[tuple[str, int], BeforeValidator(_name_server)]
"""IP address and port."""
SmartHost = Annotated[str, BeforeValidator(_smarthost)]
"""`host:port`, or empty."""
FilePath = Annotated[Path, BeforeValidator(_path)]
OptionalFile = Annotated[Path | None, BeforeValidator(_optional_path)]
EndpointText = Annotated[str, AfterValidator(_endpoint)]
MailboxName = Annotated[str, AfterValidator(_mailbox_name)]
AccountName = Annotated[str, AfterValidator(_account_name)]
"""`name@domain`, in lower case."""
LDAPUri = Annotated[str, AfterValidator(_ldap_uri)]
"""`ldap://host:port`, `ldaps://host:port` or `ldapi://` and a socket's path with its slashes as %2F."""
WebAddress = Annotated[str, AfterValidator(_web_address)]
"""An https: URL, also an http: one of this machine; or empty."""
URI = Annotated[str, AfterValidator(_uri)]
"""A URI of any scheme; or empty."""
KeySetPlace = Annotated[str, AfterValidator(_key_set_place)]
"""As WebAddress, or an absolute path."""
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Count = Annotated[int, Field(strict=True, ge=1)]
Limit = Annotated[int, Field(strict=True, ge=0)]
"""How many of something; 0 for any number."""
Flag = StrictBool
