"""
Mail into a store: mailbox after mailbox, message after message, many a commit.

What was brought before is known by its guid and not brought again, so that an import that was cut off, at whatever
point, is simply made again: what was committed is there once, the rest comes. UIDs are kept where the mailbox here
counts as that one did (has its UIDVALIDITY); the moment this can no longer be so, the mailbox gets a new UIDVALIDITY,
and no client takes one message for another.

Neighbours: `source` for where mail comes from, `shelf` for where it goes, `content` for what is done to it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..mail.columns import InternalDate
from ..mail.errors import UIDTaken
from ..mail.restoring import RestoredMailbox, RestoredMessage
from ..mail.special_use import USE_OF_NAME
from .content import rest
from .guids import GuidSet
from .names import placed_or_none
from .shelf import Restoring, Shelf, ShelvedMailbox
from .source import CannotRead, Known, Original, Source, SourceMailbox, Unreadable

BATCH_MESSAGES = 250
BATCH_OCTETS = 512 * 1024
IN_FLIGHT = 2
TOLD_AT_MOST = 1000
"""Messages that are told one by one, of those left out and of those remarked on; further ones are counted."""

Advance = Callable[[int, int], None]
"""Told as it goes on: by how much of the mailbox's amount, and how many messages were brought."""


@dataclass(slots=True)
class Told:
    """What is to be told of single messages; `count` counts all of them."""

    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, reason: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < TOLD_AT_MOST:
            self.first.append((name, reason))


@dataclass(slots=True)
class MailboxReport:
    """What became of one mailbox."""

    name: str
    imported: int = 0
    known: int = 0
    keeps_uids: bool = False
    lost_uids: bool = False
    """Whether its UIDs were to be kept, but could not be to the end."""


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    mailboxes: list[MailboxReport] = field(default_factory=list)
    octets: int = 0
    left_out: Told = field(default_factory=Told)
    remarks: Told = field(default_factory=Told)

    @property
    def imported(self) -> int:
        """Messages brought."""
        return sum(mailbox.imported for mailbox in self.mailboxes)

    @property
    def known(self) -> int:
        """Messages that were there already."""
        return sum(mailbox.known for mailbox in self.mailboxes)


class Import:
    """
    Brings the mail of sources into one account.

    Args:
        shelf: the store.
        account: whose it becomes.
        into: the mailbox below which it is put; "" for none.
        begin_mailbox: told the name and the amount of each mailbox before it is read.
        advance: told as it goes on.
    """

    def __init__(
        self,
        shelf: Shelf,
        account: str,
        into: str,
        begin_mailbox: Callable[[str, int], None],
        advance: Advance,
    ) -> None:
        self.report = ImportReport()
        self._shelf = shelf
        self._account = account
        self._into = into
        self._begin_mailbox = begin_mailbox
        self._advance = advance
        self._uses = {box.special_use for box in shelf.mailboxes(account)}

    def run(self, source: Source) -> None:
        """
        Bring all of a source. Raises: MailError: the store does not take it; CannotRead: it is no such source.

        A mailbox that can't be read to its end is told, and does not keep the others back.
        """
        for mailbox in source.mailboxes():
            if isinstance(mailbox, Unreadable):
                self.report.left_out.add(mailbox.name, mailbox.reason)
            else:
                self._bring(mailbox)

    def _bring(self, mailbox: SourceMailbox) -> None:
        name = placed_or_none(mailbox.levels, self._into)
        shown = name or "/".join(mailbox.levels)
        self._begin_mailbox(shown, mailbox.amount)
        if name is None:
            self.report.left_out.add(shown, "no mailbox can have such a name")
            return
        wanted = RestoredMailbox(
            name,
            self._use_of(name, mailbox),
            mailbox.uid_validity,
            highest_modseq=_modseq_of(mailbox),
        )
        kept = self._shelf.prepare(self._account, wanted, mailbox.subscribed)
        self._uses.add(kept.special_use)
        bringing = _Bringing(self._shelf, self._account, kept, self.report, wanted.uid_validity, self._advance)
        try:
            bringing.run(mailbox)
        except CannotRead as error:
            self.report.left_out.add(shown, str(error))
        bringing.finish()
        if bringing.keeps_uids:
            self._shelf.prepare(self._account, replace(wanted, uid_next=mailbox.uid_next), False)

    def _use_of(self, name: str, mailbox: SourceMailbox) -> str | None:
        """What the mailbox is for: as its source says, or as its name does; unless the account has such a one."""
        use = mailbox.special_use or USE_OF_NAME.get(name)
        return None if use in self._uses else use


