"""
Who is told in the reactor's thread that an account or the queue has changed, after the commit.

A listener may call the store again, and one that raises is logged and disturbs no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ParamSpec

from twisted.logger import Logger
from zope.interface import implementer

from ...interfaces.store import ChangeListener, IWatch
from ...mail.changes import ChangeNotice

P = ParamSpec("P")


@implementer(IWatch)
class Watch:
    """One listener's registration."""

    def __init__(self, listener: ChangeListener, forget: Callable[[Watch], None]) -> None:
        self.listener: ChangeListener | None = listener
        self._forget = forget

    def cancel(self) -> None:
        """See IWatch. A second call does nothing."""
        if self.listener is not None:
            self.listener = None
            self._forget(self)


class Listeners:
    """All registrations of a store."""

    _log = Logger()

    def __init__(self) -> None:
        self._watches: dict[str, dict[Watch, None]] = {}
        self._queue: list[Callable[[], None]] = []

    def watch(self, account: str, listener: ChangeListener) -> IWatch:
        """See IMailStore.watch."""

        def forget(watch: Watch) -> None:
            mine = self._watches[account]
            del mine[watch]
            if not mine:
                del self._watches[account]

        watch = Watch(listener, forget)
        self._watches.setdefault(account, {})[watch] = None
        return watch

    def watch_queue(self, listener: Callable[[], None]) -> None:
        """See IQueueStore.watch_queue."""
        self._queue.append(listener)

    def tell(self, notices: Sequence[ChangeNotice], queue_grew: bool) -> None:
        """A batch was committed."""
        for notice in notices:
            for watch in tuple(self._watches.get(notice.account, ())):
                if watch.listener is not None:  # an earlier listener may have cancelled it
                    self._call(watch.listener, notice)
        for listener in tuple(self._queue) if queue_grew else ():
            self._call(listener)

    def _call(self, listener: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            listener(*args, **kwargs)
        except Exception:
            self._log.failure("a listener to changes failed")
