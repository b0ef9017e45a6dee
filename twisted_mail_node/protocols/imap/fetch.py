"""
FETCH and UID FETCH. Sources: RFC 3501 §6.4.5; RFC 7162 §3.1.4, §3.2.4, §3.2.6.

Rows are made in slices: what is read at once is bounded, and the next slice waits until the client has taken the
last. Rendering is in `wire.imap.fetch`, reading in `reading`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone
from twisted.logger import Logger

from ...interfaces.store import IMailbox, IOpenBody
from ...mail.changes import MailboxChanges, StoreOutcome
from ...mail.columns import Columns, FetchItem
from ...mail.errors import Damaged
from ...mail.flags import FlagChange, Flags
from ...mail.rights import Right
from ...mail.uid_set import UIDSet
from ...wire.imap import response_codes as codes
from ...wire.imap.commands import Fetch
from ...wire.imap.enabled import Extension
from ...wire.imap.fetch import FetchPlan, HeaderRange, MessageRange, Piece
from ...wire.imap.numbering import slices
from ...wire.imap.refusal import BadSyntax
from ...wire.imap.responses import no, ok
from ...wire.imap.resync import vanished_earlier
from ...wire.imap.strings import writable
from ...wire.mime.headers import HEADER_LIMIT_OCTETS
from . import downgraded, reading
from .failures import completion_of
from .results import window_of
from .shared_mailbox import rights_of

if TYPE_CHECKING:
    from .session import IMAPSession

_log = Logger()
_SEEN = Flags.from_names(["\\Seen"])


async def answer(session: IMAPSession, command: Fetch) -> bytes:
    """Answer FETCH or UID FETCH."""
    selected = session.mailbox
    view = selected.view
    if command.vanished and Extension.QRESYNC not in session.engine.enabled:
        raise BadSyntax("QRESYNC has to be enabled first")
    uids = command.sequence.resolve_uids(view) if command.by_uid else command.sequence.resolve_numbers(view)
    plan = FetchPlan(command.attributes, command.by_uid, view.by_uid_alone)
    await session.enable_condstore(plan.gives_modseq)
    if command.changed_since is not None:
        uids = await _changed(session, command, command.changed_since, uids)
    if command.window is not None:
        uids = await window_of(session, command.window, uids)
    # RFC 4314 §4: who may not keep \Seen reads without it.
    sets_seen = command.sets_seen and not view.read_only and Right.SEEN in rights_of(selected.mailbox)
    found = 0
    damaged: list[Damaged] = []
    async for asked in _groups(selected.mailbox, plan, uids):
        found += await _answer_undamaged(session, plan, asked, sets_seen, damaged)
        await session.breathe()
    if damaged:
        # The others were given; what is damaged is not, and the store has told the operator.
        return await session.finish(completion_of(damaged[0]), may_expunge=command.by_uid)
    if found < len(uids) and not command.by_uid:
        # Expunged by another session, and so long ago that it cannot be read any more.
        return await session.finish(no("some of the messages are gone", codes.EXPUNGE_ISSUED), may_expunge=False)
    return await session.finish(ok("done"), may_expunge=command.by_uid)


async def _changed(session: IMAPSession, command: Fetch, since: int, uids: UIDSet) -> UIDSet:
    """Those of the messages that changed since; what went of the whole set is told where it is wanted."""
    selected = session.mailbox
    changes: MailboxChanges = await selected.mailbox.changes(since)
    if command.vanished:
        # `*` means the last UID ever given here: a client asks for 1:* about messages that are the last no more.
        asked = command.sequence.numbers(changes.uid_next - 1)
        await session.tell(vanished_earlier(selected.view, changes.vanished, asked))
    # What came has higher UIDs than what had come before.
    return await reading.those_in(session, (changes.flagged.uids, changes.appended.uids), uids)


async def _groups(mailbox: IMailbox, plan: FetchPlan, uids: UIDSet) -> AsyncIterator[UIDSet]:
    if plan.reads_messages:
        rows = reading.ROWS_OF_STRUCTURES if plan.needs_structure else reading.ROWS_OF_BODIES
        async for group in reading.groups_by_size(mailbox, uids, rows):
            yield group
        return
    if FetchItem.HEADER in plan.items:
        async for group in reading.groups_of_headers(mailbox, uids):
            yield group
        return
    rows = reading.ROWS_OF_FLAGS
    if plan.items & (FetchItem.ENVELOPE | FetchItem.BODY_STRUCTURE):
        rows = reading.ROWS_OF_FORMS
    for group in slices(uids, rows):
        yield group


async def _answer_undamaged(
    session: IMAPSession, plan: FetchPlan, uids: UIDSet, sets_seen: bool, damaged: list[Damaged]
) -> int:
    """Write the rows of those of the messages that are not damaged; how many there were. Notes damage."""
    try:
        return await _answer_group(session, plan, uids, sets_seen)
    except Damaged as error:
        if len(uids) == 1:
            damaged.append(error)
            return 0
    found = 0
    for half in slices(uids, (len(uids) + 1) // 2):
        found += await _answer_undamaged(session, plan, half, sets_seen, damaged)
    return found


async def _answer_group(session: IMAPSession, plan: FetchPlan, uids: UIDSet, sets_seen: bool) -> int:
    """Write the rows of these messages; how many there were."""
    selected = session.mailbox
    items = plan.items
    if plan.reads_messages:
        items |= FetchItem.BODY
    if sets_seen:
        items |= FetchItem.FLAGS
    columns: Columns = await selected.mailbox.fetch(uids, items)
    columns = await downgraded.carried(session, await reading.with_forms(session, columns, items))
    newly_seen = Columns(())
    if sets_seen:
        columns, newly_seen = await _set_seen(session, columns)
    if columns.bodies is not None and any(_goes_alone(plan, body) for body in columns.bodies):
        await _write_one_by_one(session, plan, columns, columns.bodies)
    elif columns.uids:
        await session.write(plan.rows(selected.view, columns))
    # RFC 7162 §3.2.4: who knows CONDSTORE is told a \\Seen set by this with UID and MODSEQ.
    is_told = plan.gives_flags and (not selected.view.gives_modseqs or (plan.gives_modseq and plan.gives_uid))
    if newly_seen.uids and not is_told:
        await session.write(selected.view.flag_rows(newly_seen, with_uid=plan.gives_uid))
    return len(columns.uids)


async def _set_seen(session: IMAPSession, columns: Columns) -> tuple[Columns, Columns]:
    """Set \\Seen where it is not set. Returns the columns with the flags as they are now, and the rows that changed."""
    selected = session.mailbox
    flags = columns.flags or ()
    unseen = UIDSet.of([uid for uid, row in zip(columns.uids, flags, strict=True) if not row.seen])
    unseen -= selected.view.expunged
    if not unseen:
        return columns, Columns(())
    outcome: StoreOutcome = await selected.mailbox.store_flags(unseen, FlagChange.ADD, _SEEN)
    selected.view.flags_changed_here(outcome.changed)
    now = dict(zip(outcome.changed.uids, outcome.changed.flags or (), strict=True))
    rows = [now.get(uid, row) for uid, row in zip(columns.uids, flags, strict=True)]
    modseqs = columns.modseqs
    if modseqs is not None:
        later = dict(zip(outcome.changed.uids, outcome.changed.modseqs or (), strict=True))
        modseqs = [later.get(uid, modseq) for uid, modseq in zip(columns.uids, modseqs, strict=True)]
    return replace(columns, flags=rows, modseqs=modseqs), outcome.changed


def _goes_alone(plan: FetchPlan, body: bytes | None) -> bool:
    """Whether the message is too large for a column, or too large to find its parts among others."""
    return body is None or (plan.needs_structure and len(body) > reading.SCANNED_OCTETS)


async def _write_one_by_one(
    session: IMAPSession, plan: FetchPlan, columns: Columns, bodies: Sequence[bytes | None]
) -> None:
    """Write rows of which some messages are too large to be written with others."""
    view = session.mailbox.view
    start = 0
    for row, body in enumerate(bodies):
        if not _goes_alone(plan, body):
            continue
        if row > start:
            await session.write(plan.rows(view, _rows(columns, start, row)))
        alone = _rows(columns, row, row + 1)
        if body is None:
            await _write_large(session, plan, alone)
        else:
            root = await reading.structure_in_turns(session, body)
            await session.write(plan.rows(view, alone, root))
        start = row + 1
    if start < len(bodies):
        await session.write(plan.rows(view, _rows(columns, start, len(bodies))))


def _rows(columns: Columns, start: int, end: int) -> Columns:
    """Some rows of columns."""
    others = [getattr(columns, field.name) for field in fields(columns)[1:]]
    return Columns(columns.uids[start:end], *[None if column is None else column[start:end] for column in others])


async def _write_large(session: IMAPSession, plan: FetchPlan, row: Columns) -> None:
    """Write the row of one message piece by piece."""
    selected = session.mailbox
    uid = row.uids[0]
    told: Columns = await selected.mailbox.fetch(UIDSet.of([uid]), FetchItem.SIZE | FetchItem.HEADER)
    whole: IOpenBody = await selected.mailbox.open_body(uid)
    try:
        body, header, root = await downgraded.opened(session, uid, (told.headers or (b"",))[0], whole)
        if root is None and plan.needs_structure:
            root = await reading.large_structure(session, uid)
        pieces = plan.large_row(selected.view, replace(row, sizes=[body.size], headers=[header]), root)
        try:
            await _stream(session, body, pieces)
        except (CancelledError, ConnectionDone):
            raise
        except Exception:
            # Some of a literal was written, and its rest will never come: nothing can be said on this connection.
            _log.failure("message {uid} broke off while it was read", uid=uid, session=session.peer.session)
            await session.cut_off()
    finally:
        whole.close()


async def _stream(session: IMAPSession, body: IOpenBody, pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        match piece:
            case MessageRange(start, end):
                async for octets in reading.pieces_of(body, start, end):
                    await session.write(writable(octets))
            case HeaderRange(start, end, section):
                header = [part async for part in reading.pieces_of(body, start, min(end, start + HEADER_LIMIT_OCTETS))]
                await session.write(section.rendered(b"".join(header)))
            case _:
                await session.write(piece)
