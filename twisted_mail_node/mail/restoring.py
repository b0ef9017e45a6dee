"""
What is put back as it was elsewhere: messages and mailboxes with the numbers and ids they had.

Neighbours: the doors that take these values are in `interfaces.store`, what makes them in `moving`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .columns import InternalDate
from .flags import Flags
from .transaction import Body

# Our own bounds: far above what any server has given in its life, and far enough below what the numbers' fields hold
# (32 bits, RFC 3501 §2.3.1.1; 63 bits, RFC 7162 §3.1) that a mailbox goes on for good from there.
MAX_RESTORED_UID = 4_000_000_000
MAX_RESTORED_UID_VALIDITY = 4_000_000_000
MAX_RESTORED_MODSEQ = 2**60


@dataclass(frozen=True, slots=True)
class RestoredMessage:
    """
    A message as another store, or this one in earlier days, had it.

    `guid` is 32 hexadecimal digits in lower case. Without `uid` it takes the mailbox's next one. `prefix` as in
    `Placement`. `email_id` is None where it is to get a new one.
    """

    body: Body
    flags: Flags
    internal_date: InternalDate
    guid: str
    uid: int | None = None
    prefix: bytes = b""
    email_id: str | None = None


@dataclass(frozen=True, slots=True)
class RestoredMailbox:
    """
    A mailbox as it was elsewhere, as far as that is known.

    `uid_validity` is None where its UIDs mean nothing here. `uid_next` is a UID that it had not given yet,
    `highest_modseq` its HIGHESTMODSEQ.
    """

    name: str
    special_use: str | None = None
    uid_validity: int | None = None
    uid_next: int = 1
    highest_modseq: int = 0

    def __post_init__(self) -> None:
        if self.uid_validity is not None and not 0 < self.uid_validity <= MAX_RESTORED_UID_VALIDITY:
            raise ValueError(f"a UIDVALIDITY that cannot be kept: {self.uid_validity}")
        if not 0 < self.uid_next <= MAX_RESTORED_UID + 1:
            raise ValueError(f"a UIDNEXT that cannot be kept: {self.uid_next}")
        if not 0 <= self.highest_modseq <= MAX_RESTORED_MODSEQ:
            raise ValueError(f"a HIGHESTMODSEQ that cannot be kept: {self.highest_modseq}")
