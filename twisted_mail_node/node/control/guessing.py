"""
What the operator can do about failed logins: see who is slowed for them, and forgive.

Neighbour: `auth.throttle` has the record, in the memory of the node that runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...auth.throttle import FailedLogins
from .arguments import JSON, Arguments, Operation, Refusal


class GuessingDesk:
    """
    Performs them.

    Args:
        attempts: the record; None where no node runs that has one.
    """

    def __init__(self, attempts: FailedLogins | None) -> None:
        self._attempts = attempts

    @property
    def by_name(self) -> Mapping[str, Operation]:
        """The operations."""
        return {"guessing.list": self._list, "guessing.release": self._release}

    async def _list(self, _: Arguments) -> JSON:
        return [
            {
                "address": slowed.host or None,
                "account": slowed.account or None,
                "failures": round(slowed.failures, 1),
                "delay": round(slowed.delay_seconds, 1),
            }
            for slowed in self._record().slowed()
        ]

    async def _release(self, arguments: Arguments) -> JSON:
        name = str(arguments["name"]).strip().lower()
        if not self._record().release(name):
            raise Refusal(f"no failed logins are remembered of {name}")
        return {"name": name}

    def _record(self) -> FailedLogins:
        if self._attempts is None:
            raise Refusal("no node runs, and failed logins are forgotten with their node")
        return self._attempts
