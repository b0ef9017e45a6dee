"""
What has changed in the turn under way: told in a later one, as a backend with a commit of its own would do.

What changes within one turn is told together, once an account.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ...mail.changes import ChangeKind, ChangeNotice
from ..watches import Watches


class Notices(Watches):
    """
    Collects what changed, and tells it by `clock.callLater(0, …)`.

    Args:
        clock: whose turns are meant.
    """

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__()
        self._clock = clock
        self._pending: dict[str, ChangeNotice] = {}
        self._queue_pending = False
        self._call: IDelayedCall | None = None

    def changed(self, account: str, modseq: int, kinds: ChangeKind, mailbox_ids: frozenset[int]) -> None:
        """An account changed; costs next to nothing where nobody listens."""
        if not self.is_watched(account):
            return
        earlier = self._pending.get(account)
        if earlier is not None:
            kinds |= earlier.kinds
            mailbox_ids |= earlier.mailbox_ids
        self._pending[account] = ChangeNotice(account, modseq, mailbox_ids, kinds)
        self._tell_soon()

    def queue_due(self) -> None:
        """Items of the queue became due."""
        if self.queue_is_watched:
            self._queue_pending = True
            self._tell_soon()

    def drop(self) -> None:
        """Tell nothing of what is pending: the store stops."""
        self._pending.clear()
        self._queue_pending = False
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _tell_soon(self) -> None:
        if self._call is None:
            self._call = self._clock.callLater(0, self._tell_pending)

    def _tell_pending(self) -> None:
        self._call = None
        pending, self._pending = self._pending, {}
        queue_pending, self._queue_pending = self._queue_pending, False
        self.tell(pending.values(), queue_pending)
