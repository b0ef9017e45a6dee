"""STAT, LIST and UIDL. Long listings come in slices, with backpressure. Source: RFC 1939 §5, §7."""

from __future__ import annotations

from ...mail.columns import FetchItem
from ...mail.errors import NoSuchMessage
from ...mail.uid_set import UIDSet
from ...wire.pop3 import replies
from ...wire.pop3.commands import AskStatus, ListSizes, ListUniqueIds
from ...wire.pop3.phrases import Phrase
from ..driver import Answer
from .maildrop import Maildrop
from .session_parts import Parts
from .unique_id import unique_id


class Listings:
    """Lists one maildrop."""

    __slots__ = ("_maildrop", "_parts")

    def __init__(self, parts: Parts, maildrop: Maildrop) -> None:
        self._parts = parts
        self._maildrop = maildrop

    def status(self, _: AskStatus) -> bytes:
        """Answer STAT."""
        return self._parts.engine.send(replies.status(self._maildrop.messages, self._maildrop.octets))

    def sizes(self, command: ListSizes) -> Answer:
        """Answer LIST."""
        maildrop, number = self._maildrop, command.number
        if number is None:
            return self._all_sizes()
        if not maildrop.has(number):
            return self._parts.error(Phrase.NO_SUCH_MESSAGE)
        return self._parts.engine.send(replies.scan_listing(number, maildrop.size(number)))

    def unique_ids(self, command: ListUniqueIds) -> Answer:
        """Answer UIDL."""
        if command.number is None:
            return self._all_unique_ids()
        if not self._maildrop.has(command.number):
            return self._parts.error(Phrase.NO_SUCH_MESSAGE)
        return self._one_unique_id(command.number)

    async def _all_sizes(self) -> bytes:
        parts, maildrop = self._parts, self._maildrop
        parts.first_part(parts.language.ok(Phrase.MAILDROP, messages=maildrop.messages, octets=maildrop.octets))
        for rows in maildrop.scan_slices():
            parts.driver.write(replies.scan_listings(rows))
            await parts.driver.drained()
        return parts.last_part(replies.END)

    async def _one_unique_id(self, number: int) -> bytes:
        columns = await self._maildrop.mailbox.fetch(UIDSet.of([self._maildrop.uid(number)]), FetchItem.GUID)
        if not columns.guids:
            raise NoSuchMessage("the message no longer exists")
        return self._parts.engine.send(replies.unique_id_listing(number, unique_id(columns.guids[0])))

    async def _all_unique_ids(self) -> bytes:
        parts, slices = self._parts, self._maildrop.uid_slices()
        # The first slice is fetched before anything is said, so that a failure can still be told.
        rows = await self._unique_id_rows(next(slices, {}))
        parts.first_part(parts.language.ok(Phrase.UNIQUE_IDS_FOLLOW))
        parts.driver.write(rows)
        for numbers in slices:
            await parts.driver.drained()
            parts.driver.write(await self._unique_id_rows(numbers))
        return parts.last_part(replies.END)

    async def _unique_id_rows(self, numbers: dict[int, int]) -> bytes:
        """Rows for these numbers by UID; a message that others expunged too long ago has none."""
        if not numbers:
            return b""
        columns = await self._maildrop.mailbox.fetch(UIDSet.of(numbers), FetchItem.GUID)
        return replies.unique_id_listings(
            [(numbers[uid], unique_id(guid)) for uid, guid in zip(columns.uids, columns.guids or (), strict=True)]
        )
