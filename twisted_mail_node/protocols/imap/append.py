"""APPEND, of one message or several. Sources: RFC 3501 §6.3.11; RFC 3502 §6.3.11; RFC 4315 §3 (APPENDUID)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.changes import CopyOutcome
from ...mail.errors import MailError, NoSuchMailbox
from ...mail.rights import Right
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Append, AppendMessage
from ...wire.imap.responses import Completion, no, ok
from .failures import completion_of
from .shared_mailbox import rights_of

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer_message(session: IMAPSession, command: AppendMessage) -> bytes:
    """Answer the announcement of a message: take it, or refuse it, and those before it, before it is read."""
    refusal = await _refusal(session, command)
    if refusal is not None:
        session.incoming.abort()
        return await session.finish(refusal)
    session.incoming.begin(command)
    return session.engine.accept_message()


async def _refusal(session: IMAPSession, command: AppendMessage) -> Completion | None:
    if command.size > session.settings.max_message_octets:
        return no("the message is too big", codes.TOO_BIG)
    if not command.size:
        return no("there is no message", codes.CANNOT)
    if session.incoming.is_full:
        return no("too much for one command", codes.LIMIT)
    try:
        await session.places.mailbox(session.name(command.mailbox), Right.INSERT)
    except NoSuchMailbox as error:
        return completion_of(error, missing=codes.TRY_CREATE)
    except MailError as error:
        return completion_of(error)
    return None


async def answer(session: IMAPSession, command: Append) -> bytes:
    """Answer APPEND: all of it has come."""
    messages = session.incoming.take()
    try:
        mailbox = await session.places.mailbox(session.name(command.mailbox), Right.INSERT)
        outcome: CopyOutcome = await mailbox.append(messages)
    except NoSuchMailbox as error:
        return await session.finish(completion_of(error, missing=codes.TRY_CREATE))
    if session.selected is not None and session.selected.shows(mailbox):
        session.selected.dirty = True
    # RFC 4315 §3: UIDs are told to who may read them.
    told = codes.append_uid(outcome.uid_validity, outcome.target_uids) if Right.READ in rights_of(mailbox) else b""
    return await session.finish(ok("appended", told))
