"""
SEARCH and UID SEARCH. Sources: RFC 3501 §6.4.4; RFC 5182 §2.1; RFC 7162 §3.1.5, §3.1.6, §3.2.10.2.

A mailbox that can narrow the search by itself does; what is left is decided on columns, then by reading headers,
then by reading messages, each only where it is not decided yet. Deciding is in `wire.imap.search`, telling in
`results`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...interfaces.store import IMailbox, IOpenBody, ISearch
from ...mail.columns import Columns, FetchItem
from ...mail.errors import NoSuchMessage
from ...mail.search import And, SearchKey, UIDIn
from ...mail.uid_set import EMPTY, UIDSet
from ...wire.imap import search as evaluation
from ...wire.imap.commands import Search
from ...wire.imap.commands.search import names_numbers, resolve
from ...wire.imap.commands.search_return import EVERYTHING, ReturnOption
from ...wire.imap.enabled import Extension
from ...wire.imap.numbering import slices
from ...wire.imap.responses import ok
from ...wire.imap.search import Message, Needle, TextFinder
from ...wire.mime.decode import header_text, readable
from ...wire.mime.headers import HEADER_LIMIT_OCTETS, header_size
from . import reading, results

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Search) -> bytes:
    """Answer SEARCH or UID SEARCH."""
    selected = session.mailbox
    view = selected.view
    program = evaluation.without_recent(resolve(command.key, view, int(session.clock.seconds())), view.recent)
    wanted = command.wanted
    if wanted is None and Extension.IMAP4REV2 in session.engine.enabled:
        wanted = EVERYTHING
    saves = wanted is not None and ReturnOption.SAVE in wanted.options
    if saves:
        view.saved = EMPTY  # RFC 5182 §2.1: so it stays where the search fails
    tells_modseq = evaluation.asks_modseq(program)
    await session.enable_condstore(tells_modseq)
    found = await find(session, program)
    window = EMPTY if wanted is None else await results.window_of(session, wanted.window, found)
    chosen = found if wanted is None else wanted.chosen_of(found, found, window)
    modseq = await results.highest_modseq(session, chosen) if tells_modseq else 0
    if saves:
        view.saved = chosen
    if wanted is None:
        await results.tell_plainly(session, b"SEARCH", found, command.by_uid, modseq)
    elif wanted.is_told:
        await results.tell(session, command.tag, wanted, found, window, command.by_uid, modseq)
    # RFC 7162 §3.2.10.2: nor where numbers are among the keys.
    return await session.finish(ok("done"), may_expunge=command.by_uid and not names_numbers(command.key))


async def find(session: IMAPSession, program: SearchKey) -> UIDSet:
    """The messages of the view that match, those left out that are known to be gone."""
    selected = session.mailbox
    candidates = selected.view.uids - selected.view.expunged  # what is gone matches nothing, told of or not
    key: SearchKey | None = program
    search = ISearch(selected.mailbox, None)
    if search is not None:
        narrowed, key = await search.narrow(program)
        candidates = await reading.in_both(session, narrowed, candidates)
    if key is not None:
        candidates = UIDSet.of_ascending(await _matching(session, key, candidates))
    return candidates


async def _matching(session: IMAPSession, key: SearchKey, candidates: UIDSet) -> list[int]:
    for inner in key.keys if isinstance(key, And) else (key,):
        if isinstance(inner, UIDIn):
            candidates &= inner.uids
    mailbox: IMailbox = session.mailbox.mailbox
    items = evaluation.columns_needed(key)
    needles = evaluation.needles_of(key)
    matching: list[int] = []
    for asked in slices(candidates, reading.ROWS_OF_FLAGS):
        columns = Columns(list(asked)) if items is FetchItem.NONE else await mailbox.fetch(asked, items)
        certain, unsure = evaluation.decide_rows(key, columns)
        await session.breathe()
        if unsure:
            rows = {uid: row for row, uid in enumerate(columns.uids)}
            for some in slices(UIDSet.of_ascending(unsure), reading.ROWS_OF_HEADERS):
                messages = {uid: Message(columns, rows[uid]) for uid in some}
                certain += await _read(session, key, needles, messages)
            certain.sort()
        matching += certain
    return matching


async def _read(
    session: IMAPSession, key: SearchKey, needles: tuple[Needle, ...], messages: dict[int, Message]
) -> list[int]:
    """Which of these messages match, by reading as little of them as decides it."""
    matching = await _read_kept(session, key, needles, messages)
    if evaluation.reads_headers(key):
        matching += await _read_headers(session, key, messages)
    if needles:
        matching += await _read_messages(session, key, needles, messages)
    return matching


async def _read_kept(
    session: IMAPSession, key: SearchKey, needles: tuple[Needle, ...], messages: dict[int, Message]
) -> list[int]:
    """Which of them match by texts that the store keeps; those of which it keeps them are taken out."""
    items = FetchItem.SEARCH_HEAD
    if needles:
        items |= FetchItem.SEARCH_TEXT
    names = evaluation.headers_needed(key)
    matching: list[int] = []
    mailbox: IMailbox = session.mailbox.mailbox
    # What is kept of a message is as large as a header may be, and small for most.
    async for some in reading.groups_of_headers(mailbox, UIDSet.of(messages)):
        columns: Columns = await mailbox.fetch(some, items)
        if columns.search_heads is None:
            break
        texts = columns.search_texts or [b""] * len(columns)
        for uid, head, text in zip(columns.uids, columns.search_heads, texts, strict=True):
            if head is None or text is None:
                continue
            message = messages.pop(uid)
            message.head_known(head, names)
            message.texts_found(evaluation.find_in_kept(needles, head, text))
            if message.decide(key):
                matching.append(uid)
            await session.breathe()
    return matching


async def _read_headers(session: IMAPSession, key: SearchKey, messages: dict[int, Message]) -> list[int]:
    """Which of them match by their headers; those that are decided are taken out."""
    names = evaluation.headers_needed(key)
    matching: list[int] = []
    mailbox: IMailbox = session.mailbox.mailbox
    async for some in reading.groups_of_headers(mailbox, UIDSet.of(messages)):
        columns: Columns = await mailbox.fetch(some, FetchItem.HEADER)
        for uid, header in zip(columns.uids, columns.headers or (), strict=True):
            messages[uid].header_read(header, names)
            decided = messages[uid].decide(key)
            if decided is not None:
                del messages[uid]
                if decided:
                    matching.append(uid)
            await session.breathe()
    return matching


async def _read_messages(
    session: IMAPSession, key: SearchKey, needles: tuple[Needle, ...], messages: dict[int, Message]
) -> list[int]:
    """Which of them match by all that is in them."""
    mailbox: IMailbox = session.mailbox.mailbox
    matching: list[int] = []
    async for group in reading.groups_by_size(mailbox, UIDSet.of(messages), reading.ROWS_OF_BODIES):
        columns: Columns = await mailbox.fetch(group, FetchItem.BODY)
        for uid, body in zip(columns.uids, columns.bodies or (), strict=True):
            if body is None:
                found = await _find_in_large(session, needles, uid)
            else:
                root = await reading.structure_in_turns(session, body)
                found = evaluation.find_in_message(needles, body, header_size(body), root)
            messages[uid].texts_found(found)
            if messages[uid].decide(key):
                matching.append(uid)
            await session.breathe()
    return matching


async def _find_in_large(session: IMAPSession, needles: tuple[Needle, ...], uid: int) -> frozenset[Needle]:
    """Which needles occur in a message that is read in pieces."""
    finder = TextFinder(needles)
    try:
        root = await reading.large_structure(session, uid)
        body: IOpenBody = await session.mailbox.mailbox.open_body(uid)
    except NoSuchMessage:
        return frozenset()
    try:
        if finder.wants_header():
            finder.feed(header_text(await _header(body, 0, root.body_start)), in_header=True)
            finder.end_text()
        for decoder, start, end in readable(root):
            async for piece in reading.pieces_of(body, start, end):
                if finder.is_done():
                    return frozenset(finder.found)
                finder.feed(decoder.feed(piece))
                await session.breathe()
            finder.feed(decoder.finish())
            finder.end_text()
    finally:
        body.close()
    return frozenset(finder.found)


async def _header(body: IOpenBody, start: int, end: int) -> bytes:
    pieces = reading.pieces_of(body, start, min(end, start + HEADER_LIMIT_OCTETS))
    return b"".join([piece async for piece in pieces])