def _modseq_of(mailbox: SourceMailbox) -> int:
    if mailbox.uid_validity is None:
        return 0
    if mailbox.highest_modseq is not None:
        return mailbox.highest_modseq
    # Not known, but not to be gone below (RFC 7162 §3.1.2.1): no server's counter of changes runs ahead of the seconds.
    return int(time.time())


class _Bringing:
    """One mailbox on its way."""

    def __init__(
        self,
        shelf: Shelf,
        account: str,
        kept: ShelvedMailbox,
        report: ImportReport,
        uid_validity: int | None,
        advance: Advance,
    ) -> None:
        self.keeps_uids = kept.uid_validity == uid_validity
        self._shelf, self._account, self._kept = shelf, account, kept
        self._all = report
        self._mine = MailboxReport(kept.name, keeps_uids=self.keeps_uids)
        self._advance = advance
        self._batch: list[RestoredMessage] = []
        self._octets = 0
        self._amount = 0
        self._flying: deque[tuple[Sequence[RestoredMessage], int, Restoring]] = deque()
        report.mailboxes.append(self._mine)

    def run(self, mailbox: SourceMailbox) -> None:
        """Bring its messages. Raises: CannotRead; MailError."""
        known = GuidSet(self._shelf.guids(self._account, self._kept) if self._kept.messages else ())
        for found in mailbox.messages(known):
            self._amount += found.amount
            match found:
                case Original():
                    self._take(found)
                case Unreadable():
                    self._all.left_out.add(found.name, found.reason)
                case Known():
                    self._mine.known += found.count
            if len(self._batch) >= BATCH_MESSAGES or self._octets >= BATCH_OCTETS:
                self._send()
            elif not self._batch and self._amount >= BATCH_MESSAGES:
                self._told(self._amount, 0)
                self._amount = 0

    def finish(self) -> None:
        """Wait until all is there that was taken. Raises: MailError."""
        if self._batch:
            self._send()
        while self._flying:
            self._land()
        self._told(self._amount, 0)
        self._amount = 0
        self._mine.keeps_uids = self.keeps_uids

    def _told(self, amount: int, messages: int) -> None:
        if amount or messages:
            self._advance(amount, messages)

    def _take(self, original: Original) -> None:
        try:
            rested = rest(original, self._shelf.stage)
        except (CannotRead, OSError) as error:
            self._all.left_out.add(original.name, _reason(error))
            return
        for remark in rested.remarks:
            self._all.remarks.add(original.name, remark)
        self._batch.append(
            RestoredMessage(
                rested.body,
                original.flags,
                _usable(original.internal_date),
                original.guid.hex(),
                original.uid if self.keeps_uids else None,
            )
        )
        told = len(rested.body.envelope or b"") + len(original.flags.keyword_text)
        self._octets += len(rested.body.content or b"") + told
        self._all.octets += rested.body.size

    def _send(self) -> None:
        batch, amount = self._batch, self._amount
        self._batch, self._octets, self._amount = [], 0, 0
        while len(self._flying) >= IN_FLIGHT:
            self._land()
        if not self.keeps_uids:
            batch = [replace(message, uid=None) if message.uid else message for message in batch]
        self._flying.append((batch, amount, self._shelf.restore(self._account, self._kept, batch)))

    def _land(self) -> None:
        batch, amount, restoring = self._flying.popleft()
        try:
            restoring.wait()
        except UIDTaken:
            self._give_up_uids()
            without = [replace(message, uid=None) for message in batch]
            self._shelf.restore(self._account, self._kept, without).wait()
        self._mine.imported += len(batch)
        self._told(amount, len(batch))

    def _give_up_uids(self) -> None:
        """Mail came in by another way, or the source has no order: its UIDs mean something else here."""
        if self.keeps_uids:
            self.keeps_uids = False
            self._mine.lost_uids = True
            self._shelf.renew(self._account, self._kept.name)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _usable(date: InternalDate) -> InternalDate:
    """A date that has a form on the wire: its year has four digits (RFC 3501 §9 date-year)."""
    return InternalDate(min(max(date.unix_seconds, 0), 253_402_214_400), date.zone_minutes)
