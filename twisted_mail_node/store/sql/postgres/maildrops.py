"""Who has a maildrop, in a table that all nodes look at. Source: RFC 1939 §4."""

from __future__ import annotations

from ....mail.errors import InUse
from ..state import WriteState


def acquire(state: WriteState, account: str, holder: str, now: float, until: float) -> None:
    """IMaildropLock.acquire. A lock whose end has come is as good as none."""
    taken = state.run(
        "INSERT INTO maildrop VALUES (:account, :holder, :until) ON CONFLICT (account) DO UPDATE "
        "SET holder = excluded.holder, until = excluded.until "
        "WHERE maildrop.holder = :holder OR maildrop.until <= :now",
        {"account": account, "holder": holder, "until": until, "now": now},
    )
    if not taken:
        raise InUse("another session has the maildrop")


def release(state: WriteState, account: str, holder: str) -> None:
    """IMaildropLock.release."""
    state.run("DELETE FROM maildrop WHERE account = ? AND holder = ?", (account, holder))
