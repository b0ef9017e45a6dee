"""Who a message says it is from: the addresses of its From and Sender. Source: RFC 5322 §3.6.2."""

from __future__ import annotations

from dataclasses import dataclass

from .address import Address


@dataclass(frozen=True, slots=True)
class Authors:
    """
    What the header says.

    `authors` are the addresses of From, `senders` those of Sender; fields that come twice are joined. Without
    `is_sound`, one of the fields holds what is no address, or is too long to be read.
    """

    authors: tuple[Address, ...] = ()
    senders: tuple[Address, ...] = ()
    is_sound: bool = True


NO_AUTHORS = Authors()
