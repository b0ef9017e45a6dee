"""
Users and their passwords, as an LDAP server knows them.

Decides what an answer of the server means: right, wrong, nobody, or nothing that could be decided. Who exists is
remembered for a while, as mail for one user comes in numbers; passwords are never remembered. Neighbours: `checker` and
`joined` ask; `pool` has the connections.

Sources: RFC 4511, RFC 4513.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ...interfaces.deferred import returns_deferred
from ...mail.errors import TemporaryFailure
from .connection import BASE_OBJECT, SUCCESS, WHOLE_SUBTREE, LDAPConnection
from .pool import Pool, Work
from .queries import FilterTemplate, distinguished_name, stands_for_itself, values_of

T = TypeVar("T")

MOST_REMEMBERED = 10_000

WRONG_PASSWORD = frozenset({19, 48, 49, 50, 53})
"""
constraintViolation, inappropriateAuthentication, invalidCredentials, insufficientAccessRights, unwillingToPerform: what
servers say of a wrong password, and of one that is right and locked or expired. Source: RFC 4511 appendix A.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """
    How a user's entry is found.

    Attributes:
        domains: users are at home there; names of others are not asked about.
        base: where the search begins; not used with `bind_name`.
        filter: of the search.
        bind_name: the entry's name, where it can be made from the user's, so that nothing has to be searched for; "".
        service_name: as whom to search; "" for nobody.
        service_password: of that one.
        remember_seconds: for how long it is known who exists.
    """

    domains: Sequence[str]
    base: str
    filter: FilterTemplate
    bind_name: str = ""
    service_name: str = ""
    service_password: str = ""
    remember_seconds: float = 60.0


class LDAPUsers:
    """A PasswordSource and a UserSource."""

    hashes_here = False

    _log = Logger()

    def __init__(self, pool: Pool, lookup: Lookup, clock: IReactorTime) -> None:
        self._pool = pool
        self._lookup = lookup
        self._clock = clock
        self._known: OrderedDict[str, tuple[bool, float]] = OrderedDict()

    @property
    def version(self) -> int:
        """See UserSource. Grows with time: nobody says when a user comes or goes."""
        return int(self._clock.seconds() / max(self._lookup.remember_seconds, 1.0))

    @returns_deferred
    async def knows(self, name: str) -> bool:
        """See UserSource."""
        if not self._is_ours(name):
            return False
        known, until = self._known.get(name, (False, 0.0))
        if until > self._clock.seconds():
            self._known.move_to_end(name)
            return known
        return await self._ask(lambda connection: self._find(connection, name)) is not None

    @returns_deferred
    async def check(self, name: str, password: str) -> bool | None:
        """See PasswordSource. An empty password is refused unasked (RFC 4513 §5.1.2)."""
        if not self._is_ours(name):
            return None

        async def ask(connection: LDAPConnection) -> bool | None:
            entry = await self._find(connection, name)
            if entry is None:
                return None
            if not password:
                return False
            return _is_right(await connection.bind(entry, password))

        return await self._ask(ask)

    async def _ask(self, work: Work[T]) -> T:
        try:
            return await self._pool.run(work)
        except TemporaryFailure as error:
            self._log.warn("users can't be looked up: {reason}", reason=error.text)
            raise TemporaryFailure("users can't be looked up now") from error

    async def _find(self, connection: LDAPConnection, name: str) -> str | None:
        """The name of the user's entry."""
        lookup = self._lookup
        if connection.bound_as != lookup.service_name:
            code = await connection.bind(lookup.service_name, lookup.service_password)
            if code != SUCCESS:
                raise TemporaryFailure(f"the LDAP server does not let {lookup.service_name or 'anybody'} in: {code}")
        values = values_of(name)
        if lookup.bind_name:
            base, scope = distinguished_name(lookup.bind_name, values), BASE_OBJECT
        else:
            base, scope = lookup.base, WHOLE_SUBTREE
        found = await connection.search(base, scope, lookup.filter.filled(values), 2)
        if len(found) > 1:
            raise TemporaryFailure(f"the LDAP server has several entries for {name}")
        self._remember(name, bool(found))
        return found[0] if found else None

    def _remember(self, name: str, known: bool) -> None:
        self._known[name] = (known, self._clock.seconds() + self._lookup.remember_seconds)
        self._known.move_to_end(name)
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)

    def _is_ours(self, name: str) -> bool:
        return name.rpartition("@")[2] in self._lookup.domains and stands_for_itself(name)


def _is_right(code: int) -> bool:
    if code == SUCCESS:
        return True
    if code in WRONG_PASSWORD:
        return False
    raise TemporaryFailure(f"the LDAP server answers a login by {code}")
