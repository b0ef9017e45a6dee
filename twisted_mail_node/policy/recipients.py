"""
Where an address of ours leads: users, aliases to here and elsewhere, +details, catch-alls, postmaster.

Decides nothing about who may send there (see `relay`). Answers are remembered until the directory changes.

Sources: RFC 5321 §3.9.1 (aliases), §4.5.1 (postmaster); RFC 5233 (sub-addressing).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred, succeed

from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.address import Address
from ..mail.envelope import Recipient, Target
from ..mail.verdict import Accept, Verdict
from .verdicts import NO_SUCH_USER, TOO_OFTEN_ALIASED


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientSettings:
    """
    `domains` are ours, in lower case; the first completes addresses without a domain. `postmaster` is the account
    that gets postmaster's mail where a domain has neither such a user nor such an alias; "" for none.
    `separator` stands before a detail. `max_depth` bounds aliases of aliases, `max_leads` the addresses that one
    address may lead to.
    """

    domains: Sequence[str]
    postmaster: str = ""
    separator: str = "+"
    max_depth: int = 8
    max_leads: int = 1000
    max_remembered: int = 10_000


class Recipients:
    """Resolves addresses by the domains and the directory."""

    def __init__(self, directory: IDirectory, settings: RecipientSettings) -> None:
        self._directory = directory
        self._settings = settings
        self._domains = frozenset(settings.domains)
        self._remembered: OrderedDict[Address, Verdict] = OrderedDict()
        self._version = -1

    def is_own(self, address: Address) -> bool:
        """Whether the address is of one of our domains; the bare postmaster is."""
        return not address.domain or address.domain in self._domains

    def complete(self, text: str) -> Address:
        """The address that a text means, of our first domain where it names none. Raises: ValueError."""
        return Address.parse(text if "@" in text else f"{text}@{self._settings.domains[0]}")

    def resolve(self, address: Address) -> Deferred[Verdict]:
        """
        Where an address of ours leads.

        Fires with Accept and its Recipient, or Reject. Fails as IDirectory does.
        """
        version = self._directory.version
        if version != self._version:
            self._remembered.clear()
            self._version = version
        verdict = self._remembered.get(address)
        if verdict is not None:
            self._remembered.move_to_end(address)
            return succeed(verdict)
        return self._look_up(address, version)

    @returns_deferred
    async def _look_up(self, address: Address, version: int) -> Verdict:
        verdict = await _Resolution(self._directory, self._settings, self._domains).verdict(address)
        if self._directory.version == version == self._version:
            self._remembered[address] = verdict
            if len(self._remembered) > self._settings.max_remembered:
                self._remembered.popitem(last=False)
        return verdict


class _Resolution:
    """One address followed to where it leads."""

    def __init__(self, directory: IDirectory, settings: RecipientSettings, domains: frozenset[str]) -> None:
        self._directory = directory
        self._settings = settings
        self._domains = domains
        self._targets: dict[str, Target] = {}
        self._forwards: dict[str, Address] = {}
        self._seen: set[str] = set()
        self._cut_short = False

    async def verdict(self, address: Address) -> Verdict:
        ours = address if address.domain else Address(address.local_part, self._settings.domains[0])
        if ours.domain not in self._domains:
            return NO_SUCH_USER
        await self._follow(ours, 0)
        if self._targets or self._forwards:
            return Accept(Recipient(address, tuple(self._targets.values()), tuple(self._forwards.values())))
        return TOO_OFTEN_ALIASED if self._cut_short else NO_SUCH_USER

    async def _follow(self, address: Address, depth: int) -> None:
        """Add what the address leads to. A circle ends where it began: each address is followed once."""
        key = address.key
        if key in self._seen:
            self._cut_short = True
            return
        self._seen.add(key)
        if depth > self._settings.max_depth or len(self._seen) > self._settings.max_leads:
            self._cut_short = True
        elif address.domain not in self._domains:
            self._forwards[key] = address
        else:
            await self._follow_own(address, depth)

    async def _follow_own(self, address: Address, depth: int) -> None:
        """
        In order: the address itself, without its detail, postmaster, the catch-all of the domain.

        For each an alias goes before a user of the same name, so that a user's mail can be sent elsewhere; an
        alias that names its own source keeps a copy here.
        """
        base = address.without_detail(self._settings.separator)
        names = [address.key] if base is address else [address.key, base.key]
        for name in names:
            if await self._follow_name(name, depth):
                return
        if base.local_part.lower() == "postmaster" and self._settings.postmaster:
            self._targets.setdefault(self._settings.postmaster, Target(self._settings.postmaster))
            return
        await self._follow_alias(f"@{address.domain}", depth)

    async def _follow_name(self, name: str, depth: int) -> bool:
        if await self._follow_alias(name, depth):
            return True
        return await self._add_user(name)

    async def _follow_alias(self, source: str, depth: int) -> bool:
        leads = await self._directory.alias(source)
        for lead in leads:
            if lead.key == source:
                if not await self._add_user(source):
                    self._cut_short = True
            else:
                await self._follow(lead, depth + 1)
        return bool(leads)

    async def _add_user(self, name: str) -> bool:
        if name in self._targets:
            return True
        if await self._directory.password_hash(name) is None:
            return False
        self._targets[name] = Target(name)
        return True
