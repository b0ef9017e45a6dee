"""What was computed of messages and mailboxes, kept within bounds, the longest unused going first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from ...mail.columns import FetchItem

DEFAULT_OCTETS = 32 * 1024 * 1024
"""Some 10,000 messages with header block and forms: what a few dozen clients look at."""

MAILBOXES = 10_000
"""Mailboxes of which something is remembered; a few hundred octets each."""

# What an entry costs beside its octets: key, node of the map, the object itself.
_ENTRY_OCTETS = 400


class MessageKey(NamedTuple):
    """A message for ever: UIDVALIDITY tells an account or mailbox that was made anew from the old one."""

    account: str
    mailbox_id: int
    uid_validity: int
    uid: int


class MailboxKey(NamedTuple):
    """A mailbox for ever."""

    account: str
    mailbox_id: int
    uid_validity: int


@dataclass(slots=True)
class _Made:
    """What was made of one message."""

    header: bytes | None = None
    envelope: bytes | None = None
    structure: bytes | None = None
    email_id: str | None = None

    @property
    def octets(self) -> int:
        """What it costs to remember this."""
        parts = (self.header, self.envelope, self.structure, self.email_id)
        return _ENTRY_OCTETS + sum(len(part) for part in parts if part is not None)


_FIELDS = {
    FetchItem.HEADER: "header",
    FetchItem.ENVELOPE: "envelope",
    FetchItem.BODY_STRUCTURE: "structure",
    FetchItem.EMAIL_ID: "email_id",
}


class MadeOfMessages:
    """Columns that were computed, message by message, in at most `limit_octets`."""

    def __init__(self, limit_octets: int = DEFAULT_OCTETS) -> None:
        self.octets = 0
        self._limit_octets = limit_octets
        self._made: OrderedDict[MessageKey, _Made] = OrderedDict()

    def get(self, key: MessageKey, item: FetchItem) -> bytes | str | None:
        """The column's value for this message, or None."""
        made = self._made.get(key)
        if made is None:
            return None
        self._made.move_to_end(key)
        value: bytes | str | None = getattr(made, _FIELDS[item])
        return value

    def put(self, key: MessageKey, item: FetchItem, value: bytes | str) -> None:
        """Remember a value. One that would take a good part of the room is not worth it."""
        if len(value) > self._limit_octets // 8:
            return
        made = self._made.pop(key, None)
        if made is None:
            made = _Made()
        else:
            self.octets -= made.octets
        setattr(made, _FIELDS[item], value)
        self._made[key] = made
        self.octets += made.octets
        while self.octets > self._limit_octets:
            self.octets -= self._made.popitem(last=False)[1].octets


@dataclass(slots=True)
class Overview:
    """
    What is known of one mailbox.

    `recent_after` as in MailboxStatus. `keywords` are those in use, by their names in lower case, at
    `keywords_modseq`; -1: never looked.
    """

    recent_after: int = 0
    keywords_modseq: int = -1
    keywords: dict[str, str] | None = None


class Overviews:
    """Overviews by mailbox."""

    def __init__(self) -> None:
        self._known: OrderedDict[MailboxKey, Overview] = OrderedDict()

    def peek(self, key: MailboxKey) -> Overview | None:
        """What is known, if anything."""
        return self._known.get(key)

    def of(self, key: MailboxKey) -> Overview:
        """What is known, to be filled in."""
        overview = self._known.get(key)
        if overview is None:
            overview = self._known[key] = Overview()
            if len(self._known) > MAILBOXES:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return overview
