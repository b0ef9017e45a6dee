"""
Mail out of a store: account after account, mailbox after mailbox, into files that other programs read.

Neighbours: `shelf` for where it comes from, `target` for where it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..mail.mailbox_name import canonical
from .shelf import Shelf, ShelvedMailbox
from .source import CannotRead
from .target import CannotWrite, Target

TOLD_EVERY = 250


@dataclass(slots=True)
class ExportReport:
    """What an export did."""

    mailboxes: int = 0
    exported: int = 0
    there_already: int = 0
    octets: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


class NoSuchMailboxes(Exception):
    """The account has none of these; the text says which."""


def chosen(shelf: Shelf, account: str, names: Sequence[str]) -> list[ShelvedMailbox]:
    """The mailboxes of these names; of none: all. Raises: NoSuchMailboxes; MailError."""
    mailboxes = shelf.mailboxes(account)
    if not names:
        return list(mailboxes)
    wanted = {canonical(name) for name in names}
    if missing := wanted - {mailbox.name for mailbox in mailboxes}:
        raise NoSuchMailboxes(f"{account} has no mailbox {', '.join(sorted(missing))}")
    return [mailbox for mailbox in mailboxes if mailbox.name in wanted]


class Export:
    """
    Writes mail of accounts.

    Args:
        shelf: the store.
        begin_mailbox: told the name and the number of messages of each mailbox before it is read.
        advance: told as it goes on: by how many messages, twice.
    """

    def __init__(
        self, shelf: Shelf, begin_mailbox: Callable[[str, int], None], advance: Callable[[int, int], None]
    ) -> None:
        self.report = ExportReport()
        self._shelf = shelf
        self._begin_mailbox = begin_mailbox
        self._advance = advance

    def run(self, account: str, mailboxes: Sequence[ShelvedMailbox], target: Target) -> None:
        """Write these mailboxes of an account. Raises: MailError; OSError: the target can't be written to."""
        for mailbox in mailboxes:
            self._begin_mailbox(mailbox.name, mailbox.messages)
            try:
                self._write(account, mailbox, target)
            except CannotWrite as error:
                self.report.left_out.append((f"{account} {mailbox.name}", str(error)))
        target.finish()

    def _write(self, account: str, mailbox: ShelvedMailbox, target: Target) -> None:
        writer, report, shelf = target.open(mailbox), self.report, self._shelf
        done = 0
        for message in shelf.messages(account, mailbox):
            try:
                if message.is_damaged:
                    raise CannotRead("it is damaged in the store")
                is_new = writer.add(message, lambda message=message: shelf.pieces(account, mailbox, message))  # type: ignore[misc]
            except CannotRead as error:
                report.left_out.append((f"{account} {mailbox.name}, UID {message.uid}", str(error)))
            else:
                report.exported += is_new
                report.there_already += not is_new
                report.octets += message.size if is_new else 0
            done += 1
            if done == TOLD_EVERY:
                self._advance(done, done)
                done = 0
        writer.finish()
        report.mailboxes += 1
        report.left_out += [(f"{account} {mailbox.name}", remark) for remark in writer.remarks]
        self._advance(done, done)
