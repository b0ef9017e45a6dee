"""
Finds where mail for a domain is taken: `MXResolver`, the door IMXResolver over name servers and a cache.

It decides what an answer means: aliases followed, absent told apart from not answered. The order of hosts is
decided in `mx`, how servers are asked in `servers`. Sources: RFC 5321 §5.1, RFC 1034 §3.6.2, RFC 2308.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from socket import AF_INET6, inet_ntop
from typing import Any

from twisted.internet.defer import gatherResults
from twisted.names import dns
from twisted.names.hosts import searchFileForAll
from twisted.python.filepath import FilePath
from zope.interface import implementer

from ..interfaces.deferred import returns_deferred
from ..interfaces.dns import IMXResolver
from ..mail.errors import MailError, PermanentFailure, TemporaryFailure
from ..mail.mail_host import MailHost
from .cache import AnswerCache, Timed
from .mx import (
    MAX_ADDRESSES,
    NO_ROUTE,
    NO_SUCH_DOMAIN,
    UNSPECIFIED,
    MXRecord,
    Shuffle,
    is_address,
    literal_address,
    order_hosts,
    question_name,
)
from .servers import NO_ANSWER, ROUNDS_SECONDS, TCP_SECONDS, IDNSReactor, Server, Servers, system_servers

# How many aliases lead to a name before we call it a loop; as many as common resolvers follow.
MAX_ALIASES = 8
# RFC 2308 §5: a negative answer is kept for the SOA's minimum; this is taken where none came, and the longest kept.
NEGATIVE_SECONDS = 300.0
LONGEST_NEGATIVE_SECONDS = 900.0
# A time to live below this is taken as this: a burst of mail is no reason for a burst of questions.
SHORTEST_SECONDS = 5.0
# How long resolv.conf is believed before it is read again.
SYSTEM_SECONDS = 60.0

_Question = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Found:
    """The records of one type at `name`, where aliases led; `exists` is False for no such name."""

    name: str
    exists: bool
    hosts: tuple[MXRecord, ...] = ()
    addresses: tuple[str, ...] = ()


@implementer(IMXResolver)
class MXResolver:
    """
    Resolves by the servers given as (IP address, port), or the system's (resolv.conf and the hosts file).

    `shuffle` puts equally preferred hosts in some order. `stop` gives the sockets back and ends every lookup.
    """

    def __init__(
        self,
        reactor: IDNSReactor,
        servers: Sequence[Server] | None = None,
        *,
        shuffle: Shuffle | None = None,
        random_id: Callable[[], int] | None = None,
        rounds_seconds: Sequence[float] = ROUNDS_SECONDS,
        tcp_seconds: float = TCP_SECONDS,
        hosts_file: Path = Path("/etc/hosts"),
        resolv_conf: Path = Path("/etc/resolv.conf"),
    ) -> None:
        system_random = random.SystemRandom()
        self._shuffle: Shuffle = shuffle or system_random.shuffle
        self._clock = reactor
        self._given = servers
        self._hosts_file = hosts_file if servers is None else None
        self._resolv_conf = resolv_conf
        self._system: tuple[float, list[Server]] | None = None
        self._servers = Servers(
            reactor,
            self._current_servers,
            random_id or (lambda: system_random.getrandbits(16)),
            rounds_seconds=rounds_seconds,
            tcp_seconds=tcp_seconds,
        )
        self._cache: AnswerCache[_Question, _Found] = AnswerCache(reactor, self._look_up)

    @returns_deferred
    async def mail_hosts(self, domain: str) -> Sequence[MailHost]:
        """See IMXResolver. Source: RFC 5321 §5.1."""
        literal = literal_address(domain)
        if literal is not None:
            return (MailHost(domain, (literal,)),)
        name = question_name(domain)
        found = await self._cache.get((name, dns.MX))
        if not found.exists:
            raise PermanentFailure(f"there is no domain {domain}", NO_SUCH_DOMAIN)
        # RFC 5321 §5.1: without MX records the domain, or what its alias led to, is itself the host.
        ordered = order_hosts(name, found.hosts, self._shuffle) if found.hosts else [MXRecord(0, found.name)]
        reached = await gatherResults([self._attempt(record.exchange) for record in ordered], consumeErrors=True)
        if not any(isinstance(addresses, tuple) and addresses for addresses in reached):
            for error in reached:
                if isinstance(error, TemporaryFailure):
                    raise TemporaryFailure(error.text, error.status)
            raise PermanentFailure(f"no mail host of {domain} has an address", NO_ROUTE)
        return tuple(
            MailHost(record.exchange, addresses if isinstance(addresses, tuple) else (), record.preference)
            for record, addresses in zip(ordered, reached, strict=True)
        )

    @returns_deferred
    async def addresses(self, host: str) -> Sequence[str]:
        """See IMXResolver."""
        if is_address(host):
            return (host,)
        literal = literal_address(host)
        if literal is not None:
            return (literal,)
        addresses = await self._attempt(host)
        if isinstance(addresses, MailError):
            raise type(addresses)(addresses.text, addresses.status)
        if not addresses:
            raise PermanentFailure(f"the host {host} has no address", NO_ROUTE)
        return addresses

    def forget_failures(self) -> None:
        """Ask again for what could not be found lately."""
        self._cache.forget_failures()

    @returns_deferred
    async def stop(self) -> None:
        """End all lookups (they fail with Unavailable) and close the sockets. Fires when they are closed."""
        self._cache.stop()
        await self._servers.stop()

    @returns_deferred
    async def _attempt(self, host: str) -> tuple[str, ...] | MailError:
        """The host's addresses, IPv6 and IPv4 in turns; empty for none; the error where that is not known."""
        try:
            name = question_name(host)
        except PermanentFailure as error:
            return error
        known = self._locally_known(name)
        if known:
            return known
        six, four = await gatherResults(
            [self._ask_softly((name, dns.AAAA)), self._ask_softly((name, dns.A))], consumeErrors=True
        )
        found = [answer.addresses if isinstance(answer, _Found) else () for answer in (six, four)]
        # In turns, so that cutting the list never leaves a family out.
        merged = [address for address in chain.from_iterable(zip_longest(*found)) if address]
        if merged:
            return tuple(merged[:MAX_ADDRESSES])
        for answer in (six, four):
            if isinstance(answer, MailError):
                return answer
        if not any(isinstance(answer, _Found) and answer.exists for answer in (six, four)):
            return PermanentFailure(f"there is no host {host}", NO_SUCH_DOMAIN)
        return ()

    @returns_deferred
    async def _ask_softly(self, question: _Question) -> _Found | MailError:
        try:
            return await self._cache.get(question)
        except MailError as error:
            return error

    @returns_deferred
    async def _look_up(self, question: _Question) -> Timed[_Found]:
        name, record_type = question
        passed = {name}
        ttl_seconds = float("inf")
        while True:
            message = await self._servers.ask(name, record_type)
            asked = name
            for name, seconds in _aliases(asked, message.answers):
                # RFC 1034 §3.6.2 calls circles an error; the keeper of the zone may mend it, so it is temporary.
                if name in passed or len(passed) > MAX_ALIASES:
                    raise TemporaryFailure(f"the aliases of {question[0]} go round in circles", NO_ANSWER)
                passed.add(name)
                ttl_seconds = min(ttl_seconds, seconds)
            own = [r for r in message.answers if r.type == record_type and _text(r.name) == name]
            if own:
                ttl_seconds = min(ttl_seconds, *(float(r.ttl) for r in own))
                return Timed(_records(name, own), max(SHORTEST_SECONDS, ttl_seconds))
            if message.rCode == dns.ENAME or name == asked:
                ttl_seconds = min(ttl_seconds, _negative_seconds(message))
                found = _Found(name, exists=message.rCode != dns.ENAME)
                return Timed(found, max(SHORTEST_SECONDS, ttl_seconds))
            # The alias leads on to what this server did not tell.
            name = question_name(name)

    def _locally_known(self, name: str) -> tuple[str, ...]:
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 §6.3
            return ("127.0.0.1", "::1")
        if self._hosts_file is None:
            return ()
        return tuple(searchFileForAll(FilePath(str(self._hosts_file)), name.encode("ascii")))[:MAX_ADDRESSES]

    def _current_servers(self) -> Sequence[Server]:
        if self._given is not None:
            return self._given
        now = self._clock.seconds()
        if self._system is None or now >= self._system[0]:
            self._system = (now + SYSTEM_SECONDS, system_servers(self._resolv_conf))
        return self._system[1]


