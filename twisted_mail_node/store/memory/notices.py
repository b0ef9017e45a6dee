"""
Who is told that an account or the queue has changed: after the commit, in a later turn of the reactor.

What changes within one turn is told together, once an account. A listener may call the store again, and one
that raises is logged and disturbs no other.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from ...interfaces.store import ChangeListener, IWatch
from ...mail.changes import ChangeKind, ChangeNotice


@implementer(IWatch)
class _Watch:
    """One listener's registration."""

    def __init__(self, listener: ChangeListener, forget: Callable[[_Watch], None]) -> None:
        self.listener: ChangeListener | None = listener
        self._forget = forget

    def cancel(self) -> None:
        """See IWatch."""
        if self.listener is not None:
            self.listener = None
            self._forget(self)


class Notices:
    """
    Collects what changed, and tells it by `clock.callLater(0, …)`.

    Args:
        clock: whose turns are meant.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._watches: dict[str, dict[_Watch, None]] = {}
        self._queue_listeners: list[Callable[[], None]] = []
        self._pending: dict[str, ChangeNotice] = {}
        self._queue_pending = False
        self._call: IDelayedCall | None = None

    def watch(self, account: str, listener: ChangeListener) -> IWatch:
        """Tell `listener` of the account's changes until it cancels."""

        def forget(watch: _Watch) -> None:
            mine = self._watches[account]
            del mine[watch]
            if not mine:
                del self._watches[account]

        watch = _Watch(listener, forget)
        self._watches.setdefault(account, {})[watch] = None
        return watch

    def watch_queue(self, listener: Callable[[], None]) -> None:
        """Tell `listener` that items have become due."""
        self._queue_listeners.append(listener)

    def changed(self, account: str, modseq: int, kinds: ChangeKind, mailbox_ids: frozenset[int]) -> None:
        """An account changed; costs next to nothing where nobody listens."""
        if account not in self._watches:
            return
        earlier = self._pending.get(account)
        if earlier is not None:
            kinds |= earlier.kinds
            mailbox_ids |= earlier.mailbox_ids
        self._pending[account] = ChangeNotice(account, modseq, mailbox_ids, kinds)
        self._tell_soon()

    def queue_due(self) -> None:
        """Items of the queue became due."""
        if self._queue_listeners:
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
            self._call = self._clock.callLater(0, self._tell)

    def _tell(self) -> None:
        self._call = None
        pending, self._pending = self._pending, {}
        queue_pending, self._queue_pending = self._queue_pending, False
        for account, notice in pending.items():
            for watch in list(self._watches.get(account, ())):
                listener = watch.listener
                if listener is not None:  # an earlier listener may have cancelled it
                    with self._log.failuresHandled("a listener of {account} failed", account=account):
                        listener(notice)
        for queue_listener in list(self._queue_listeners) if queue_pending else ():
            with self._log.failuresHandled("a listener of the queue failed"):
                queue_listener()
