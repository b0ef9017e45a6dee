"""
Reading messages for FETCH and SEARCH in amounts that fit in memory, and the forms that were not kept yet.

What is read at once is bounded in rows and in octets; between two slices others have their turn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from ...interfaces.store import IMailbox, IOpenBody
from ...mail.columns import INLINE_BODY_OCTETS, Columns, FetchItem
from ...mail.errors import TemporaryFailure
from ...mail.uid_set import UIDSet
from ...wire.imap.numbering import slices
from ...wire.imap.response_codes import ordered
from ...wire.imap.view import RUNS_AT_ONCE
from ...wire.mime.body_structure import body_structure
from ...wire.mime.envelope import envelope_of
from ...wire.mime.structure import Part, StructureScanner, structure_of

if TYPE_CHECKING:
    from .session import IMAPSession

ROWS_OF_FLAGS = 2000
ROWS_OF_CHANGES = 5000
ROWS_OF_FORMS = 500
ROWS_OF_HEADERS = 100
ROWS_OF_BODIES = 200
ROWS_OF_STRUCTURES = 16
BODY_OCTETS_AT_ONCE = 512 * 1024
# Headers of messages that are all header: a column gives INLINE_BODY_OCTETS of each at the most.
HEADER_OCTETS_AT_ONCE = 4 * 1024 * 1024
PIECE_OCTETS = 128 * 1024
# What is looked through at once for its structure: two milliseconds, however it is made.
SCANNED_OCTETS = 8 * 1024


async def in_both(session: IMAPSession, one: UIDSet, other: UIDSet) -> UIDSet:
    """What both sets have; many runs are looked through in many turns."""
    common: list[tuple[int, int]] = []
    for start in range(0, len(one.runs), RUNS_AT_ONCE):
        common += (UIDSet.of_runs(one.runs[start : start + RUNS_AT_ONCE]) & other).runs
        await session.breathe()
    return UIDSet.of_runs(common)


async def those_in(session: IMAPSession, ascending: Iterable[Sequence[int]], other: UIDSet) -> UIDSet:
    """Which of these UIDs, each part ascending and above the part before it, the set has; in many turns."""
    common: list[tuple[int, int]] = []
    for uids in ascending:
        for start in range(0, len(uids), ROWS_OF_FLAGS):
            runs = (UIDSet.of_ascending(uids[start : start + ROWS_OF_FLAGS]) & other).runs
            if common and runs and common[-1][1] + 1 == runs[0][0]:
                runs = ((common.pop()[0], runs[0][1]), *runs[1:])
            common += runs
            await session.breathe()
    return UIDSet.of_runs(common)


async def written(session: IMAPSession, runs: Iterable[tuple[int, int]]) -> bytes:
    """A set as it is written, its runs in the order given; many are written in many turns."""
    out: list[bytes] = []
    left = iter(runs)
    while some := list(islice(left, RUNS_AT_ONCE)):
        out.append(ordered(some))
        await session.breathe()
    return b",".join(out)


async def groups_by_size(mailbox: IMailbox, uids: UIDSet, rows: int) -> AsyncIterator[UIDSet]:
    """The set cut so that the bodies of each piece (large ones aside) fit in BODY_OCTETS_AT_ONCE."""
    async for group in _groups(mailbox, uids, rows, BODY_OCTETS_AT_ONCE, larger_octets=0):
        yield group


async def groups_of_headers(mailbox: IMailbox, uids: UIDSet) -> AsyncIterator[UIDSet]:
    """The set cut so that the headers of each piece fit in HEADER_OCTETS_AT_ONCE, were the messages nothing else."""
    async for group in _groups(mailbox, uids, ROWS_OF_HEADERS, HEADER_OCTETS_AT_ONCE, INLINE_BODY_OCTETS):
        yield group


async def _groups(
    mailbox: IMailbox, uids: UIDSet, rows: int, octets_at_once: int, larger_octets: int
) -> AsyncIterator[UIDSet]:
    """Cut by size; `larger_octets` is what counts of a message that is larger than INLINE_BODY_OCTETS."""
    if uids and len(uids) * INLINE_BODY_OCTETS <= octets_at_once:
        yield uids  # so few that their sizes do not matter
        return
    for asked in slices(uids, ROWS_OF_FLAGS):
        columns: Columns = await mailbox.fetch(asked, FetchItem.SIZE)
        group: list[int] = []
        octets = 0
        for uid, size in zip(columns.uids, columns.sizes or (), strict=True):
            held = size if size <= INLINE_BODY_OCTETS else larger_octets
            if group and (octets + held > octets_at_once or len(group) >= rows):
                yield UIDSet.of_ascending(group)
                group, octets = [], 0
            group.append(uid)
            octets += held
        if group:
            yield UIDSet.of_ascending(group)


async def with_forms(session: IMAPSession, columns: Columns, items: FetchItem) -> Columns:
    """The same columns with every ENVELOPE and BODYSTRUCTURE that was asked for, computed where none was kept."""
    if FetchItem.ENVELOPE in items and columns.envelopes is not None and None in columns.envelopes:
        missing = [uid for uid, form in zip(columns.uids, columns.envelopes, strict=True) if form is None]
        made = await _envelopes(session, missing)
        columns = replace(columns, envelopes=_filled(columns, columns.envelopes, made, envelope_of(b"")))
    if FetchItem.BODY_STRUCTURE in items and columns.body_structures is not None and None in columns.body_structures:
        missing = [uid for uid, form in zip(columns.uids, columns.body_structures, strict=True) if form is None]
        made = await _structures(session, missing)
        empty = body_structure(structure_of(b""))
        columns = replace(columns, body_structures=_filled(columns, columns.body_structures, made, empty))
    return columns


def _filled(columns: Columns, forms: object, made: dict[int, bytes], otherwise: bytes) -> list[bytes | None]:
    return [
        made.get(uid, otherwise) if form is None else form
        for uid, form in zip(columns.uids, forms, strict=True)  # type: ignore[call-overload]
    ]


async def _envelopes(session: IMAPSession, uids: list[int]) -> dict[int, bytes]:
    mailbox: IMailbox = session.mailbox.mailbox
    made: dict[int, bytes] = {}
    async for asked in groups_of_headers(mailbox, UIDSet.of_ascending(uids)):
        columns: Columns = await mailbox.fetch(asked, FetchItem.HEADER)
        for uid, header in zip(columns.uids, columns.headers or (), strict=True):
            made[uid] = envelope_of(header)
            await session.breathe()
    mailbox.keep_forms(Columns(list(made), envelopes=list(made.values())))
    return made


async def _structures(session: IMAPSession, uids: list[int]) -> dict[int, bytes]:
    mailbox: IMailbox = session.mailbox.mailbox
    made: dict[int, bytes] = {}
    async for asked in groups_by_size(mailbox, UIDSet.of_ascending(uids), ROWS_OF_BODIES):
        columns: Columns = await mailbox.fetch(asked, FetchItem.BODY)
        for uid, body in zip(columns.uids, columns.bodies or (), strict=True):
            root = await (large_structure(session, uid) if body is None else structure_in_turns(session, body))
            made[uid] = body_structure(root)
            await session.breathe()
    mailbox.keep_forms(Columns(list(made), body_structures=list(made.values())))
    return made


async def large_structure(session: IMAPSession, uid: int) -> Part:
    """The tree of a message that is too large for a column. Fails as IMailbox.open_body."""
    selected = session.mailbox
    known = selected.structure(uid)
    if known is not None:
        return known
    scanner = StructureScanner()
    body: IOpenBody = await selected.mailbox.open_body(uid)
    try:
        async for piece in pieces_of(body, 0, body.size):
            await _scan(session, scanner, piece)
    finally:
        body.close()
    root = scanner.finish()
    selected.keep_structure(uid, root)
    return root


async def structure_in_turns(session: IMAPSession, message: bytes) -> Part:
    """The tree of a message, with others having their turn meanwhile."""
    if len(message) <= SCANNED_OCTETS:
        return structure_of(message)
    scanner = StructureScanner()
    await _scan(session, scanner, message)
    return scanner.finish()


async def _scan(session: IMAPSession, scanner: StructureScanner, octets: bytes) -> None:
    for start in range(0, len(octets), SCANNED_OCTETS):
        scanner.feed(octets[start : start + SCANNED_OCTETS])
        await session.breathe()


async def pieces_of(body: IOpenBody, start: int, end: int) -> AsyncIterator[bytes]:
    """The octets of an opened body from `start` up to `end`. Fails with: TemporaryFailure: the body is shorter."""
    while start < end:
        piece: bytes = await body.read(start, min(PIECE_OCTETS, end - start))
        if not piece:
            raise TemporaryFailure("the message is shorter than it should be")
        start += len(piece)
        yield piece