# Any: twisted.names has no type for what a record of a known type carries.
def _payload(record: dns.RRHeader) -> Any:
    return record.payload


def _text(name: dns.Name) -> str:
    text: bytes = name.name
    return text.decode("ascii", "backslashreplace").lower().rstrip(".")


def _aliases(name: str, answers: Sequence[dns.RRHeader]) -> Iterator[tuple[str, float]]:
    """Where the aliases among the answers lead from `name`, one after the other, each with its time to live."""
    aliases = {_text(r.name): r for r in answers if r.type == dns.CNAME}
    while name in aliases:
        record = aliases[name]
        name = _text(_payload(record).name)
        yield name, float(record.ttl)


def _records(name: str, records: Sequence[dns.RRHeader]) -> _Found:
    if records[0].type == dns.MX:
        hosts = tuple(MXRecord(_payload(r).preference, _text(_payload(r).name)) for r in records)
        return _Found(name, exists=True, hosts=hosts)
    addresses = (_address(r) for r in records)
    return _Found(name, exists=True, addresses=tuple(a for a in addresses if a not in UNSPECIFIED))


def _address(record: dns.RRHeader) -> str:
    if record.type == dns.AAAA:
        return inet_ntop(AF_INET6, _payload(record).address)
    text: str = _payload(record).dottedQuad()
    return text


def _negative_seconds(message: dns.Message) -> float:
    """For how long "there is none" is believed. Source: RFC 2308 §5."""
    told = [float(min(r.ttl, _payload(r).minimum)) for r in message.authority if r.type == dns.SOA]
    return min(LONGEST_NEGATIVE_SECONDS, *told) if told else NEGATIVE_SECONDS
