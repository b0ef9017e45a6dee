"""
Telling the result of SEARCH or SORT: as it was always told, or as ESEARCH with what the client wants of it.

A result is a set of UIDs, or UIDs in an order. It is written in slices, with others having their turn in between.
Sources: RFC 3501 §7.2.5; RFC 4731 §3.1, §3.2; RFC 5182 §2.1; RFC 5267 §3; RFC 7162 §3.1.5, §3.1.10; RFC 9394 §3.1.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from ...mail.columns import Columns, FetchItem
from ...mail.uid_set import EMPTY, UIDSet
from ...wire.imap import responses
from ...wire.imap.commands.search_return import ReturnOption, Wanted, Window, first_of, last_of
from ...wire.imap.numbering import slices
from . import reading

if TYPE_CHECKING:
    from .session import IMAPSession

Result = UIDSet | Sequence[int]
"""What was found: a set, or UIDs in the order that was asked for."""

# Numbers that are rendered at once: about a millisecond's work.
NUMBERS_AT_ONCE = 1000


async def tell_plainly(session: IMAPSession, name: bytes, found: Result, by_uid: bool, modseq: int = 0) -> None:
    """Tell all of a result as `* SEARCH` or `* SORT`; `name` says which. `modseq` is told where it is not 0."""
    # From here on nothing fails: the line is written to its end.
    await session.write(b"* %b" % name)
    async for numbers in _numbers(session, found, by_uid):
        await session.write(responses.numbers(numbers))
    await session.write(b" (MODSEQ %d)\r\n" % modseq if modseq else b"\r\n")


async def window_of(session: IMAPSession, window: Window | None, found: UIDSet) -> UIDSet:
    """What of a result without an order of its own is in the window; nothing for none."""
    places = range(0) if window is None else window.within(len(found))
    if not places:
        return EMPTY
    first, last = await _at(session, found, places[0]), await _at(session, found, places[-1])
    return await reading.in_both(session, found, UIDSet.span(first, last))


async def _at(session: IMAPSession, found: UIDSet, place: int) -> int:
    """The UID at a place of a set, counted from 0."""
    for piece in slices(found, NUMBERS_AT_ONCE):
        if place < len(piece):
            return next(islice(piece, place, None))
        place -= len(piece)
        await session.breathe()
    raise IndexError(place)


async def tell(
    session: IMAPSession, tag: bytes, wanted: Wanted, found: Result, window: Result, by_uid: bool, modseq: int = 0
) -> None:
    """Tell what is wanted of a result as ESEARCH; `window` is as of `window_of`. `modseq` is told where it is not 0."""
    options = wanted.options
    await session.write(responses.extended_search(tag, by_uid))
    if found and ReturnOption.MIN in options:
        await session.write(b" MIN %d" % _number(session, first_of(found), by_uid))
    if found and ReturnOption.MAX in options:
        await session.write(b" MAX %d" % _number(session, last_of(found), by_uid))
    if ReturnOption.COUNT in options:
        await session.write(b" COUNT %d" % len(found))
    if found and ReturnOption.ALL in options:
        await session.write(b" ALL ")
        await _write_set(session, found, by_uid)
    if wanted.window is not None:
        await session.write(b" PARTIAL (%b " % wanted.window.wire)
        await (_write_set(session, window, by_uid) if window else session.write(b"NIL"))
        await session.write(b")")
    await session.write(b" MODSEQ %d\r\n" % modseq if modseq else b"\r\n")


async def highest_modseq(session: IMAPSession, found: UIDSet) -> int:
    """The highest modseq of these messages; 0 for none."""
    highest = 0
    for asked in slices(found, reading.ROWS_OF_FLAGS):
        columns: Columns = await session.mailbox.mailbox.fetch(asked, FetchItem.MODSEQ)
        highest = max(highest, max(columns.modseqs or (), default=0))
        await session.breathe()
    return highest


def _number(session: IMAPSession, uid: int, by_uid: bool) -> int:
    return uid if by_uid else session.mailbox.view.numbers_of((uid,))[0]


async def _numbers(session: IMAPSession, found: Result, by_uid: bool) -> AsyncIterator[Sequence[int]]:
    """The result in slices, as the client wants to see it."""
    view = session.mailbox.view
    rest = iter(found)
    while uids := list(islice(rest, NUMBERS_AT_ONCE)):
        yield uids if by_uid else view.numbers_in_order(uids)
        await session.breathe()


async def _write_set(session: IMAPSession, found: Result, by_uid: bool) -> None:
    """Write a sequence set that means these messages, in their order (RFC 5267 §3.2)."""
    separator, last = b"", (0, 0)
    async for numbers in _numbers(session, found, by_uid):
        runs = list(_runs(numbers, last))
        # The last may go on with the next slice.
        last = runs.pop()
        if runs:
            await session.write(separator + b",".join(map(_run, runs)))
            separator = b","
    await session.write(separator + _run(last))


def _runs(numbers: Iterable[int], begun: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Runs of numbers that follow one another, going on with one that has begun; (0, 0) for none that has."""
    first, last = begun
    for number in numbers:
        if last and number == last + 1:
            last = number
        else:
            if last:
                yield first, last
            first = last = number
    yield first, last


def _run(run: tuple[int, int]) -> bytes:
    return b"%d" % run[0] if run[0] == run[1] else b"%d:%d" % run
