"""
Who is told, in the reactor's thread, that an account or the queue has changed.

When that is, the backend decides: after its commit. A listener may call the store again, and one that raises is
logged and disturbs no other. Neighbours: every backend in this room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from twisted.logger import Logger
from zope.interface import implementer

from ..interfaces.store import ChangeListener, IWatch
from ..mail.changes import ChangeNotice


@implementer(IWatch)
class _Watch:
    """One listener's registration."""

    def __init__(self, listener: ChangeListener, forget: Callable[[_Watch], None]) -> None:
        self.listener: ChangeListener | None = listener
        self._forget = forget

    def cancel(self) -> None:
        """See IWatch. A second call does nothing."""
        if self.listener is not None:
            self.listener = None
            self._forget(self)


class Watches:
    """All registrations of a store."""

    _log = Logger()

    def __init__(self) -> None:
        self._watches: dict[str, dict[_Watch, None]] = {}
        self._queue: list[Callable[[], None]] = []
        self.on_change: Callable[[str, bool], None] | None = None
        """Told of an account that is watched from now on, or no more."""

    def watch(self, account: str, listener: ChangeListener) -> IWatch:
        """See IMailStore.watch."""

        def forget(watch: _Watch) -> None:
            mine = self._watches[account]
            del mine[watch]
            if not mine:
                del self._watches[account]
                if self.on_change is not None:
                    self.on_change(account, False)

        watch = _Watch(listener, forget)
        is_first = account not in self._watches
        self._watches.setdefault(account, {})[watch] = None
        if is_first and self.on_change is not None:
            self.on_change(account, True)
        return watch

    def watch_queue(self, listener: Callable[[], None]) -> None:
        """See IQueueStore.watch_queue."""
        self._queue.append(listener)

    @property
    def accounts(self) -> Sequence[str]:
        """Those whose changes somebody would be told."""
        return tuple(self._watches)

    def is_watched(self, account: str) -> bool:
        """Whether anybody would be told of this account."""
        return account in self._watches

    @property
    def queue_is_watched(self) -> bool:
        """Whether anybody would be told of the queue."""
        return bool(self._queue)

    def tell(self, notices: Iterable[ChangeNotice], queue_grew: bool) -> None:
        """These accounts have changed; `queue_grew`: items of the queue have become due."""
        for notice in notices:
            for watch in tuple(self._watches.get(notice.account, ())):
                listener = watch.listener
                if listener is not None:  # an earlier listener may have cancelled it
                    with self._log.failuresHandled("a listener of {account} failed", account=notice.account):
                        listener(notice)
        for queue_listener in tuple(self._queue) if queue_grew else ():
            with self._log.failuresHandled("a listener of the queue failed"):
                queue_listener()
