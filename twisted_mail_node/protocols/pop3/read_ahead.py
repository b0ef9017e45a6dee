"""
Reading ahead: who retrieves message after message gets the next ones from memory.

One question to the store for many messages is what makes RETR fast. The window begins with one message, grows while
the client goes on in order, and is bounded in octets; large messages are not read ahead but streamed.
"""

from __future__ import annotations

from ...mail.columns import INLINE_BODY_OCTETS, FetchItem
from ...mail.errors import Damaged, NoSuchMessage
from ...mail.uid_set import UIDSet
from .maildrop import Maildrop

WINDOW_OCTETS = 256 * 1024
WINDOW_MESSAGES = 256
# What a header is reckoned at where only headers are asked for: far more than it usually is. It is no larger than its
# message, and those that are read ahead are small.
HEADER_OCTETS = 8 * 1024


class ReadAhead:
    """
    Whole messages, or headers, of one maildrop.

    `item` is BODY or HEADER. What was fetched is given once; what was fetched and not asked for goes with the
    next window.
    """

    def __init__(self, maildrop: Maildrop, item: FetchItem) -> None:
        self._maildrop = maildrop
        self._item = item
        self._ready: dict[int, bytes] = {}
        self._expected = 0
        self._window = 1

    def take(self, number: int) -> bytes | None:
        """What is at hand, or None."""
        content = self._ready.pop(number, None)
        if content is not None:
            self._expected = number + 1
        return content

    def forget(self, number: int) -> None:
        """The message is marked as deleted."""
        self._ready.pop(number, None)

    def clear(self) -> None:
        """Keep nothing."""
        self._ready.clear()

    async def fetch(self, number: int) -> bytes | None:
        """
        Fetch a message, and those behind it when the client goes on in order. None for one that has to be streamed.

        Fails with: NoSuchMessage: others have expunged it, too long ago. Else as IMailbox.fetch.
        """
        self._window = min(self._window * 4, WINDOW_MESSAGES) if number == self._expected else 1
        self._expected = number + 1
        self._ready.clear()
        numbers = self._chosen(number)
        mailbox = self._maildrop.mailbox
        try:
            columns = await mailbox.fetch(UIDSet.of(numbers), self._item)
        except Damaged:
            if len(numbers) == 1:
                raise
            # One of them is damaged, and need not be the one that is wanted.
            self._window = 1
            columns = await mailbox.fetch(UIDSet.of([self._maildrop.uid(number)]), self._item)
        contents = columns.bodies if self._item is FetchItem.BODY else columns.headers
        fetched = {numbers[uid]: content for uid, content in zip(columns.uids, contents or (), strict=True)}
        if number not in fetched:
            raise NoSuchMessage("the message no longer exists")
        wanted = fetched.pop(number)
        self._ready = {behind: content for behind, content in fetched.items() if content is not None}
        return wanted

    def _chosen(self, number: int) -> dict[int, int]:
        """Numbers by UID: the message itself, and as many behind it as the window has room for."""
        maildrop = self._maildrop
        numbers = {maildrop.uid(number): number}
        octets = self._cost(number)
        for behind in range(number + 1, min(number + self._window, len(maildrop) + 1)):
            if not maildrop.has(behind) or maildrop.size(behind) > INLINE_BODY_OCTETS:
                continue
            octets += self._cost(behind)
            if octets > WINDOW_OCTETS:
                break
            numbers[maildrop.uid(behind)] = behind
        return numbers

    def _cost(self, number: int) -> int:
        size = self._maildrop.size(number)
        return min(size, HEADER_OCTETS) if self._item is FetchItem.HEADER else size
