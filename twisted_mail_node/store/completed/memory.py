"""What was computed of messages and mailboxes, kept within bounds, the longest unused going first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from ...mail.columns import FetchItem
from ...mail.transaction import Body

DEFAULT_OCTETS = 32 * 1024 * 1024
"""Some 10,000 messages with header block and forms: what a few dozen clients look at."""

MAILBOXES = 10_000
"""Mailboxes of which something is remembered; a few hundred octets each."""

# What an entry costs beside its octets: key, node of the map, the object itself with its table of some values.
_ENTRY_OCTETS = 750
_NUMBER_OCTETS = 8


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


Form = bytes | str | int
"""What is made: octets, an id, a date."""


@dataclass(slots=True)
class _Made:
    """What was made of one message."""

    values: dict[FetchItem, Form] = field(default_factory=dict)
    octets: int = _ENTRY_OCTETS
    """What it costs to remember this."""


class MadeOfMessages:
    """Columns that were computed, message by message, in at most `limit_octets`."""

    def __init__(self, limit_octets: int = DEFAULT_OCTETS) -> None:
        self.octets = 0
        self._limit_octets = limit_octets
        self._made: OrderedDict[MessageKey, _Made] = OrderedDict()

    def get(self, key: MessageKey, item: FetchItem) -> Form | None:
        """The column's value for this message, or None."""
        made = self._made.get(key)
        if made is None:
            return None
        self._made.move_to_end(key)
        return made.values.get(item)

    def put(self, key: MessageKey, item: FetchItem, value: Form) -> None:
        """Remember a value. One that would take a good part of the room is not worth it."""
        octets = _octets(value)
        if octets > self._limit_octets // 8:
            return
        made = self._made.pop(key, None)
        if made is None:
            made = _Made()
        else:
            self.octets -= made.octets
        made.octets += octets - _octets(made.values.get(item))
        made.values[item] = value
        self._made[key] = made
        self.octets += made.octets
        while self.octets > self._limit_octets:
            self.octets -= self._made.popitem(last=False)[1].octets

    def put_body(self, key: MessageKey, body: Body) -> None:
        """Remember what the maker of a message's body had at hand."""
        if body.envelope is not None:
            self.put(key, FetchItem.ENVELOPE, body.envelope)
        if body.keys is not None:
            self.put(key, FetchItem.SENT_DATE, body.keys.sent)
            self.put(key, FetchItem.SORT_KEYS, body.keys.sorting)
            self.put(key, FetchItem.THREAD_KEYS, body.keys.threading)


def _octets(value: Form | None) -> int:
    if value is None:
        return 0
    return _NUMBER_OCTETS if isinstance(value, int) else len(value)


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
