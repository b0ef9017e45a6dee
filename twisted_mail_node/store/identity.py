"""
Names that a backend gives to what it keeps: they are never given twice, whatever was removed meanwhile.

Neighbours: every backend in this room; `mail.mailbox_name` for the names that people give.
"""

from __future__ import annotations

from os import urandom


def new_guid() -> str:
    """
    A new id for an entry or an email: 32 hexadecimal digits, all of chance.

    Fits POP3's unique-id (1 to 70 printable characters, RFC 1939 §7) and an objectid (RFC 8474 §7).
    """
    return urandom(16).hex()


def next_uid_validity(now: float, last: int) -> int:
    """
    The UIDVALIDITY of a new mailbox: above the last one given, and not below the clock.

    `last` is the greatest that this *store* gave to any mailbox of any account (0 for none), so that a mailbox
    or an account that was removed and made again is never taken for the old one, however fast it came back. The
    clock helps where the store itself was lost and began anew. Source: RFC 3501 §2.3.1.1 (32 bits, ascending).
    """
    return max(int(now), last + 1)
