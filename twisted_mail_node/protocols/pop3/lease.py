"""
One POP3 session per maildrop: the lock, held as a lease and renewed while the session lasts. Source: RFC 1939 §4.

A node that dies holds nothing for longer than a lease. IMAP sessions take no notice of it.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ...interfaces.store import IMaildropLock
from ...mail.errors import InUse

LIFETIME_SECONDS = 300.0
RENEWAL_SECONDS = LIFETIME_SECONDS / 3


class MaildropLease:
    """The lease of one session on one account's maildrop."""

    _log = Logger()

    def __init__(
        self, locks: IMaildropLock, account: str, holder: str, clock: IReactorTime, lost: Callable[[], None]
    ) -> None:
        """
        Args:
            locks: where leases are kept.
            account: whose maildrop.
            holder: the session's id, unique among all nodes.
            clock: for the renewal.
            lost: called when another session has got the maildrop, since this one could not renew in time.
        """
        self._locks = locks
        self._account = account
        self._holder = holder
        self._clock = clock
        self._lost = lost
        self._timer: IDelayedCall | None = None
        self._released = False

    async def acquire(self) -> None:
        """Take the lease, and renew it from now on. Fails with: InUse. To be released even where this fails."""
        await self._locks.acquire(self._account, self._holder, LIFETIME_SECONDS)
        self._renew_later()

    def release(self) -> Deferred[None]:
        """Give the lease back. Never fails: it ends by itself. A second call does nothing."""
        if self._released:
            return succeed(None)
        self._released = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        released = self._locks.release(self._account, self._holder)
        return released.addErrback(self._not_released)

    def _renew_later(self) -> None:
        if not self._released:
            self._timer = self._clock.callLater(RENEWAL_SECONDS, self._renew)

    def _renew(self) -> None:
        self._timer = None
        renewed = self._locks.acquire(self._account, self._holder, LIFETIME_SECONDS)
        renewed.addCallbacks(lambda _: self._renew_later(), self._not_renewed)

    def _not_renewed(self, failure: Failure) -> None:
        if self._released:
            return
        if failure.check(InUse) is not None:
            self._log.warn("lease on the maildrop of {account} lost", account=self._account, session=self._holder)
            self._lost()
            return
        self._log.warn(
            "lease on the maildrop of {account} not renewed: {reason}",
            account=self._account,
            reason=failure.getErrorMessage(),
            session=self._holder,
        )
        self._renew_later()

    def _not_released(self, failure: Failure) -> None:
        self._log.warn(
            "lease on the maildrop of {account} not given back, it ends in {seconds} s: {reason}",
            account=self._account,
            seconds=LIFETIME_SECONDS,
            reason=failure.getErrorMessage(),
        )


@implementer(IMaildropLock)
class LocalMaildropLock:
    """For a store that has no locks of its own: one process' sessions keep each other out."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._held: dict[str, tuple[str, float]] = {}

    def acquire(self, account: str, holder: str, lifetime_seconds: float) -> Deferred[None]:
        """See IMaildropLock."""
        now = self._clock.seconds()
        held_by, end = self._held.get(account, (holder, now))
        if held_by != holder and end > now:
            return fail(InUse("another session has the maildrop"))
        self._held[account] = (holder, now + lifetime_seconds)
        return succeed(None)

    def release(self, account: str, holder: str) -> Deferred[None]:
        """See IMaildropLock."""
        if self._held.get(account, ("", 0.0))[0] == holder:
            del self._held[account]
        return succeed(None)
