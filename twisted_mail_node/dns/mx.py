"""
The rules by which MX records become hosts to try, and names become fit for a question. Pure.

It decides order and what is dropped; it asks nobody. Neighbours: `resolver` brings the records and looks the
hosts' addresses up. Sources: RFC 5321 §5.1, RFC 7505 (null MX), RFC 5891 (IDNA).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import idna

from ..mail.errors import PermanentFailure
from ..mail.status import EnhancedStatus

# How many hosts of one domain are looked up, the most preferred first. Bounds what a hostile zone can make us do.
MAX_HOSTS = 12
# How many addresses of one host are tried.
MAX_ADDRESSES = 8

NO_SUCH_DOMAIN = EnhancedStatus(5, 1, 2)
NULL_MX = EnhancedStatus(5, 1, 10)
NO_ROUTE = EnhancedStatus(5, 4, 4)

# Connecting to these reaches this machine itself, whoever wrote them into a zone (RFC 1122 §3.2.1.3).
UNSPECIFIED = ("0.0.0.0", "::")  # noqa: S104

Shuffle = Callable[[list["MXRecord"]], None]


@dataclass(frozen=True, slots=True)
class MXRecord:
    """One MX record. `exchange` is a host name in lower case without the last dot; "" is the root."""

    preference: int
    exchange: str


def order_hosts(domain: str, records: Sequence[MXRecord], shuffle: Shuffle, limit: int = MAX_HOSTS) -> list[MXRecord]:
    """
    The hosts in the order in which to try them, at most `limit`.

    Lower preference comes first, equals are shuffled in place by `shuffle` (RFC 5321 §5.1). A host named twice
    counts where it is preferred. The null MX among others is disregarded, and so is an exchange that is an
    address, which RFC 1035 §3.3.9 does not allow.

    Raises:
        PermanentFailure: 5.1.10, the null MX stands alone (RFC 7505 §3); 5.4.4, no record names a host.
    """
    if records and all(not record.exchange for record in records):
        raise PermanentFailure(f"the domain {domain} takes no mail", NULL_MX)
    best: dict[str, MXRecord] = {}
    for record in records:
        known = best.get(record.exchange)
        if record.exchange and not is_address(record.exchange) and (not known or record.preference < known.preference):
            best[record.exchange] = record
    if not best:
        raise PermanentFailure(f"no MX record of {domain} names a host", NO_ROUTE)
    ordered: list[MXRecord] = []
    by_preference = attrgetter("preference")
    for _, equals in groupby(sorted(best.values(), key=by_preference), key=by_preference):
        group = list(equals)
        if len(group) > 1:
            shuffle(group)
        ordered += group
        if len(ordered) >= limit:
            break
    return ordered[:limit]


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address, and so no host name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def literal_address(domain: str) -> str | None:
    """
    The address in an address literal, or None where the domain is none. Source: RFC 5321 §4.1.3.

    Raises: PermanentFailure: 5.1.2, brackets without an address in them.
    """
    if not domain.startswith("["):
        return None
    inner = domain[1:-1] if domain.endswith("]") else ""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    try:
        is_six = inner[:5].lower() == "ipv6:"
        address = ipaddress.IPv6Address(inner[5:]) if is_six else ipaddress.IPv4Address(inner)
    except ValueError:
        raise PermanentFailure(f"{domain} is not an address literal", NO_SUCH_DOMAIN) from None
    if str(address) in UNSPECIFIED:
        raise PermanentFailure(f"{domain} is no address of a host", NO_SUCH_DOMAIN)
    return str(address)


def question_name(domain: str) -> str:
    """
    The name as it stands in a question: A-labels, lower case, no last dot. Source: RFC 5891 §4.

    Raises: PermanentFailure: 5.1.2, no name that DNS could hold.
    """
    name = domain.rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise PermanentFailure(f"{domain} is not a domain name", NO_SUCH_DOMAIN) from None
    # RFC 1035 §2.3.4: 63 octets a label, 255 on the wire in all. "_" is not for hosts, yet hosts are named so.
    fits = 0 < len(name) <= 253 and all(
        0 < len(label) <= 63 and label.replace("-", "a").replace("_", "a").isalnum() for label in name.split(".")
    )
    if not fits:
        raise PermanentFailure(f"{domain} is not a domain name", NO_SUCH_DOMAIN)
    return name
