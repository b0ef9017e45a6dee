"""
What intake wants to know of a header block: where it ends, how far the message has come, what it lacks.

Looks for field names at the beginnings of lines and reads no value but that of Delivered-To. Source: RFC 5322 §2.2.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """
    What stands in a header block.

    `hops` counts Received fields; `delivered_to` are the
    addresses of Delivered-To fields, in lower case.
    """

    hops: int
    delivered_to: frozenset[str]
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


def header_facts(header: bytes | bytearray) -> HeaderFacts:
    """The facts of a header block; `header` is the block and nothing else."""
    lines = b"\r\n" + header.lower()
    delivered_to = _values(lines, b"\r\ndelivered-to:") if b"\r\ndelivered-to:" in lines else frozenset[str]()
    return HeaderFacts(
        lines.count(b"\r\nreceived:"),
        delivered_to,
        b"\r\ndate:" in lines,
        b"\r\nmessage-id:" in lines,
    )


def _values(lines: bytes | bytearray, name: bytes) -> frozenset[str]:
    return frozenset(
        part.partition(b"\r\n")[0].strip().strip(b"<>").decode("utf-8", "replace") for part in lines.split(name)[1:]
    )
