"""
Sequence sets as the client writes them, `1:4,7,9:*`, or `$` for what a search has saved; and what they mean.

A set is kept as it was parsed: `*` has a meaning only against a view, which `resolve_numbers` and `resolve_uids`
are given. Sources: RFC 3501 §9 (sequence-set, seq-range), §2.3.1; RFC 5182 §2.1, §3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ...mail.uid_set import EMPTY, UIDSet
from ..errors import ProtocolViolation

# Stands for `*`. Larger than any number a client may write (32 bits, RFC 3501 §9 nz-number).
STAR = 1 << 32


class NoSuchMessageNumber(ProtocolViolation):
    """A message sequence number is greater than the number of messages: tagged BAD (RFC 9051 §9, seq-number)."""


class NumberedMessages(Protocol):
    """What a sequence set asks of a view: the messages a session knows of, in order."""

    @property
    def uids(self) -> UIDSet:
        """The UIDs of all messages in the view."""

    def uids_at(self, numbers: UIDSet) -> UIDSet:
        """The UIDs of the messages at these sequence numbers, each from 1 to the number of messages."""

    @property
    def saved(self) -> UIDSet:
        """What the last search saved, as UIDs; of those, messages of the view are meant."""


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """
    Runs of numbers in the order written, (first, last) with first <= last; `STAR` is the last message.

    `is_saved`: this is `$`, which has no numbers of its own.
    """

    runs: tuple[tuple[int, int], ...]
    is_saved: bool = False

    def numbers(self, largest: int) -> UIDSet:
        """
        The numbers meant when `largest` is the greatest in use; nothing when it is 0.

        `9:*` with a largest of 5 means 5:9, as the order of a range's ends does not matter. Numbers above the
        largest that the client wrote itself stay in.
        """
        if largest == 0:
            return EMPTY
        runs = []
        for first, last in self.runs:
            if last == STAR:
                first, last = min(first, largest), max(first if first != STAR else largest, largest)
            runs.append((first, last))
        return UIDSet(runs)

    def resolve_numbers(self, view: NumberedMessages) -> UIDSet:
        """
        The UIDs of the messages meant, where the set holds message sequence numbers.

        Raises: NoSuchMessageNumber: a number beyond the last message, also `*` in an empty mailbox.
        """
        if self.is_saved:
            return view.saved & view.uids
        count = len(view.uids)
        numbers = self.numbers(count)
        if not numbers or numbers.largest > count:
            raise NoSuchMessageNumber("no message with such a number")
        return view.uids_at(numbers)

    def resolve_uids(self, view: NumberedMessages) -> UIDSet:
        """The UIDs meant, where the set holds UIDs: those of the view; others are passed over (RFC 3501 §6.4.8)."""
        known = view.uids
        if self.is_saved:
            return view.saved & known
        return self.numbers(known.largest) & known if known else EMPTY

    @property
    def wire(self) -> bytes:
        """The set as IMAP writes it."""
        if self.is_saved:
            return b"$"
        return b",".join(
            _number(first) if first == last else b"%b:%b" % (_number(first), _number(last)) for first, last in self.runs
        )


def _number(number: int) -> bytes:
    return b"*" if number == STAR else b"%d" % number


SAVED = SequenceSet((), is_saved=True)
"""`$`: what the last search saved. Source: RFC 5182 §2.1."""
