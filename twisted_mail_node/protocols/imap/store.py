"""STORE and UID STORE. Sources: RFC 3501 §6.4.6; RFC 7162 §3.1.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.changes import StoreOutcome
from ...mail.columns import Columns, FetchItem
from ...mail.flags import FlagChange
from ...mail.uid_set import EMPTY, UIDSet
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Store
from ...wire.imap.numbering import slices
from ...wire.imap.responses import no, ok
from ...wire.imap.view import View
from .reading import ROWS_OF_CHANGES, ROWS_OF_FLAGS, written

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Store) -> bytes:
    """
    Answer STORE or UID STORE.

    Without SILENT the flags of all messages asked for are told, also of those that the command did not change.
    """
    view = session.mailbox.view
    if view.read_only:
        return await session.finish(no("the mailbox is selected read-only", codes.READ_ONLY))
    uids = command.sequence.resolve_uids(view) if command.by_uid else command.sequence.resolve_numbers(view)
    await session.enable_condstore(command.unchanged_since is not None)
    if not uids:
        return await session.finish(ok("no such messages"), may_expunge=command.by_uid)
    if command.silent and view.changed_ahead:
        # What this session did itself is no reason to break the silence.
        await session.tell(await session.mailbox.news(may_expunge=False, ask=True))
    modified, gone = EMPTY, False
    told = view.modseq
    for asked in slices(uids, ROWS_OF_CHANGES):
        outcome = await _stored(session, command, asked, told)
        modified |= _named(view, outcome.modified, command.by_uid)
        gone = gone or bool(outcome.gone)
        await session.breathe()
    code = codes.modified(await written(session, modified.runs)) if modified else b""
    if gone and not command.by_uid:
        return await session.finish(
            no("some of the messages are gone", code or codes.EXPUNGE_ISSUED), may_expunge=False
        )
    text = "some were changed by others" if modified else "stored"
    return await session.finish(ok(text, code), may_expunge=command.by_uid)


async def _stored(session: IMAPSession, command: Store, asked: UIDSet, told: int) -> StoreOutcome:
    """
    Store the flags of some of the messages, and tell what is to be told of it. Returns what was done.

    Silence is about what the client did itself. What others did after the modseq `told`, which it does not know of, is
    told all the same (RFC 3501 §6.4.6): so such messages are first left alone, then changed aloud.
    """
    since = command.unchanged_since
    if not command.silent:
        outcome = await _stored_aloud(session, command, asked)
    elif since is not None and since <= told:
        outcome = await _stored_silently(session, command, asked, since)
    else:
        outcome = await _stored_silently(session, command, asked, told)
        if outcome.modified:
            later = await _stored_aloud(session, command, outcome.modified)
            outcome = StoreOutcome(outcome.changed, later.modified, outcome.gone | later.gone)
    # Told why the condition failed, the client need not ask. A modseq is kept for all flags of a message together, and
    # none of what the client has: what changed in other flags fails it too (RFC 7162 §3.1.12 has it otherwise).
    await _tell_as_they_are(session, outcome.modified, command.by_uid)
    return outcome


async def _stored_aloud(session: IMAPSession, command: Store, asked: UIDSet) -> StoreOutcome:
    """Store, and tell the flags of all messages that pass the condition, changed or not."""
    selected = session.mailbox
    outcome: StoreOutcome = await selected.mailbox.store_flags(
        asked, command.change, command.flags, command.unchanged_since
    )
    selected.view.flags_changed_here(outcome.changed)
    await _tell(session, outcome.changed, command.by_uid)
    await _tell_as_they_are(session, _unchanged(asked, outcome), command.by_uid)
    return outcome


async def _stored_silently(session: IMAPSession, command: Store, asked: UIDSet, since: int) -> StoreOutcome:
    """Store, of messages not changed since; tell no flags, and modseqs to who knows CONDSTORE."""
    selected = session.mailbox
    outcome: StoreOutcome = await selected.mailbox.store_flags(asked, command.change, command.flags, since)
    selected.view.flags_changed_here(outcome.changed)
    await _tell_silently(session, command, outcome.changed)
    if command.unchanged_since is not None:  # RFC 7162 §3.1.3: every message that passes is told of
        await _tell_as_they_are(session, _unchanged(asked, outcome), command.by_uid)
    return outcome


def _unchanged(asked: UIDSet, outcome: StoreOutcome) -> UIDSet:
    return asked - UIDSet.of_ascending(outcome.changed.uids) - outcome.gone - outcome.modified


def _named(view: View, uids: UIDSet, by_uid: bool) -> UIDSet:
    """Messages as the command names them."""
    return uids if by_uid else UIDSet.of_ascending(view.numbers_of(list(uids)))


async def _tell_as_they_are(session: IMAPSession, uids: UIDSet, by_uid: bool) -> None:
    selected = session.mailbox
    for some in slices(uids, ROWS_OF_FLAGS):
        items = FetchItem.FLAGS | FetchItem.MODSEQ if selected.view.gives_modseqs else FetchItem.FLAGS
        await _tell(session, await selected.mailbox.fetch(some, items), by_uid)


async def _tell_silently(session: IMAPSession, command: Store, changed: Columns) -> None:
    """New keywords, and the modseqs that who knows CONDSTORE is told also in silence (RFC 7162 §3.1.3, §3.1.4.2)."""
    view = session.mailbox.view
    if changed.uids and command.change is not FlagChange.REMOVE:
        await session.write(view.told_keywords([command.flags]))
    if view.gives_modseqs:
        for start in range(0, len(changed.uids), ROWS_OF_FLAGS):
            end = start + ROWS_OF_FLAGS
            rows = Columns(changed.uids[start:end], modseqs=(changed.modseqs or ())[start:end])
            await session.write(view.modseq_rows(rows))
            await session.breathe()


async def _tell(session: IMAPSession, columns: Columns, by_uid: bool) -> None:
    view = session.mailbox.view
    for start in range(0, len(columns.uids), ROWS_OF_FLAGS):
        end = start + ROWS_OF_FLAGS
        modseqs = None if columns.modseqs is None else columns.modseqs[start:end]
        rows = Columns(columns.uids[start:end], flags=(columns.flags or ())[start:end], modseqs=modseqs)
        await session.write(view.flag_rows(rows, by_uid))
        await session.breathe()
