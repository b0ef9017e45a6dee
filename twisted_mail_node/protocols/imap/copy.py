"""COPY, UID COPY, MOVE, UID MOVE. Sources: RFC 3501 §6.4.7; RFC 4315 §3; RFC 6851 §3, §4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.changes import CopyOutcome
from ...mail.errors import NoSuchMailbox
from ...mail.uid_set import UIDSet, runs_of
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Copy, Move
from ...wire.imap.responses import no, ok
from . import reading
from .failures import completion_of
from .selected import Selected

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Copy) -> bytes:
    """Answer COPY or UID COPY."""
    selected = session.mailbox
    uids = _asked(selected, command)
    if not uids:
        return await session.finish(ok("nothing to copy"))
    try:
        outcome = await session.places.copy(selected.mailbox, uids, session.name(command.mailbox), move=False)
    except NoSuchMailbox as error:
        return await session.finish(completion_of(error, missing=codes.TRY_CREATE))
    selected.dirty = True  # the target may be the selected mailbox
    return await session.finish(ok("copied", await _code(session, outcome)))


async def answer_move(session: IMAPSession, command: Move) -> bytes:
    """Answer MOVE or UID MOVE: the COPYUID goes before the EXPUNGEs (RFC 6851 §4.3)."""
    selected = session.mailbox
    if selected.view.read_only:
        return await session.finish(no("the mailbox is selected read-only", codes.READ_ONLY))
    uids = _asked(selected, command)
    if not uids:
        return await session.finish(ok("nothing to move"))
    try:
        outcome = await session.places.copy(selected.mailbox, uids, session.name(command.mailbox), move=True)
    except NoSuchMailbox as error:
        return await session.finish(completion_of(error, missing=codes.TRY_CREATE))
    selected.dirty = True
    code = await _code(session, outcome)
    return await session.finish(ok("moved"), session.engine.speech.untagged(ok("moved", code)) if code else b"")


def _asked(selected: Selected, command: Copy | Move) -> UIDSet:
    if command.by_uid:
        return command.sequence.resolve_uids(selected.view)
    return command.sequence.resolve_numbers(selected.view)


async def _code(session: IMAPSession, outcome: CopyOutcome) -> bytes:
    if not outcome.target_uids:
        return b""
    # In the order given, which is their meaning in COPYUID.
    source = await reading.written(session, runs_of(outcome.source_uids))
    target = await reading.written(session, runs_of(outcome.target_uids))
    return codes.copy_uid(outcome.uid_validity, source, target)
