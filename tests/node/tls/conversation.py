"""A client of Python's ssl that speaks in memory to what the node's TLS makes."""

from __future__ import annotations

import ssl
from pathlib import Path

from OpenSSL.SSL import WantReadError

from twisted_mail_node.mail.envelope import Service
from twisted_mail_node.node.config.sections import TLSSettings
from twisted_mail_node.testing.certificates import Issued


class Transport:
    """Stands for Twisted's TLS protocol where only its identity counts."""


def written(folder: Path, name: str, issued: Issued, *chain: Issued) -> dict[str, Path]:
    """The files of a certificate with its chain and key, as settings name them."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(b"".join(one.pem for one in (issued, *chain)))
    key.write_bytes(issued.key_pem)
    return {"certificate": certificate, "private_key": key}


def settings(first: dict[str, Path], *further: dict[str, Path], **others: object) -> TLSSettings:
    return TLSSettings.model_validate({**first, "further": further, **others})


def trusting(*authorities: Issued) -> ssl.SSLContext:
    return ssl.create_default_context(cadata="".join(one.pem.decode() for one in authorities))


class Conversation:
    """
    Both ends, and what they say to each other.

    `session` is one that the client has from before. Raises what either end raises.
    """

    def __init__(self, tls, client_context, name=None, *, service=Service.IMAP, asks=False, session=None):
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        if name is None:
            client_context.check_hostname = False
        self.client = client_context.wrap_bio(self._incoming, self._outgoing, server_hostname=name, session=session)
        self.transport = Transport()
        self.server = tls.serving(service, asks=asks).serverConnectionForTLS(self.transport)
        self.server.set_accept_state()
        # As Twisted does.
        self.server.set_app_data(self.transport)
        self.step(self.client.do_handshake, self.server.do_handshake)

    def step(self, *steps):
        """Let each end go on until neither has more to say."""
        for _ in range(6):
            for step in steps:
                try:
                    step()
                except (ssl.SSLWantReadError, WantReadError):
                    pass
                self.carry()

    def carry(self):
        """Hand over what the ends have sent."""
        if sent := self._outgoing.read():
            self.server.bio_write(sent)
        try:
            self._incoming.write(self.server.bio_read(65536))
        except WantReadError:
            pass

    def session(self) -> ssl.SSLSession:
        """What the client may resume; under TLS 1.3 it comes behind the handshake."""
        self.step(lambda: self.client.read(1), lambda: self.server.recv(1))
        return self.client.session

    @property
    def shown(self) -> bytes:
        """The certificate that the client was shown, DER."""
        return self.client.getpeercert(binary_form=True)
