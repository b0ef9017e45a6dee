"""
What readers and the writer do for IQuota. The counters are those of `state.AccountRow`, kept with every change.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...mail.errors import NoSuchAccount
from ...mail.quota import Quota, QuotaLimits, QuotaRules
from .connection import Connection
from .state import WriteState

_COLUMNS = "size, messages, limited, size_limit, messages_limit FROM account"


def quota(connection: Connection, account: str, rules: QuotaRules) -> Quota:
    """IQuota.quota."""
    row = connection.find(f"SELECT {_COLUMNS} WHERE name = ?", (account,))
    if row is None:
        raise NoSuchAccount("the account does not exist")
    return _quota(row, rules)


def quotas(connection: Connection, rules: QuotaRules, after: str, limit: int) -> Sequence[tuple[str, Quota]]:
    """IQuota.quotas."""
    rows = connection.every(f"SELECT name, {_COLUMNS} WHERE name > ? ORDER BY name LIMIT ?", (after, limit))
    return [(name, _quota(row, rules)) for name, *row in rows]


def _quota(row: Sequence[int | None], rules: QuotaRules) -> Quota:
    octets, messages, limited, *limits = row
    return Quota(octets or 0, messages or 0, QuotaLimits(*limits) if limited else rules.limits, bool(limited))


def set_quota(state: WriteState, account: str, limits: QuotaLimits | None) -> None:
    """IQuota.set_quota."""
    row = state.find_account(account)
    if row is None:
        raise NoSuchAccount("the account does not exist")
    row.limits = limits
    wanted = (0, None, None) if limits is None else (1, limits.octets, limits.messages)
    state.run("UPDATE account SET limited = ?, size_limit = ?, messages_limit = ? WHERE account = ?", (*wanted, row.id))
    state.account_changed(row)
