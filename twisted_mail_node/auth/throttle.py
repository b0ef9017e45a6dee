"""
The record of failed logins: who has failed lately, and how long the next answer has to wait for it.

Decides delays only, from a clock that is given; nobody is locked out. Hosts are counted by address (IPv6 by /64,
the smallest part that one subscriber gets), and accounts by name whether they exist or not. A host that has logged in
to an account before is counted apart for it: it waits for its own failures there, and neither for what others do to
that account nor for what else comes from that host. So an account of one's own buys no guesses at others', and one
mailer with an old password holds up nobody behind the same address. Neighbours: `protocols.login` asks and waits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Generic, TypeVar

from twisted.logger import Logger
from zope.interface import implementer

from ..interfaces.auth import IAttempts
from ..mail.host import host_key

# Failures that cost nothing: everyone mistypes. An account gets more, since others can fail in its name.
FREE_HOST_FAILURES = 3
FREE_ACCOUNT_FAILURES = 10
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 16.0
# Half of what was counted is forgotten after this time.
HALF_LIFE_SECONDS = 600.0
# Answers of one host or account are queued one behind the other up to here; beyond, nothing more is queued.
LONGEST_QUEUE_SECONDS = 30.0
MAX_RECORDS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowed:
    """
    A host or an account whose next answer has to wait.

    Attributes:
        host: its address, or for IPv6 its network; "" for an account.
        account: its name; "" for a host. With both, the host waits for this account alone.
        failures: how many count still; they fade.
        delay_seconds: how long the next answer takes, where nobody else waits for one.
    """

    host: str = ""
    account: str = ""
    failures: float
    delay_seconds: float


class _Record:
    """Failures of one host or account: a decaying count, and the time at which its next answer may be given."""

    __slots__ = ("counted_at", "failures", "next_answer")

    def __init__(self, now: float) -> None:
        self.failures = 0.0
        self.counted_at = now
        self.next_answer = now

    def failures_now(self, now: float) -> float:
        return self.failures * float(0.5 ** ((now - self.counted_at) / HALF_LIFE_SECONDS))

    def add_failure(self, now: float) -> None:
        self.failures = self.failures_now(now) + 1.0
        self.counted_at = now

    def delay(self, now: float, free: int) -> float:
        """How long one answer takes, growing by half with every failure beyond the free ones."""
        above = self.failures_now(now) - free
        # Rounded up a little: three failures in a row are three, though the first has decayed by some parts.
        if above < -0.05:
            return 0.0
        # Above 40 the power would only be cut off again.
        return min(FIRST_DELAY_SECONDS * float(1.5 ** max(0.0, min(above, 40.0))), LONGEST_DELAY_SECONDS)


# A host, an account, or both.
_Key = TypeVar("_Key", str, tuple[str, str])


class _Table(Generic[_Key]):
    """Records by name, of which the least recently touched is forgotten when there are too many."""

    def __init__(self, free: int, limit: int) -> None:
        self._free = free
        self._limit = limit
        self._records: OrderedDict[_Key, _Record] = OrderedDict()

    def __len__(self) -> int:
        return len(self._records)

    def slowed(self, now: float) -> Iterator[tuple[_Key, float, float]]:
        """(name, failures, delay) of those who have to wait."""
        for key, record in self._records.items():
            if delay := record.delay(now, self._free):
                yield key, record.failures_now(now), delay

    def add_failure(self, key: _Key, now: float) -> bool:
        """Returns whether this failure is the one from which on answers have to wait."""
        record = self._records.get(key) or self.begin(key, now)
        self._records.move_to_end(key)
        waited = record.delay(now, self._free) > 0
        record.add_failure(now)
        return not waited and record.delay(now, self._free) > 0

    def begin(self, key: _Key, now: float) -> _Record:
        """A record without failures; what there was before is forgotten."""
        record = self._records[key] = _Record(now)
        self._records.move_to_end(key)
        if len(self._records) > self._limit:
            self._records.popitem(last=False)
        return record

    def __contains__(self, key: _Key) -> bool:
        return key in self._records

    def forget(self, key: _Key) -> bool:
        return self._records.pop(key, None) is not None

    def wait(self, key: _Key, now: float) -> float:
        """When the next answer may be given, from now."""
        record = self._records.get(key)
        if record is None:
            return 0.0
        delay = record.delay(now, self._free)
        return max(record.next_answer - now, 0.0) + delay if delay else 0.0

    def queue(self, key: _Key, answer_at: float) -> None:
        record = self._records.get(key)
        if record is not None:
            record.next_answer = max(record.next_answer, answer_at)


@implementer(IAttempts)
class FailedLogins:
    """
    The record of one node, for all its listeners.

    Attempts of one host (or on one account) that come at the same time are queued one behind the other, so that
    many connections guess no faster than one. `delay_before` queues; what it gives beyond LONGEST_QUEUE_SECONDS
    was not queued, and its caller should send the peer away.
    """

    _log = Logger()

    def __init__(
        self, seconds: Callable[[], float], trusted_networks: Sequence[str] = (), max_records: int = MAX_RECORDS
    ) -> None:
        """
        Args:
            seconds: the clock.
            trusted_networks: as `192.0.2.0/24` or single addresses; their hosts never wait.
            max_records: bound of each table.
        """
        self._seconds = seconds
        self._hosts: _Table[str] = _Table(FREE_HOST_FAILURES, max_records)
        self._accounts: _Table[str] = _Table(FREE_ACCOUNT_FAILURES, max_records)
        # (host, account) where there was a login: everyone may mistype there as at a host.
        self._known: _Table[tuple[str, str]] = _Table(FREE_HOST_FAILURES, max_records)
        networks = tuple(ip_network(network, strict=False) for network in trusted_networks)
        self._host_key = lru_cache(maxsize=4096)(lambda host: host_key(host, networks))

    def delay_before(self, host: str, name: str) -> float:
        """See IAttempts."""
        key = self._host_key(host)
        if key is None:
            return 0.0
        now = self._seconds()
        if (key, name) in self._known:
            delay = self._known.wait((key, name), now)
            if 0.0 < delay <= LONGEST_QUEUE_SECONDS:
                self._known.queue((key, name), now + delay)
            return delay
        delay = max(self._hosts.wait(key, now), self._accounts.wait(name, now))
        if 0.0 < delay <= LONGEST_QUEUE_SECONDS:
            self._hosts.queue(key, now + delay)
            self._accounts.queue(name, now + delay)
        return delay

    def failed(self, host: str, name: str) -> None:
        """See IAttempts."""
        key = self._host_key(host)
        if key is None:
            return
        now = self._seconds()
        if (key, name) in self._known:
            if self._known.add_failure((key, name), now):
                self._log.info(
                    "logins from {peer} to {account!r} are slowed: too many have failed", peer=key, account=name
                )
            return
        if self._hosts.add_failure(key, now):
            self._log.info("logins from {peer} are slowed: too many have failed", peer=key, account=name)
        if name and self._accounts.add_failure(name, now):
            self._log.info("logins to {account!r} are slowed: too many have failed", account=name, peer=key)

    def succeeded(self, host: str, name: str) -> None:
        """See IAttempts. What is counted of the host and of the account stays; together they are known from now on."""
        key = self._host_key(host)
        if key is not None:
            self._known.begin((key, name), self._seconds())

    def slowed(self) -> Sequence[Slowed]:
        """Who has to wait now, those with most failures first."""
        now = self._seconds()
        found = [Slowed(host=key, failures=n, delay_seconds=delay) for key, n, delay in self._hosts.slowed(now)]
        found += [Slowed(account=key, failures=n, delay_seconds=delay) for key, n, delay in self._accounts.slowed(now)]
        found += [
            Slowed(host=host, account=name, failures=n, delay_seconds=delay)
            for (host, name), n, delay in self._known.slowed(now)
        ]
        return sorted(found, key=lambda slowed: slowed.failures, reverse=True)

    def release(self, host_or_account: str) -> bool:
        """Forget the failures of an address, an IPv6 network or an account. Returns whether there were any."""
        names = {host_or_account, host_key(host_or_account.partition("/")[0]) or ""}
        released = [table.forget(name) for table in (self._hosts, self._accounts) for name in names]
        slowed = [pair for pair, _, _ in self._known.slowed(self._seconds()) if names & set(pair)]
        for pair in slowed:
            self._known.begin(pair, self._seconds())
        return any(released) or bool(slowed)
