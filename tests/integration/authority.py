"""A DNS authority on loopback: records as one line of JSON on standard input, its port on standard output."""

from __future__ import annotations

import json
import sys

from twisted.internet import reactor
from twisted.internet.defer import fail, succeed
from twisted.names import dns, server
from twisted.names.common import ResolverBase
from twisted.names.error import AuthoritativeDomainError


class Zone(ResolverBase):
    """Answers from a list of [name, "MX", preference, host], [name, "A", address], [name, "AAAA", address]."""

    def __init__(self, records):
        super().__init__()
        self.records = {}
        for name, kind, *data in records:
            maker = {"MX": dns.Record_MX, "A": dns.Record_A, "AAAA": dns.Record_AAAA, "CNAME": dns.Record_CNAME}[kind]
            self.records.setdefault(name.lower(), []).append(maker(*data, ttl=1))

    def _lookup(self, name, cls, type, timeout):
        known = self.records.get(name.decode().lower().rstrip("."))
        if known is None:
            return fail(AuthoritativeDomainError(name))
        answers = [
            dns.RRHeader(name, record.TYPE, dns.IN, 1, record, auth=True) for record in known if type == record.TYPE
        ]
        return succeed((answers, [], []))


factory = server.DNSServerFactory(authorities=[Zone(json.loads(sys.stdin.readline()))])
tcp = reactor.listenTCP(0, factory, interface="127.0.0.1")
reactor.listenUDP(tcp.getHost().port, dns.DNSDatagramProtocol(factory), interface="127.0.0.1")
print(tcp.getHost().port, flush=True)
reactor.run()
