"""
The door of intake: takes a message's content and commits it.

Decides when a message is refused for what it is (too large, in a loop) and what the peer is told at its end. The
reply is positive only when the commit is durable (RFC 5321 §6.1). Neighbours: `protocols` write here; the store
commits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure as TwistedFailure
from zope.interface import implementer

from ..interfaces.intake import IIntake, IMessageSink
from ..interfaces.store import IAcceptance
from ..mail.address import Address
from ..mail.authors import NO_AUTHORS, Authors
from ..mail.envelope import BodyType, Envelope, Recipient, Service
from ..mail.errors import MailError, PermanentFailure, Refused
from ..mail.report import Reported
from ..mail.status import EnhancedStatus, Reply, reply
from ..mail.transaction import Body, Committed, Transaction
from ..wire.mime.authors import authors_of
from ..wire.mime.envelope import envelope_of
from ..wire.smtp import replies
from .binary import BinaryWatch
from .header import NO_PAST, header_facts, header_size
from .identity import TransactionIds
from .spool import Room, Spool
from .submission import is_submission, missing_fields
from .trace import received
from .transaction import LOOP, MakeReport, Plan, plan

TOO_MANY_HOPS = reply(554, "5.4.6", "too many hops, mail is going round in circles")
HEADER_TOO_BIG = reply(554, "5.6.0", "header too big")

# ENVELOPE is made at intake for what is usual; of longer header blocks it is made when first asked for, so that
# nobody keeps us busy with addresses without end.
_ENVELOPE_HEADER_OCTETS = 16 * 1024
_ENVELOPE_FAILED = "the ENVELOPE of {queue_id} could not be made"
_NOT_TOLD = "{queue_id}: {sender} can't be told: {reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSettings:
    """
    `hostname` stands in trace lines. `max_size` is in octets, trace lines not counted. `max_hops` is the number of
    Received fields beyond which a message is taken to be in a loop; RFC 5321 §6.3 wants at least 100. `max_held` is
    how many octets of messages under way are kept in memory, before they are staged with the store earlier than usual.
    """

    hostname: str
    max_size: int = 50 * 1024 * 1024
    max_hops: int = 100
    max_held: int = 64 * 1024 * 1024


@implementer(IIntake)
class Intake:
    """
    Where messages begin.

    Args:
        store: stages and commits. Has to provide IQueueStore as well where recipients may be elsewhere.
        clock: seconds since the epoch.
        ids: for transactions.
        make_report: makes the report about recipients that vanish between RCPT and the commit, and about those whose
            success is to be told and known with the commit.
        settings: see IntakeSettings.
        envelope_of: gives the ENVELOPE of a header block in IMAP wire form, to be kept with the body; it must be
            cheap. None keeps none.
        resolve: where a sender's address leads, for the report: mailboxes here, or itself as a forward. Failing with
            PermanentFailure means that nobody can be told.
        places_at_once: what the store commits is in its mailbox then, and not in a queue for it.
    """

    def __init__(
        self,
        store: IAcceptance,
        clock: IReactorTime,
        ids: TransactionIds,
        make_report: MakeReport,
        settings: IntakeSettings,
        envelope_of: Callable[[bytes], bytes | None] | None = envelope_of,
        *,
        resolve: Callable[[Address], Deferred[Recipient]],
        places_at_once: bool = True,
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.make_report = make_report
        self.settings = settings
        self.envelope_of = envelope_of
        self.resolve = resolve
        self.places_at_once = places_at_once
        self.room = Room(settings.max_held)

    def begin(self, envelope: Envelope) -> IMessageSink:
        """See IIntake."""
        return MessageSink(self, envelope)


@implementer(IMessageSink)
class MessageSink:
    """Takes one message. Made by Intake."""

    __slots__ = (
        "__weakref__",
        "_answered",
        "_binary",
        "_envelope",
        "_header",
        "_intake",
        "_now",
        "_past",
        "_plan",
        "_refusal",
        "_size",
        "_spool",
        "_unheard",
        "id",
    )

    _log = Logger()

    def __init__(self, intake: Intake, envelope: Envelope) -> None:
        self._intake = intake
        self._envelope = envelope
        self._binary = BinaryWatch() if envelope.body_type is BodyType.BINARY_MIME else None
        self.id = intake.ids.next()
        self._now = intake.clock.seconds()
        self._spool = Spool(intake.store, intake.room)
        self._size = 0
        self._refusal: Reply | None = None
        self._past = NO_PAST
        self._header = b""
        self._plan: Plan | None = None
        self._answered: Deferred[Sequence[Reply]] = Deferred(self._client_gone)
        self._unheard = False

    def write(self, data: bytes) -> Deferred[None] | None:
        """See IMessageSink."""
        if self._refusal is not None:
            return None
        self._size += len(data)
        if self._size > self._intake.settings.max_size:
            self._refuse(replies.MESSAGE_TOO_BIG)
            return None
        if self._binary is not None:
            self._binary.look(data)
        spool = self._spool
        spool.add(data)
        if spool.is_full or (spool.is_cramped and header_size(spool.content) is not None):
            in_front = self._in_front(staged=True)
            if in_front is None:
                return None
            return self._watched(spool.stage(in_front, len(self._header)))
        staging = spool.go_on() if spool.is_staged else None
        return None if staging is None else self._watched(staging)

    def authors(self) -> Authors:
        """See IMessageSink."""
        if self._refusal is not None:
            return NO_AUTHORS
        content = self._spool.content
        return authors_of(self._header if self._spool.is_staged else bytes(content[: header_size(content)]))

    def finish(self) -> Deferred[Sequence[Reply]]:
        """See IMessageSink. Cancelling gives up the answer, never the commit."""
        answered = self._answered
        if self._refusal is None and self._spool.is_staged:
            self._spool.finish().addCallbacks(self._commit_staged, self._broken).addErrback(self._broken)
            return answered
        in_front = self._in_front(staged=False) if self._refusal is None else None
        if in_front is None:
            assert self._refusal is not None
            self._answer_all(self._refusal)
        else:
            self._commit(self._spool.inline(in_front, len(self._header), self._kept_envelope()))
        return answered

    def abort(self) -> None:
        """See IMessageSink."""
        self._refusal = self._refusal or replies.LOCAL_ERROR
        self._spool.abort()

    # -- while content comes ------------------------------------------------------------------------------------

    def _in_front(self, *, staged: bool) -> bytes | None:
        """The lines that this node adds; None when the header shows that the message is refused."""
        content, settings = self._spool.content, self._intake.settings
        size = header_size(content)
        if size is None and staged:
            self._refuse(HEADER_TOO_BIG)
            return None
        header = bytes(content[:size])
        facts = header_facts(header, settings.hostname)
        if facts.hops > settings.max_hops:
            self._refuse(TOO_MANY_HOPS)
            return None
        lines = received(self._envelope, settings.hostname, self.id, self._now)
        if is_submission(self._envelope.client):
            lines += missing_fields(facts, settings.hostname, self.id, self._now)
        else:
            # What an author sends anew may have been anywhere before; nobody's program does it in circles.
            self._past = facts.past
        self._header = lines + header
        return lines

    def _refuse(self, refusal: Reply) -> None:
        self._refusal = refusal
        self._spool.abort()

    def _watched(self, staging: Deferred[None]) -> Deferred[None] | None:
        """A failure while staging is told at the end of the message, not to who writes."""
        if staging.called and not staging.paused and not isinstance(staging.result, TwistedFailure):
            return None
        return staging.addErrback(self._staging_failed)

    def _staging_failed(self, failure: TwistedFailure) -> None:
        # Who writes gives up waiting when the peer has gone; `abort` follows.
        gone = failure.check(CancelledError) is not None
        self._refuse(replies.LOCAL_ERROR if gone else self._reply_for(failure))

    def _kept_envelope(self) -> bytes | None:
        make_envelope = self._intake.envelope_of
        if make_envelope is None or len(self._header) > _ENVELOPE_HEADER_OCTETS:
            return None
        try:
            return make_envelope(self._header)
        except Exception:
            self._log.failure(_ENVELOPE_FAILED, queue_id=self.id)
            return None

    # -- the commit ---------------------------------------------------------------------------------------------

    def _commit_staged(self, body: Body) -> None:
        self._commit(replace(body, envelope=self._kept_envelope()))

    def _commit(self, body: Body) -> None:
        intake, envelope = self._intake, self._envelope
        if self._binary is not None:
            envelope = replace(envelope, body_type=self._binary.body_type(body))
        first = plan(envelope, body, self.id, self._now, self._past, places_at_once=intake.places_at_once)
        self._commit_plan(first, self._refused_once)

    def _commit_plan(self, left: Plan, refused: Callable[[TwistedFailure], None]) -> None:
        """Commit what is left to be done, with what the sender is told of it (RFC 5321 §6.1, RFC 3461 §5.2)."""
        self._plan = left
        if left.is_empty:
            self._answer_failures(left)
        elif left.told:
            assert self._envelope.sender is not None
            reporting = Deferred.fromCoroutine(self._commit_with_reports(left, self._envelope.sender, refused))
            reporting.addErrback(self._broken)
        else:
            self._deliver(left.transaction, refused)

    def _deliver(self, transaction: Transaction, refused: Callable[[TwistedFailure], None]) -> None:
        self._intake.store.deliver(transaction).addCallbacks(self._committed, refused).addErrback(self._broken)

    def _refused_once(self, failure: TwistedFailure) -> None:
        error = failure.value
        if not isinstance(error, Refused) or self._plan is None:
            self._broken(failure)
            return
        self._log.info(
            "{queue_id}: {count} recipients could not be served at the commit",
            queue_id=self.id,
            count=len(error.refusals),
        )
        self._commit_plan(self._plan.without(error.refusals), self._broken)

    async def _commit_with_reports(
        self, left: Plan, sender: Address, refused: Callable[[TwistedFailure], None]
    ) -> None:
        """The reports go where the sender's address leads, which may be here."""
        transaction = left.transaction
        try:
            recipient = await self._intake.resolve(sender)
        except PermanentFailure as error:
            self._log.warn(_NOT_TOLD, queue_id=self.id, sender=sender, reason=error)
        else:
            body, options = transaction.bodies[0], self._envelope.options
            content = self._header if body.content is None else body.content
            reported = Reported(sender, self._now, content, len(self._header), options)
            transaction = left.with_reports(self._intake.make_report, reported, recipient)
        self._deliver(transaction, lambda failure: self._refused_with_reports(failure, left, refused))

    def _refused_with_reports(
        self, failure: TwistedFailure, left: Plan, refused: Callable[[TwistedFailure], None]
    ) -> None:
        error = failure.value
        if not isinstance(error, Refused) or min(error.refusals) < len(left.owners):
            refused(failure)
            return
        # Only reports have no place, as where the sender's own mailbox is full: that keeps nothing from the others.
        self._log.warn(_NOT_TOLD, queue_id=self.id, sender=self._envelope.sender, reason=error)
        self._deliver(left.transaction, refused)

    def _committed(self, committed: Committed) -> None:
        accepted = Reply(250, (f"queued as {self.id}",), _ACCEPTED)
        assert self._plan is not None
        if self._unheard:
            self._log.info("{queue_id} was accepted, though its client did not wait for the answer", queue_id=self.id)
        if self._plan.failures and self._envelope.client.service is Service.LMTP:
            self._answer_failures(self._plan, accepted)
        else:
            self._answer_all(accepted)

    def _broken(self, failure: TwistedFailure) -> None:
        self._answer_all(self._reply_for(failure))

    def _reply_for(self, failure: TwistedFailure) -> Reply:
        error = failure.value
        if isinstance(error, Refused):
            # It was refused a second time: recipients come and go faster than we can follow.
            return replies.LOCAL_ERROR
        if isinstance(error, MailError):
            self._log.warn("{queue_id} was not committed: {reason}", queue_id=self.id, reason=error.text)
        else:
            self._log.failure("{queue_id} was not committed", failure, queue_id=self.id)
        return replies.for_error(error)

    def _client_gone(self, _: Deferred[Sequence[Reply]]) -> None:
        self._unheard = True

    # -- the answer ---------------------------------------------------------------------------------------------

    def _answer_failures(self, attempt: Plan, accepted: Reply | None = None) -> None:
        """A reply for each recipient; without `accepted`, nobody got anything."""
        if self._envelope.client.service is not Service.LMTP:
            status, text = next(iter(attempt.failures.values()))
            self._answer_all(_refusal(status, text))
            return
        answers = [
            _refusal(*attempt.failures[position]) if position in attempt.failures else accepted or replies.LOCAL_ERROR
            for position in range(len(self._envelope.recipients))
        ]
        self._answer(answers)

    def _answer_all(self, answer: Reply) -> None:
        is_lmtp = self._envelope.client.service is Service.LMTP
        # RFC 2033 §4.2: one reply for each accepted recipient.
        self._answer([answer] * len(self._envelope.recipients) if is_lmtp else [answer])

    def _answer(self, answers: Sequence[Reply]) -> None:
        if not self._unheard:
            self._answered.callback(answers)


_ACCEPTED = EnhancedStatus(2, 0, 0)


# RFC 5321 §4.2.3: 452 and 552 for a mailbox that is full (RFC 3463 §3.3 X.2.2), 554 for a transaction that fails.
_CODES = {EnhancedStatus(4, 2, 2): 452, EnhancedStatus(5, 2, 2): 552, LOOP[0]: 554}


def _refusal(status: EnhancedStatus, text: str) -> Reply:
    return Reply(_CODES.get(status, 450 if status.class_ == 4 else 550), (text,), status)
