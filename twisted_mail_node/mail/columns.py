"""
Columns: the bulk shape in which a mailbox gives many messages at once, and the items that can be asked for.

A list per item, all of one length and in ascending order of UID; an item that was not asked for is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import NamedTuple

from .flags import Flags


class FetchItem(Flag):
    """What can be asked of a mailbox in bulk. UIDs always come."""

    NONE = 0
    FLAGS = auto()
    INTERNAL_DATE = auto()
    SIZE = auto()
    MODSEQ = auto()
    HEADER = auto()
    """The header block: the entry's prefix and the body's header, up to and with the empty line."""
    ENVELOPE = auto()
    """The kept ENVELOPE in IMAP wire form, or None in its place where none is kept yet."""
    BODY_STRUCTURE = auto()
    """The kept BODYSTRUCTURE in IMAP wire form, or None in its place where none is kept yet."""
    BODY = auto()
    """The whole message, prefix and body; None in its place where it is larger than INLINE_BODY_OCTETS."""
    EMAIL_ID = auto()
    """The id of the email, which copies of it share and a move to another backend keeps (RFC 8474 §4)."""
    SEARCH_HEAD = auto()
    """The header's kept text (see `wire.mime.search_text`), or None in its place; no column where none are kept."""
    SEARCH_TEXT = auto()
    """The kept text of all else, or None in its place; no column where none are kept."""
    GUID = auto()
    """The id of the entry, kept by a move to another mailbox or backend, not by a copy; POP3's UIDL."""
    SAVE_DATE = auto()
    """When the entry came into this mailbox (RFC 8514), or None where the store does not know."""
    SENT_DATE = auto()
    """The kept Date header as a point in time, see MessageKeys.sent, or None in its place where none is kept yet."""
    SORT_KEYS = auto()
    """What is kept for SORT, see MessageKeys.sorting, or None in its place where none is kept yet."""
    THREAD_KEYS = auto()
    """What is kept for THREAD, see MessageKeys.threading, or None in its place where none is kept yet."""
    PREVIEW = auto()
    """The kept preview (RFC 8970) in UTF-8, or None in its place where none is kept yet."""


KEPT = {
    FetchItem.ENVELOPE: "envelopes",
    FetchItem.BODY_STRUCTURE: "body_structures",
    FetchItem.SENT_DATE: "sent_dates",
    FetchItem.SORT_KEYS: "sort_keys",
    FetchItem.THREAD_KEYS: "thread_keys",
    FetchItem.PREVIEW: "previews",
}
"""What is computed of a message once and kept: the item, and the name of its column."""

# A body up to this size is given in a column; a larger one is opened and read in pieces. Same bound as for staging.
INLINE_BODY_OCTETS = 256 * 1024


class InternalDate(NamedTuple):
    """A point in time and the zone it was told in: seconds since the epoch, minutes east of UTC."""

    unix_seconds: int
    zone_minutes: int = 0


@dataclass(slots=True)
class Columns:
    """Messages as columns; see the module. Size and body count the entry's prefix in."""

    uids: Sequence[int]
    flags: Sequence[Flags] | None = None
    internal_dates: Sequence[InternalDate] | None = None
    sizes: Sequence[int] | None = None
    modseqs: Sequence[int] | None = None
    headers: Sequence[bytes] | None = None
    envelopes: Sequence[bytes | None] | None = None
    body_structures: Sequence[bytes | None] | None = None
    bodies: Sequence[bytes | None] | None = None
    email_ids: Sequence[str] | None = None
    guids: Sequence[str] | None = None
    save_dates: Sequence[int | None] | None = None
    """Seconds since the epoch."""
    sent_dates: Sequence[int | None] | None = None
    sort_keys: Sequence[bytes | None] | None = None
    thread_keys: Sequence[bytes | None] | None = None
    previews: Sequence[bytes | None] | None = None
    search_heads: Sequence[bytes | None] | None = None
    search_texts: Sequence[bytes | None] | None = None

    def __len__(self) -> int:
        return len(self.uids)
