"""STORE and UID STORE. Source: RFC 3501 §6.4.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.changes import StoreOutcome
from ...mail.columns import Columns, FetchItem
from ...mail.flags import FlagChange
from ...mail.uid_set import UIDSet
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Store
from ...wire.imap.responses import no, ok
from ...wire.imap.view import slices
from .reading import ROWS_OF_CHANGES, ROWS_OF_FLAGS

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Store) -> bytes:
    """
    Answer STORE or UID STORE.

    Without SILENT the flags of all messages asked for are told, also of those that the command did not change.
    """
    selected = session.mailbox
    view = selected.view
    if view.read_only:
        return await session.finish(no("the mailbox is selected read-only", codes.READ_ONLY))
    uids = command.sequence.resolve_uids(view) if command.by_uid else command.sequence.resolve_numbers(view)
    if not uids:
        return await session.finish(ok("no such messages"), may_expunge=command.by_uid)
    gone = False
    for asked in slices(uids, ROWS_OF_CHANGES):
        outcome: StoreOutcome = await selected.mailbox.store_flags(asked, command.change, command.flags)
        view.flags_changed_here(outcome.changed)
        gone = gone or bool(outcome.gone)
        if not command.silent:
            await _tell(session, outcome.changed, command.by_uid)
            unchanged = asked - UIDSet.of_ascending(outcome.changed.uids) - outcome.gone
            for some in slices(unchanged, ROWS_OF_FLAGS):
                await _tell(session, await selected.mailbox.fetch(some, FetchItem.FLAGS), command.by_uid)
        elif outcome.changed.uids and command.change is not FlagChange.REMOVE:
            await session.write(view.told_keywords([command.flags]))
        await session.breathe()
    if gone and not command.by_uid:
        return await session.finish(no("some of the messages are gone", codes.EXPUNGE_ISSUED), may_expunge=False)
    return await session.finish(ok("stored"), may_expunge=command.by_uid)


async def _tell(session: IMAPSession, columns: Columns, by_uid: bool) -> None:
    view = session.mailbox.view
    for start in range(0, len(columns.uids), ROWS_OF_FLAGS):
        end = start + ROWS_OF_FLAGS
        rows = Columns(columns.uids[start:end], flags=(columns.flags or ())[start:end])
        await session.write(view.flag_rows(rows, by_uid))
        await session.breathe()
