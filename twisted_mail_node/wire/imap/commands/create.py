"""CREATE. Sources: RFC 3501 §6.3.3; RFC 6154 §3 (the USE parameter)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .command import Command


@dataclass(frozen=True, slots=True)
class Create(Command):
    """
    Make a mailbox.

    `mailbox` may end in the delimiter, which says that names below it are meant to come. `special_use` are the
    attributes of USE, `\\Sent`, spelled as the standard does where it is one of RFC 6154's.
    """

    name: ClassVar[str] = "CREATE"

    mailbox: str
    special_use: tuple[str, ...] = ()
