"""
DATA and BDAT, and the content behind them, up to the answer that takes the message over.

What becomes of a message is for the intake. Sources: RFC 5321 §4.1.1.4; RFC 3030 §2; RFC 2033 §4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred

from ...interfaces.auth import ILogin
from ...interfaces.intake import IMessageSink
from ...mail.errors import MailError
from ...mail.status import Reply
from ...wire.smtp import replies
from ...wire.smtp.commands import Chunk, ChunkEnd, Content, ContentEnd, Data
from ..driver import Answer
from .authors import refusal_of
from .transaction import MailTransaction
from .transaction_log import Outcome, log_answers

if TYPE_CHECKING:
    from .session import SMTPSession

# A chunk of so many octets brings the message nearer, and the largest message is an end. Smaller ones count as any
# command does. Of our own choice: no program is known to send less but for its last one.
_SMALL_CHUNK_OCTETS = 1024


def answer_data(session: SMTPSession, event: Data) -> Answer:
    """Answer DATA: open the sink."""
    _open(session)
    return session.engine.send(replies.START_INPUT)


def _open(session: SMTPSession) -> None:
    transaction = session.under_way()
    transaction.begin_content(session.intake.begin(transaction.envelope(session.client)), session.clock.seconds())
    session.expect_content()


def begin_chunk(session: SMTPSession, event: Chunk) -> Answer:
    """Open the sink with the first chunk; what would be too much is read, and not kept."""
    transaction = session.under_way()
    if not transaction.queue_id:
        _open(session)
    else:
        session.expect_content()
    transaction.chunk_octets = event.size
    transaction.chunked_octets += event.size
    if transaction.chunked_octets > session.settings.max_message_size:
        transaction.refusal = replies.MESSAGE_TOO_BIG
        transaction.abort()
    return None


def answer_chunk(session: SMTPSession, event: ChunkEnd) -> Answer:
    """Answer the end of a chunk. Source: RFC 3030 §2."""
    transaction = session.under_way()
    if transaction.chunk_octets < _SMALL_CHUNK_OCTETS and not session.patience.command(ChunkEnd):
        return session.dismiss(replies.TOO_MANY_COMMANDS)
    refusal = transaction.refusal
    if refusal is None:
        session.expect_chunk()
        return session.engine.send(replies.CHUNK_TAKEN)
    session.end_transaction(Outcome.REFUSED, refusal)
    session.expect_commands()
    return session.mistaken(refusal)


def take_content(session: SMTPSession, event: Content) -> Answer:
    """Hand a piece on; a sink that is busy is waited for."""
    transaction = session.under_way()
    sink = transaction.sink
    transaction.size += len(event.data)
    if _is_too_slow(session, transaction):
        session.ending = (Outcome.TIMED_OUT, replies.TOO_SLOW)
        session.driver.close(replies.render(replies.TOO_SLOW))
        return None
    written = None if sink is None else sink.write(event.data)
    return None if written is None or written.called else _await_room(session, transaction, written)


def _is_too_slow(session: SMTPSession, transaction: MailTransaction) -> bool:
    """A piece now and then must not keep a session for ever, however often there is one."""
    settings = session.settings
    taken = session.clock.seconds() - transaction.content_began - settings.content_timeout_seconds
    return taken > 0 and taken * settings.min_content_rate > transaction.size


async def _await_room(session: SMTPSession, transaction: MailTransaction, written: Deferred[None]) -> None:
    began = session.clock.seconds()
    await written
    # It was not the client who took this time.
    transaction.content_began += session.clock.seconds() - began


def answer_end(session: SMTPSession, event: ContentEnd) -> Answer | Deferred[bytes | None]:
    """Answer the end of the message, once the intake has it or does not want it."""
    transaction = session.under_way()
    sink = transaction.sink
    transaction.is_complete = True
    session.expect_commands()
    unfit = transaction.refusal or _unfit(session, event)
    if unfit is not None:
        transaction.abort()
        return _answered(session, session.for_each_recipient(unfit))
    assert sink is not None, "a sink is given up together with a refusal only"
    if session.login is not None and session.settings.own_from:
        return _end_of_own(session, session.login, transaction, sink)
    # From here on it is the intake's: whoever leaves now can't take it back.
    transaction.sink = None
    finished = sink.finish()
    # Never fails. A coroutine would cost each message some microseconds.
    return finished.addCallback(lambda answers: _answered(session, answers))


async def _end_of_own(
    session: SMTPSession, login: ILogin, transaction: MailTransaction, sink: IMessageSink
) -> bytes | None:
    """The same where From has to be the client's own. Who leaves while that is found out has sent nothing."""
    try:
        refusal = await refusal_of(login, sink.authors())
    except CancelledError:
        raise
    except MailError as error:
        refusal = replies.for_error(error)
    if refusal is not None:
        transaction.abort()
        return _answered(session, session.for_each_recipient(refusal))
    transaction.sink = None
    return _answered(session, await sink.finish())


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
    session.forget_forwarded()
    return session.send_at_end(answers)
