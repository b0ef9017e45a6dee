"""
The grammar of SMTP arguments: paths, mailboxes, parameters. Bytes in, values out; ValueError for all else.

Decides what an address on the wire is. Does not decide whether it is wanted (`policy`) nor which reply tells of
the mistake (`commands`). Every pattern is possessive, so the work is linear in the length of the line.

Sources: RFC 5321 §4.1.2, §4.1.3 (ABNF), §4.5.3.1 (sizes).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

from ...mail.address import Address

DOMAIN_OCTETS = 255  # RFC 5321 §4.5.3.1.2
PATH_OCTETS = 256  # RFC 5321 §4.5.3.1.3, "<" and ">" and not the route counted
LABEL_OCTETS = 63  # RFC 1035 §2.3.4

# RFC 5321 §4.5.3.1.1 says 64 octets for a local part and asks implementations not to hold to it where they can
# do without: return paths with encoded recipients are longer. The path's limit holds.

_ATOM = rb"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]++"
_DOT_STRING = _ATOM + rb"(?:\." + _ATOM + rb")*+"
_QUOTED = rb'"(?:[ !#-\[\]-~]|\\[ -~])*+"'
# An underscore is no part of a host name, but of names that exist and send mail.
_LABEL = rb"[A-Za-z0-9_](?:[A-Za-z0-9_]|-++(?=[A-Za-z0-9_]))*+"
_DOMAIN = _LABEL + rb"(?:\." + _LABEL + rb")*+"
_LITERAL = rb"\[[!-Z^-~]++\]"

_PATH = re.compile(
    rb"<(?:@" + _DOMAIN + rb"(?:,@" + _DOMAIN + rb")*+:)?+"  # RFC 5321 §4.1.2 A-d-l: accepted, then ignored
    rb"(" + _DOT_STRING + rb"|" + _QUOTED + rb")@(" + _DOMAIN + rb"|" + _LITERAL + rb")>"
)
_MAILBOX = re.compile(
    rb"(" + _DOT_STRING + rb"|" + _QUOTED + rb")@(" + _DOMAIN + rb"|" + _LITERAL + rb")",
)
_POSTMASTER = re.compile(rb"<postmaster>", re.IGNORECASE)
_IS_DOMAIN = re.compile(_DOMAIN)
_IS_LITERAL = re.compile(_LITERAL)
_GENERAL_LITERAL = re.compile(r"\[[A-Za-z0-9-]*[A-Za-z0-9]:[!-Z^-~]+\]")
_PARAMETER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*+)(?:=([!-<>-~]++))?+")
_QUOTED_PAIR = re.compile(r"\\(.)")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*+")

Parameters = tuple[tuple[str, str], ...]


def parse_reverse_path(text: bytes) -> tuple[Address | None, Parameters]:
    """
    Read what follows `MAIL FROM:`, the path and its parameters.

    Source: RFC 5321 §4.1.1.2. Blanks before the path are let through, as nearly everybody does.

    Returns: the sender, None for `<>`; the parameters, keywords in upper case, "" where there is no value.
    Raises: ValueError: not a path, or parameters out of shape.
    """
    text = text.strip(b" ")
    if text.startswith(b"<>"):
        return None, _parameters(text, 2)
    match = _PATH.match(text)
    if match is None:
        raise ValueError("not a reverse-path")
    return _address(match), _parameters(text, match.end())


def parse_forward_path(text: bytes) -> tuple[Address, Parameters]:
    """
    Read what follows `RCPT TO:`. The bare `<postmaster>` gives an address without domain.

    Source: RFC 5321 §4.1.1.3. Raises: ValueError: as for `parse_reverse_path`.
    """
    text = text.strip(b" ")
    match = _PATH.match(text)
    if match is not None:
        return _address(match), _parameters(text, match.end())
    match = _POSTMASTER.match(text)
    if match is None:
        raise ValueError("not a forward-path")
    return Address("postmaster", ""), _parameters(text, match.end())


def parse_mailbox(text: bytes) -> Address:
    """Read `local@domain` without brackets. Raises: ValueError."""
    match = _MAILBOX.fullmatch(text)
    if match is None:
        raise ValueError("not a mailbox")
    return _address(match)


def parse_domain(text: bytes) -> str:
    """
    Read a host name or address literal, in lower case as `Address` keeps it.

    Source: RFC 5321 §4.1.2 Domain, §4.1.3 address-literal. Raises: ValueError.
    """
    if not _IS_DOMAIN.fullmatch(text) and not _IS_LITERAL.fullmatch(text):
        raise ValueError("not a domain")
    return _checked_domain(text.decode("ascii"))


def is_xtext(text: str) -> bool:
    """Whether the text is well-formed xtext (RFC 3461 §4), as in AUTH= and ORCPT=."""
    return _XTEXT.fullmatch(text) is not None


def render_path(address: Address | None) -> bytes:
    """The path as it stands in a command: `<>` for None, else quoted where needed. Source: RFC 5321 §4.1.2."""
    return b"<>" if address is None else f"<{address}>".encode()


def _address(match: re.Match[bytes]) -> Address:
    local_part, domain = match[1].decode("ascii"), match[2].decode("ascii")
    if len(local_part) + len(domain) + 3 > PATH_OCTETS:
        raise ValueError("path too long")
    if local_part[0] == '"':
        local_part = _QUOTED_PAIR.sub(r"\1", local_part[1:-1])
    return Address(local_part, _checked_domain(domain))


def _checked_domain(domain: str) -> str:
    if domain[0] == "[":
        return _literal(domain)
    if len(domain) > DOMAIN_OCTETS:
        raise ValueError("domain too long")
    if len(domain) > LABEL_OCTETS and any(len(label) > LABEL_OCTETS for label in domain.split(".")):
        raise ValueError("label too long")
    return domain.lower()


def _literal(domain: str) -> str:
    """An address literal in one spelling. Source: RFC 5321 §4.1.3."""
    inner = domain[1:-1].lower()
    if inner.startswith("ipv6:"):
        if "%" in inner:
            raise ValueError("a zone in an address literal")
        return f"[ipv6:{IPv6Address(inner[5:]).compressed}]"
    if ":" in inner:
        if not _GENERAL_LITERAL.fullmatch(domain):
            raise ValueError("not an address literal")
        return f"[{inner}]"
    return f"[{IPv4Address(inner)}]"


def _parameters(text: bytes, start: int) -> Parameters:
    """Source: RFC 5321 §4.1.2 Mail-parameters. A keyword may come once (RFC 5321 §4.1.1.11 has no use for two)."""
    if start == len(text):
        return ()
    if text[start] != 0x20:
        raise ValueError("something behind the path")
    found: dict[str, str] = {}
    for word in text[start:].split():
        match = _PARAMETER.fullmatch(word)
        if match is None:
            raise ValueError("not a parameter")
        keyword = match[1].decode("ascii").upper()
        if keyword in found:
            raise ValueError("a parameter given twice")
        found[keyword] = (match[2] or b"").decode("ascii")
    return tuple(found.items())
