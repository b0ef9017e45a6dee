"""
The transaction state: listings, messages, marks; and the update that QUIT begins. Source: RFC 1939 §5 to §7.

Messages at hand are answered at once, without a Deferred; large ones stream with backpressure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from ...mail.columns import INLINE_BODY_OCTETS, FetchItem
from ...mail.errors import MailError, NoSuchMessage, TemporaryFailure
from ...mail.uid_set import UIDSet
from ...wire.pop3 import replies
from ...wire.pop3.commands import (
    AskCapabilities,
    AskStatus,
    Delete,
    DoNothing,
    ListSizes,
    ListUniqueIds,
    Quit,
    Reset,
    Retrieve,
    RetrieveTop,
    Violated,
)
from ...wire.pop3.replies import ResponseCode, Stuffing, TopCut
from ..driver import Answer
from .capabilities import capabilities
from .lease import MaildropLease
from .maildrop import Maildrop
from .read_ahead import ReadAhead
from .session_parts import Parts

# Of a message that streams, so much is read at a time.
PIECE_OCTETS = 64 * 1024

_NO_SUCH_MESSAGE = replies.error("no such message")
_NOT_REMOVED = replies.error("the messages could not be removed", ResponseCode.SYS_TEMP)


class Transaction:
    """Answers commands on an open maildrop."""

    _log = Logger()

    def __init__(self, parts: Parts, maildrop: Maildrop, lease: MaildropLease) -> None:
        self._parts = parts
        self._engine = parts.engine
        self._driver = parts.driver
        self._maildrop = maildrop
        self._lease = lease
        self._bodies = ReadAhead(maildrop, FetchItem.BODY)
        self._headers = ReadAhead(maildrop, FetchItem.HEADER)
        self._answers: dict[type, Callable[[Any], Answer]] = {  # Any: each takes the command it stands beside.
            Retrieve: self._retrieve,
            RetrieveTop: self._retrieve_top,
            Delete: self._delete,
            AskStatus: self._status,
            ListSizes: self._sizes,
            ListUniqueIds: self._unique_ids,
            Reset: self._reset,
            DoNothing: self._do_nothing,
            AskCapabilities: self._capabilities,
            Violated: self._violated,
            Quit: self._quit,
        }
        self.is_streaming = False
        """True while part of a reply has been written: a failure can only be told by cutting the connection."""

    def answer(self, command: Any) -> Answer:  # Any: see the table.
        """Answer a command of this state."""
        return self._answers[type(command)](command)

    def close(self) -> None:
        """The session is over: let go of everything. Without QUIT nothing is removed (RFC 1939 §6)."""
        self._bodies.clear()
        self._headers.clear()
        self._lease.release()

    # -- messages ---------------------------------------------------------------------------------------------------

    def _retrieve(self, command: Retrieve) -> Answer:
        content = self._bodies.take(command.number)
        if content is not None:
            return self._engine.send(replies.message(content))
        if not self._maildrop.has(command.number):
            return self._engine.send(_NO_SUCH_MESSAGE)
        return self._retrieve_late(command.number)

    async def _retrieve_late(self, number: int) -> bytes:
        content = await self._small(number)
        if content is None:
            return await self._stream(number, None)
        return self._engine.send(replies.message(content))

    def _retrieve_top(self, command: RetrieveTop) -> Answer:
        if not self._maildrop.has(command.number):
            return self._engine.send(_NO_SUCH_MESSAGE)
        if command.lines:
            return self._top_late(command.number, command.lines)
        header = self._headers.take(command.number)
        if header is not None:
            return self._engine.send(replies.top(header))
        return self._header_late(command.number)

    async def _header_late(self, number: int) -> bytes:
        return self._engine.send(replies.top(await self._headers.fetch(number) or b""))

    async def _top_late(self, number: int, body_lines: int) -> bytes:
        content = self._bodies.take(number) or await self._small(number)
        if content is None:
            return await self._stream(number, TopCut(body_lines))
        return self._engine.send(replies.top(TopCut(body_lines).feed(content)))

    async def _small(self, number: int) -> bytes | None:
        if self._maildrop.size(number) > INLINE_BODY_OCTETS:
            return None
        return await self._bodies.fetch(number)

    async def _stream(self, number: int, cut: TopCut | None) -> bytes:
        """A large message in pieces, or the part of it that `cut` leaves."""
        opened = await self._maildrop.mailbox.open_body(self._maildrop.uid(number))
        try:
            stuffing, offset = Stuffing(), 0
            self._first_part(replies.message_follows(opened.size) if cut is None else replies.top_follows())
            while offset < opened.size and (cut is None or not cut.done):
                piece = await opened.read(offset, PIECE_OCTETS)
                if not piece:
                    raise TemporaryFailure("a message ends before its end")
                offset += len(piece)
                self._driver.write(stuffing.feed(piece if cut is None else cut.feed(piece)))
                await self._driver.drained()
            return self._last_part(stuffing.end())
        finally:
            opened.close()

    # -- listings ---------------------------------------------------------------------------------------------------

    def _status(self, _: AskStatus) -> bytes:
        return self._engine.send(replies.status(self._maildrop.messages, self._maildrop.octets))

    def _sizes(self, command: ListSizes) -> Answer:
        maildrop, number = self._maildrop, command.number
        if number is None:
            return self._all_sizes()
        if not maildrop.has(number):
            return self._engine.send(_NO_SUCH_MESSAGE)
        return self._engine.send(replies.scan_listing(number, maildrop.size(number)))

    async def _all_sizes(self) -> bytes:
        self._first_part(replies.ok(f"{self._maildrop.messages} messages ({self._maildrop.octets} octets)"))
        for rows in self._maildrop.scan_slices():
            self._driver.write(replies.scan_listings(rows))
            await self._driver.drained()
        return self._last_part(replies.END)

    def _unique_ids(self, command: ListUniqueIds) -> Answer:
        if command.number is None:
            return self._all_unique_ids()
        if not self._maildrop.has(command.number):
            return self._engine.send(_NO_SUCH_MESSAGE)
        return self._one_unique_id(command.number)

    async def _one_unique_id(self, number: int) -> bytes:
        columns = await self._maildrop.mailbox.fetch(UIDSet.of([self._maildrop.uid(number)]), FetchItem.GUID)
        if not columns.guids:
            raise NoSuchMessage("the message no longer exists")
        return self._engine.send(replies.unique_id_listing(number, columns.guids[0]))

    async def _all_unique_ids(self) -> bytes:
        slices = self._maildrop.uid_slices()
        # The first slice is fetched before anything is said, so that a failure can still be told.
        rows = await self._unique_id_rows(next(slices, {}))
        self._first_part(replies.ok("unique ids follow"))
        self._driver.write(rows)
        for numbers in slices:
            await self._driver.drained()
            self._driver.write(await self._unique_id_rows(numbers))
        return self._last_part(replies.END)

    async def _unique_id_rows(self, numbers: dict[int, int]) -> bytes:
        """Rows for these numbers by UID; a message that others expunged too long ago has none."""
        if not numbers:
            return b""
        columns = await self._maildrop.mailbox.fetch(UIDSet.of(numbers), FetchItem.GUID)
        return replies.unique_id_listings(
            [(numbers[uid], guid) for uid, guid in zip(columns.uids, columns.guids or (), strict=True)]
        )

    # -- marks, and the rest ------------------------------------------------------------------------------------------

    def _delete(self, command: Delete) -> bytes:
        if not self._maildrop.has(command.number):
            return self._engine.send(_NO_SUCH_MESSAGE)
        self._maildrop.mark(command.number)
        self._bodies.forget(command.number)
        self._headers.forget(command.number)
        return self._engine.send(replies.ok("marked"))

    def _reset(self, _: Reset) -> bytes:
        self._maildrop.unmark_all()
        return self._engine.send(replies.ok(f"{self._maildrop.messages} messages ({self._maildrop.octets} octets)"))

    def _do_nothing(self, _: DoNothing) -> bytes:
        return self._engine.send(replies.OK)

    def _capabilities(self, _: AskCapabilities) -> bytes:
        peer = self._parts.peer
        listed = capabilities(
            mechanisms=self._parts.authenticator.mechanisms(self._parts.peer),
            user_allowed=self._parts.authenticator.plaintext_allowed(peer),
            tls_available=self._parts.tls_context is not None and not peer.tls,
            implementation=self._parts.implementation,
        )
        return self._engine.send(replies.lines("capabilities", listed))

    def _violated(self, command: Violated) -> bytes:
        return self._engine.send(command.reply)

    async def _quit(self, _: Quit) -> bytes:
        """The update state: one commit removes what is marked (RFC 1939 §6)."""
        removed = await self._removed()
        # Given back before the client is told, so that it may come again at once.
        await self._lease.release()
        return self._engine.send(replies.ok("bye") if removed else _NOT_REMOVED)

    async def _removed(self) -> bool:
        marked = self._maildrop.marked_uids
        if not marked:
            return True
        try:
            await self._maildrop.mailbox.expunge(marked, only_deleted=False)
        except CancelledError:
            raise
        except MailError as error:
            self._log.warn("update of a maildrop failed: {reason}", reason=error.text, session=self._parts.session_id)
            return False
        except Exception:
            self._log.failure("update of a maildrop broke", session=self._parts.session_id)
            return False
        return True

    def _first_part(self, octets: bytes) -> None:
        self.is_streaming = True
        self._driver.write(octets)

    def _last_part(self, octets: bytes) -> bytes:
        self.is_streaming = False
        return self._engine.send(octets)
