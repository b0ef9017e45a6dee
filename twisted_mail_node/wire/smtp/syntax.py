"""
The grammar of SMTP arguments: paths, mailboxes, parameters. Bytes in, values out; ValueError for all else.

Decides what an address on the wire is. Does not decide whether it is wanted (`policy`) nor which reply tells of
the mistake (`commands`). Every pattern is possessive, so the work is linear in the length of the line. With `utf8`,
what is beyond ASCII may stand where RFC 6531 lets it; domains come out as A-labels all the same.

Sources: RFC 5321 §4.1.2, §4.1.3 (ABNF), §4.5.3.1 (sizes); RFC 6531 §3.3 (what is beyond ASCII).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

from ...mail.address import Address
from ...mail.domain_name import ascii_domain

DOMAIN_OCTETS = 255  # RFC 5321 §4.5.3.1.2
PATH_OCTETS = 256  # RFC 5321 §4.5.3.1.3, "<" and ">" and not the route counted
LABEL_OCTETS = 63  # RFC 1035 §2.3.4

# RFC 5321 §4.5.3.1.1 says 64 octets for a local part and asks implementations not to hold to it where they can
# do without: return paths with encoded recipients are longer. The path's limit holds.


def _mailbox(beyond: bytes) -> bytes:
    """The pattern of a mailbox; `beyond` are octets that may stand beside those of ASCII."""
    atom = rb"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~" + beyond + rb"]++"
    quoted = rb'"(?:[ !#-\[\]-~' + beyond + rb"]|\\[ -~" + beyond + rb'])*+"'
    return rb"(" + atom + rb"(?:\." + atom + rb")*+|" + quoted + rb")@(" + _domain(beyond) + rb"|" + _LITERAL + rb")"


def _domain(beyond: bytes) -> bytes:
    # An underscore is no part of a host name, but of names that exist and send mail.
    letter = rb"[A-Za-z0-9_" + beyond + rb"]"
    label = letter + rb"(?:" + letter + rb"|-++(?=" + letter + rb"))*+"
    return label + rb"(?:\." + label + rb")*+"


def _path(beyond: bytes) -> re.Pattern[bytes]:
    # RFC 5321 §4.1.2 A-d-l: accepted, then ignored
    route = rb"(?:@" + _domain(beyond) + rb"(?:,@" + _domain(beyond) + rb")*+:)?+"
    return re.compile(rb"<" + route + _mailbox(beyond) + rb">")


_LITERAL = rb"\[[!-Z^-~]++\]"
_PATH = _path(b"")
_MAILBOX = re.compile(_mailbox(b""))
# RFC 6531 §3.3. Whether the octets are UTF-8 is seen when they are decoded.
_BEYOND_ASCII = rb"\x80-\xff"
_UTF8_PATH = _path(_BEYOND_ASCII)
_UTF8_MAILBOX = re.compile(_mailbox(_BEYOND_ASCII))
# C1 controls and the separators of lines and paragraphs are no letters in any language.
_UNFIT = re.compile("[\x80-\x9f\u2028\u2029]")
_POSTMASTER = re.compile(rb"<postmaster>", re.IGNORECASE)
_IS_DOMAIN = re.compile(_domain(b""))
_IS_LITERAL = re.compile(_LITERAL)
_GENERAL_LITERAL = re.compile(r"\[[A-Za-z0-9-]*[A-Za-z0-9]:[!-Z^-~]+\]")
_PARAMETER = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*+)(?:=([!-<>-~\x80-\xff]++))?+")
_QUOTED_PAIR = re.compile(r"\\(.)")

Parameters = tuple[tuple[str, str], ...]


def parse_reverse_path(text: bytes, *, utf8: bool = False) -> tuple[Address | None, Parameters]:
    """
    Read what follows `MAIL FROM:`, the path and its parameters.

    Source: RFC 5321 §4.1.1.2. Blanks before the path are let through, as nearly everybody does.

    Returns: the sender, None for `<>`; the parameters, keywords in upper case, "" where there is no value.
    Raises: ValueError: not a path, or parameters out of shape.
    """
    text = text.strip(b" ")
    if text.startswith(b"<>"):
        return None, _parameters(text, 2, utf8)
    match = (_UTF8_PATH if utf8 else _PATH).match(text)
    if match is None:
        raise ValueError("not a reverse-path")
    return _address(match), _parameters(text, match.end(), utf8)


def parse_forward_path(text: bytes, *, utf8: bool = False) -> tuple[Address, Parameters]:
    """
    Read what follows `RCPT TO:`. The bare `<postmaster>` gives an address without domain.

    Source: RFC 5321 §4.1.1.3. Raises: ValueError: as for `parse_reverse_path`.
    """
    text = text.strip(b" ")
    match = (_UTF8_PATH if utf8 else _PATH).match(text)
    if match is not None:
        return _address(match), _parameters(text, match.end(), utf8)
    match = _POSTMASTER.match(text)
    if match is None:
        raise ValueError("not a forward-path")
    return Address("postmaster", ""), _parameters(text, match.end(), utf8)


def parse_mailbox(text: bytes, *, utf8: bool = False) -> Address:
    """Read `local@domain` without brackets. Raises: ValueError."""
    match = (_UTF8_MAILBOX if utf8 else _MAILBOX).fullmatch(text)
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


def render_path(address: Address | None) -> bytes:
    """The path as it stands in a command: `<>` for None, else quoted where needed. Source: RFC 5321 §4.1.2."""
    return b"<>" if address is None else f"<{address}>".encode()


def _address(match: re.Match[bytes]) -> Address:
    local_part, domain = match[1].decode("utf-8"), match[2].decode("utf-8")
    if len(match[1]) + len(match[2]) + 3 > PATH_OCTETS:
        raise ValueError("path too long")
    if local_part[0] == '"':
        local_part = _QUOTED_PAIR.sub(r"\1", local_part[1:-1])
    if not local_part.isascii() and _UNFIT.search(local_part):
        raise ValueError("a control character")
    return Address(local_part, _checked_domain(domain if domain.isascii() else ascii_domain(domain)))


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


def _parameters(text: bytes, start: int, utf8: bool) -> Parameters:
    """Source: RFC 5321 §4.1.2 Mail-parameters. A keyword may come once (RFC 5321 §4.1.1.11 has no use for two)."""
    if start == len(text):
        return ()
    if text[start] != 0x20:
        raise ValueError("something behind the path")
    found: dict[str, str] = {}
    for word in text[start:].split():
        match = _PARAMETER.fullmatch(word)
        if match is None or not (utf8 or word.isascii()):
            raise ValueError("not a parameter")
        keyword = match[1].decode("ascii").upper()
        if keyword in found:
            raise ValueError("a parameter given twice")
        found[keyword] = (match[2] or b"").decode("utf-8")
    return tuple(found.items())
