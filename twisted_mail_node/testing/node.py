"""
A whole node for a test: in memory, on free ports of loopback, with TLS, in the reactor that runs the test.

    node = await RunningNode.start(reactor, tmp_path)
    await node.add_user("alice@example.test")
    smtplib, imaplib ... at node.port("imap")
    message = await node.wait_for_message("alice@example.test")
    await node.stop()

With pytest-twisted, the fixture `mail_node` of `twisted_mail_node.testing.plugin` does the first and the last line.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred

from ..mail.changes import ChangeNotice
from ..node.assemble import assemble
from ..node.config import parse_config
from ..node.doors import Storage
from ..node.service import MailNode
from ..node.storage import Reactor
from ..node.tls import make_certificate

DOMAIN = "example.test"
PASSWORD = "secret"

_LISTEN = [
    {"service": "smtp", "tls": "starttls", "auth": "off"},
    {"service": "submission", "tls": "starttls", "auth": "required"},
    {"service": "submission", "tls": "implicit", "auth": "required"},
    {"service": "lmtp", "tls": "none", "auth": "off"},
    {"service": "pop3", "tls": "starttls"},
    {"service": "pop3", "tls": "implicit"},
    {"service": "imap", "tls": "starttls"},
    {"service": "imap", "tls": "implicit"},
]


class RunningNode:
    """
    A node that serves. Made by `start`.

    Attributes: `node`, the MailNode; `trust`, an ssl.SSLContext for clients that trusts its certificate, which is
    for localhost and 127.0.0.1.
    """

    def __init__(self, node: MailNode, trust: ssl.SSLContext) -> None:
        self.node = node
        self.trust = trust
        self._seen: dict[tuple[str, str], int] = {}

    # Any: settings are what TOML has.
    @classmethod
    async def start(
        cls,
        reactor: Reactor,
        folder: Path,
        settings: Mapping[str, Any] | None = None,
        *,
        storage: Storage | None = None,
        checkers: Sequence[ICredentialsChecker] | None = None,
    ) -> RunningNode:
        """
        Start a node with its state and certificate in `folder`, which exists.

        `settings` is laid over the kit's own, table by table: `{"store": {"kind": "sqlite"}}`. `storage` and
        `checkers` are given to `assemble`.
        """
        certificate, private_key = make_certificate(["localhost", DOMAIN], datetime.now(UTC))
        (folder / "cert.pem").write_bytes(certificate)
        (folder / "key.pem").write_bytes(private_key)
        given: dict[str, Any] = {
            "hostname": f"mx.{DOMAIN}",
            "state_dir": "state",
            "domain": [{"name": DOMAIN}],
            "listen": [{**listen, "endpoint": "tcp:0:interface=127.0.0.1"} for listen in _LISTEN],
            "tls": {"certificate": "cert.pem", "private_key": "key.pem"},
            "store": {"kind": "memory"},
            # A test's password needs no protection, and its reader no patience.
            "auth": {"hash_memory": "8 KiB", "hash_passes": 1},
            # Nobody listens there: what is sent to other nodes stays in the queue.
            "dns": {"servers": ["127.0.0.1:1"]},
        }
        config = parse_config({**given, **(settings or {})}, base=folder, source="the test's settings")
        node = assemble(config, reactor=reactor, storage=storage, checkers=checkers)
        node.startService()
        await node.when_serving()
        return cls(node, ssl.create_default_context(cadata=certificate.decode("ascii")))

    def port(self, service: str, tls: str = "starttls") -> int:
        """The TCP port of a service; `tls` is "starttls", "implicit" or "none"."""
        for listener in self.node.listeners:
            if listener.service == service and listener.tls == tls:
                return listener.port
        raise LookupError(f"the node does not offer {service} with tls = {tls}")

    async def add_user(self, name: str, password: str = PASSWORD) -> None:
        """Add a user of one of the node's domains."""
        await self.node.operations.perform("user.add", {"name": name, "password": password})

    async def messages(self, name: str, mailbox: str = "INBOX") -> Sequence[bytes]:
        """All messages of a mailbox, the oldest first."""
        return [content for _, content in await self._contents(name, mailbox)]

    async def wait_for_message(self, name: str, mailbox: str = "INBOX", timeout_seconds: float = 10.0) -> bytes:
        """The next message of a mailbox that this has not given yet. Fails with defer.TimeoutError."""
        arrived: list[Deferred[None]] = []

        def told(_: ChangeNotice) -> None:
            while arrived:
                arrived.pop().callback(None)

        watch = self.node.storage.store.watch(name, told)
        try:
            while True:
                change: Deferred[None] = Deferred()
                arrived.append(change)
                for uid, content in await self._contents(name, mailbox):
                    if uid > self._seen.get((name, mailbox), 0):
                        self._seen[name, mailbox] = uid
                        return content
                await change.addTimeout(timeout_seconds, self.node.reactor)
        finally:
            watch.cancel()

    async def stop(self) -> None:
        """Stop the node."""
        await self.node.stopService()

    async def _contents(self, name: str, mailbox: str) -> list[tuple[int, bytes]]:
        found = []
        opened_mailbox = await (await self.node.storage.store.account(name)).mailbox(mailbox)
        for uid in await opened_mailbox.uids():
            body = await opened_mailbox.open_body(uid)
            found.append((uid, await body.read(0, body.size)))
            body.close()
        return found
