"""
The table of maildrop locks: who has an account's maildrop, and until when. Source: RFC 1939 §4.

In memory, for backends whose mail belongs to one process: the locks end with it. Neighbours: every backend in this
room.
"""

from __future__ import annotations

from ..mail.errors import InUse


class MaildropLocks:
    """One holder an account. A lock whose end has come is as good as none."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, float]] = {}

    def acquire(self, account: str, holder: str, now: float, until: float) -> None:
        """Take or renew a lock. Raises: InUse."""
        held_by, end = self._held.get(account, (holder, until))
        if held_by != holder and end > now:
            raise InUse("another session has the maildrop")
        self._held[account] = (holder, until)

    def release(self, account: str, holder: str) -> None:
        """Give a lock back, where the holder has it."""
        if self._held.get(account, ("", 0.0))[0] == holder:
            del self._held[account]

    def forget(self, account: str) -> None:
        """The account is gone."""
        self._held.pop(account, None)
