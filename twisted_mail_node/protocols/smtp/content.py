"""
DATA and the content behind it, up to the answer that takes the message over.

What becomes of a message is for the intake. Sources: RFC 5321 §4.1.1.4; RFC 2033 §4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from ...mail.status import Reply
from ...wire.smtp import replies
from ...wire.smtp.commands import Content, ContentEnd, Data
from ..driver import Answer
from .transaction import MailTransaction
from .transaction_log import Outcome, log_answers

if TYPE_CHECKING:
    from .session import SMTPSession


def answer_data(session: SMTPSession, event: Data) -> Answer:
    """Answer DATA: open the sink."""
    transaction = session.under_way()
    transaction.begin_content(session.intake.begin(transaction.envelope(session.client)), session.clock.seconds())
    session.expect_content()
    return session.engine.send(replies.START_INPUT)


def take_content(session: SMTPSession, event: Content) -> Answer:
    """Hand a piece on; a sink that is busy is waited for."""
    transaction = session.under_way()
    sink = transaction.sink
    assert sink is not None
    transaction.size += len(event.data)
    if _is_too_slow(session, transaction):
        session.ending = (Outcome.TIMED_OUT, replies.TOO_SLOW)
        session.driver.close(replies.render(replies.TOO_SLOW))
        return None
    written = sink.write(event.data)
    return None if written is None or written.called else _await_room(session, transaction, written)


def _is_too_slow(session: SMTPSession, transaction: MailTransaction) -> bool:
    """A piece now and then must not keep a session for ever, however often there is one."""
    settings, rate = session.settings, session.settings.min_content_rate
    taken = session.clock.seconds() - transaction.content_began - settings.content_timeout_seconds
    return rate > 0 and taken > 0 and taken * rate > transaction.size


async def _await_room(session: SMTPSession, transaction: MailTransaction, written: Deferred[None]) -> None:
    began = session.clock.seconds()
    await written
    # It was not the client who took this time.
    transaction.content_began += session.clock.seconds() - began


def answer_end(session: SMTPSession, event: ContentEnd) -> Answer | Deferred[bytes | None]:
    """Answer the end of the message, once the intake has it or does not want it."""
    transaction = session.under_way()
    sink = transaction.sink
    assert sink is not None
    transaction.is_complete = True
    session.expect_commands()
    unfit = _unfit(session, event)
    if unfit is not None:
        transaction.abort()
        return _answered(session, session.for_each_recipient(unfit))
    # From here on it is the intake's: whoever leaves now can't take it back.
    transaction.sink = None
    finished = sink.finish()
    # Never fails. A coroutine would cost each message some microseconds.
    return finished.addCallback(lambda answers: _answered(session, answers))


def _unfit(session: SMTPSession, event: ContentEnd) -> Reply | None:
    if event.bare_newlines and session.settings.bare_newlines == "refuse":
        return replies.BARE_NEWLINE
    return replies.NUL_IN_MESSAGE if event.nul else None


def _answered(session: SMTPSession, answers: Sequence[Reply]) -> bytes:
    transaction = session.under_way()
    session.transaction = None
    if answers[0].is_positive:
        session.patience.accepted()
    log_answers(session, transaction, answers)
    return session.send_at_end(answers)
