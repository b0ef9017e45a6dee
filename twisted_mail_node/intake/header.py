"""
What intake wants to know of a header block: where it ends, how far the message has come, what it lacks.

Looks for field names at the beginnings of lines; values are read only where this node stands in the trace.
Source: RFC 5322 §2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Past:
    """
    Where a message has been before, as far as it has been here; addresses in lower case.

    `received_for` are the recipients of our own Received fields; `delivered_to` the accounts of Delivered-To, believed
    only beside such a field, since another node's account may have the name that one has here. What somebody sends
    again (RFC 5322 §3.6.6) begins a new journey: the trace below Resent fields is of the old one.
    """

    received_for: frozenset[str] = frozenset()
    delivered_to: frozenset[str] = frozenset()


NO_PAST = Past()


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """
    What stands in a header block.

    `hops` counts Received fields.
    """

    hops: int
    past: Past
    has_date: bool
    has_message_id: bool


def header_size(content: bytes | bytearray) -> int | None:
    """
    Octets of the header block at the beginning of `content`, the empty line counted in; None where it does not end.
    """
    if content.startswith(b"\r\n"):
        return 2
    end = content.find(b"\r\n\r\n")
    return None if end < 0 else end + 4


def header_facts(header: bytes | bytearray, hostname: str) -> HeaderFacts:
    """The facts of a header block; `header` is the block and nothing else. `hostname` is our name in traces."""
    lines = b"\r\n" + header.lower()
    us = hostname.lower().encode("utf-8")
    return HeaderFacts(
        lines.count(b"\r\nreceived:"),
        _past(lines, us) if us in lines else NO_PAST,
        b"\r\ndate:" in lines,
        b"\r\nmessage-id:" in lines,
    )


def _past(lines: bytes, us: bytes) -> Past:
    by_us = re.compile(rb"received:.*\sby\s+" + re.escape(us) + rb"[\s;]")
    fields = _FOLD.sub(b" ", lines.partition(b"\r\nresent-")[0]).split(b"\r\n")
    ours = [field for field in fields if by_us.match(field)]
    if not ours:
        return NO_PAST
    return Past(
        frozenset(address.decode("utf-8", "replace") for field in ours for address in _FOR.findall(field)),
        frozenset(
            field[13:].strip(b" \t<>").decode("utf-8", "replace")
            for field in fields
            if field.startswith(b"delivered-to:")
        ),
    )


_FOLD = re.compile(rb"\r\n[ \t]+")
_FOR = re.compile(rb"\sfor\s+<([^<>]*)>")
