"""A Twisted server that greets and does nothing else, in plain and inside TLS; `idle.py` runs it for comparison."""

from __future__ import annotations

import sys

from twisted.internet import reactor as installed
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver

certificate, key = sys.argv[1:]
on_loopback = "0:interface=127.0.0.1"
ports = []


class Greeting(LineReceiver):
    """Says one line."""

    def connectionMade(self) -> None:
        """See IProtocol."""
        self.sendLine(b"ready")


for endpoint in (f"tcp:{on_loopback}", f"ssl:{on_loopback}:certKey={certificate}:privateKey={key}"):
    serverFromString(installed, endpoint).listen(Factory.forProtocol(Greeting)).addCallback(ports.append)
print(*(port.getHost().port for port in ports), flush=True)
installed.run()
