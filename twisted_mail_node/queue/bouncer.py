"""
Turns outcomes into transactions that tell the senders: one report a message and round.

It decides who is told of what (never the null sender) and where the report goes; `reports` writes it, `settling`
commits it together with the outcomes. Sources: RFC 5321 §4.5.5, §6.1 (null reverse-path), RFC 3464 §2, RFC 3461 §5.2
(which outcome is told), §6.1 (the report's own envelope).
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
from ..mail.options import Return
from ..mail.queue_item import Delivered, Failed, Outcome, QueueItem
from ..mail.report import SUCCESS, TOLD_TOGETHER, Action, Reported, Told
from ..mail.transaction import Placement, Transaction, outgoing_report
from .reports import WHOLE_OCTETS, Reporter, report
from .reports.returned import HEADER_OCTETS

Outcomes = Sequence[tuple[QueueItem, Outcome]]


def action_for(item: QueueItem, outcome: Outcome) -> Action | None:
    """
    What the sender wants to be told of this outcome; None for nothing.

    Source: RFC 3461 §5.2.2, §5.2.3, §5.2.6. What a host took that reports for itself is not ours to tell (§5.2.1).
    """
    options = item.recipient_options
    if isinstance(outcome, Failed):
        # Where there is nobody to tell, the log has it at least (RFC 3461 §5.2).
        return Action.FAILED if options.wants_failure or item.sender is None else None
    if not isinstance(outcome, Delivered) or not options.wants_success or outcome.reports or item.sender is None:
        return None
    return Action.RELAYED if item.placement is None else Action.DELIVERED


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

    async def reports(self, outcomes: Outcomes, now: float) -> list[Transaction]:
        """
        The reports for outcomes of one message, each of which has an action. Empty where nobody is to be told.

        Raises: TemporaryFailure: the sender or the message cannot be looked up now.
        """
        first = outcomes[0][0]
        if first.sender is None:
            self._log.warn(
                "{queue_id} has failed and has no sender to tell", queue_id=first.transaction_id, count=len(outcomes)
            )
            return []
        try:
            recipient = await self._resolve(first.sender)
        except PermanentFailure as error:
            self._log.warn(
                "{queue_id}: {sender} cannot be told: {reason}",
                queue_id=first.transaction_id,
                sender=str(first.sender),
                reason=error.text,
            )
            return []
        told = [_told(item, outcome) for item, outcome in outcomes]
        content = await self._content(first, has_failed=any(one.action is Action.FAILED for one in told))
        reported = Reported(first.sender, first.created, content, min(first.header_size, len(content)), first.options)
        parts = [told[start : start + TOLD_TOGETHER] for start in range(0, len(told), TOLD_TOGETHER)]
        return [self._transaction(first, reported, recipient, part, now) for part in parts]

    async def _content(self, item: QueueItem, *, has_failed: bool) -> bytes:
        """
        The beginning of the message's header, or all of the message where it is to be given back; nothing where its
        body was dropped meanwhile.
        """
        # One octet more than is used tells whether it has to be cut.
        size = min(item.header_size, HEADER_OCTETS + 1)
        if has_failed and item.options.ret is Return.FULL and item.body_size <= WHOLE_OCTETS:
            size = item.body_size
        try:
            body = await self._store.open_queued(item.body_id)
        except NoSuchItem:
            return b""
        try:
            return await body.read(0, size)
        finally:
            body.close()

    def _transaction(
        self, item: QueueItem, reported: Reported, recipient: Recipient, told: Sequence[Told], now: float
    ) -> Transaction:
        report_id = self._new_id()
        self._log.info(
            "{report_id} tells {sender} of {count} recipients of {queue_id}",
            report_id=report_id,
            sender=str(reported.sender),
            count=len(told),
            queue_id=item.transaction_id,
        )
        body = report(self._reporter, report_id, reported, told, now)
        date = InternalDate(int(now))
        return Transaction(
            report_id,
            now,
            (body,),
            tuple(
                Placement(
                    target.account, target.mailbox, 0, date, prefix=_prefix(reported.sender), recipient=reported.sender
                )
                for target in recipient.targets
            ),
            tuple(outgoing_report(0, body, forward, reported.sender) for forward in recipient.forwards),
        )


def _told(item: QueueItem, outcome: Outcome) -> Told:
    action = action_for(item, outcome)
    assert action is not None
    status = SUCCESS if isinstance(outcome, Delivered) else outcome.status
    if action is Action.DELIVERED:
        # The sender is told of the address that was written, not of where it leads (RFC 3461 §5.2.3).
        written = item.original_recipient or item.recipient
        return Told(written, action, status, options=item.recipient_options)
    return Told(
        item.recipient, action, status, outcome.reply, outcome.host, item.original_recipient, item.recipient_options
    )


def _prefix(recipient: Address) -> bytes:
    """What is put in front at final delivery (RFC 5321 §4.4); nothing beyond ASCII is written."""
    delivered = f"Delivered-To: {recipient}\r\n"
    return b"Return-Path: <>\r\n" + (delivered.encode("ascii") if delivered.isascii() else b"")
