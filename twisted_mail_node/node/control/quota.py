"""
What the operator can do about how much accounts hold: see it, and limit it.

Neighbour: the store's door IQuota; an application's store need not have it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...interfaces.required_store import IBasicStore
from ...interfaces.store import IQuota
from ...mail.errors import NoSuchAccount
from ...mail.quota import Quota, QuotaLimits
from .arguments import JSON, Arguments, Operation, Refusal, address

PAGE = 1000
"""Accounts read at a time."""


class QuotaDesk:
    """Performs them on a store."""

    def __init__(self, store: IBasicStore) -> None:
        self._store = store

    @property
    def by_name(self) -> Mapping[str, Operation]:
        """The operations."""
        return {"quota.list": self._list, "quota.set": self._set}

    async def _list(self, _: Arguments) -> JSON:
        door, rows, after = self._door, list[JSON](), ""
        while page := await door.quotas(after, PAGE):
            rows += [_row(name, quota) for name, quota in page]
            after = page[-1][0]
        return rows

    async def _set(self, arguments: Arguments) -> JSON:
        """What is not named stays as it is; `default` gives the limits back that all accounts have."""
        door, name = self._door, address(str(arguments["name"])).key
        try:
            before: Quota = await door.quota(name)
            limits = None
            if not arguments.get("default"):
                now = before.limits
                limits = _limits(arguments.get("size", now.octets), arguments.get("messages", now.messages))
            await door.set_quota(name, limits)
            return _row(name, await door.quota(name))
        except NoSuchAccount:
            raise Refusal(f"there is no account {name}") from None

    @property
    def _door(self) -> IQuota:
        if not IQuota.providedBy(self._store):
            raise Refusal("this node's store does not limit what accounts hold")
        return IQuota(self._store)


def _limits(octets: JSON, messages: JSON) -> QuotaLimits:
    try:
        return QuotaLimits(*(None if limit is None else int(limit) for limit in (octets, messages)))
    except ValueError as error:
        raise Refusal(str(error)) from None


def _row(name: str, quota: Quota) -> JSON:
    limits = quota.limits
    return {
        "name": name,
        "size": quota.octets,
        "size_limit": limits.octets,
        "messages": quota.messages,
        "messages_limit": limits.messages,
        "own": quota.is_own,
    }
