"""
Turns failures into transactions that tell the senders: one report a message and round.

It decides who is told (never the null sender) and where the report goes; `bounce` writes it, `settling` commits
it together with the failures. Sources: RFC 5321 §4.5.5, §6.1 (null reverse-path), RFC 3464 §2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..interfaces.queue import IQueueStore
from ..mail.address import Address
from ..mail.columns import InternalDate
from ..mail.envelope import Recipient
from ..mail.errors import NoSuchItem, PermanentFailure
from ..mail.queue_item import Failed, QueueItem
from ..mail.transaction import Outgoing, Placement, Transaction
from .bounce import HEADER_OCTETS, RECIPIENTS, FailedRecipient, Reporter, report

Failures = Sequence[tuple[QueueItem, Failed]]


class Bouncer:
    """
    Makes reports.

    `resolve` says where the sender's address leads, local mailboxes or elsewhere; PermanentFailure means that
    nobody can be told. `new_id` gives ids that are unique for ever, fit for a message id.
    """

    _log = Logger()

    def __init__(
        self,
        store: IQueueStore,
        resolve: Callable[[Address], Deferred[Recipient]],
        *,
        hostname: str,
        postmaster: Address,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._resolve = resolve
        self._reporter = Reporter(hostname, postmaster)
        self._new_id = new_id

    async def reports(self, failures: Failures, now: float) -> list[Transaction]:
        """
        The reports for failures of one message. Empty where nobody is to be told.

        Raises: TemporaryFailure: the sender or the header cannot be looked up now.
        """
        first = failures[0][0]
        if first.sender is None:
            self._log.warn(
                "{queue_id} has failed and has no sender to tell", queue_id=first.transaction_id, count=len(failures)
            )
            return []
        try:
            recipient = await self._resolve(first.sender)
        except PermanentFailure as error:
            self._log.warn(
                "{queue_id} has failed; {sender} cannot be told: {reason}",
                queue_id=first.transaction_id,
                sender=str(first.sender),
                reason=error.text,
            )
            return []
        header = await self._header(first)
        parts = [failures[start : start + RECIPIENTS] for start in range(0, len(failures), RECIPIENTS)]
        return [self._transaction(first.sender, recipient, part, header, now) for part in parts]

    async def _header(self, item: QueueItem) -> bytes:
        """The beginning of the message's header; nothing where its body was dropped meanwhile."""
        try:
            body = await self._store.open_queued(item.body_id)
        except NoSuchItem:
            return b""
        try:
            # One octet more than is used tells whether it has to be cut.
            return await body.read(0, min(item.header_size, HEADER_OCTETS + 1))
        finally:
            body.close()

    def _transaction(
        self, sender: Address, recipient: Recipient, failures: Failures, header: bytes, now: float
    ) -> Transaction:
        report_id = self._new_id()
        self._log.info(
            "{report_id} tells {sender} of {count} failures of {queue_id}",
            report_id=report_id,
            sender=str(sender),
            count=len(failures),
            queue_id=failures[0][0].transaction_id,
        )
        failed = [
            FailedRecipient(item.recipient, outcome.status, outcome.reply, outcome.host, item.original_recipient)
            for item, outcome in failures
        ]
        arrived = failures[0][0].created
        body = report(self._reporter, report_id, sender, failed, header, arrived=arrived, now=now)
        date = InternalDate(int(now))
        return Transaction(
            report_id,
            now,
            (body,),
            tuple(
                Placement(target.account, target.mailbox, 0, date, prefix=_prefix(sender), recipient=sender)
                for target in recipient.targets
            ),
            tuple(Outgoing(0, None, forward, sender) for forward in recipient.forwards),
        )


def _prefix(recipient: Address) -> bytes:
    """What is put in front at final delivery (RFC 5321 §4.4); nothing beyond ASCII is written."""
    delivered = f"Delivered-To: {recipient}\r\n"
    return b"Return-Path: <>\r\n" + (delivered.encode("ascii") if delivered.isascii() else b"")
