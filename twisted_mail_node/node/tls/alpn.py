"""
Which application protocol a client may mean (ALPN).

Source: RFC 7301 §3.2. A client that names protocols, and not the one that is spoken here, was led to the wrong server
(the cross-protocol attacks known as ALPACA): the handshake fails with no_application_protocol. One that names none
is served. IANA has registered imap and pop3; for SMTP there is no name, and the two are those that Exim takes.
"""

from __future__ import annotations

from OpenSSL.SSL import Connection, Context, Error, WantReadError

from ...mail.envelope import Service

_SMTP = (b"smtp", b"esmtp")

PROTOCOLS: dict[Service, tuple[bytes, ...]] = {
    Service.SMTP: _SMTP,
    Service.SUBMISSION: _SMTP,
    Service.LMTP: (b"lmtp",),
    Service.POP3: (b"pop3",),
    Service.IMAP: (b"imap",),
}


class OtherProtocol(Error):
    """The client wants to speak something else. Ends the handshake like any failure of OpenSSL's own."""


class ServedConnection(Connection):
    """
    A connection that knows which protocols may be spoken on it.

    Its application data would be another place, but Twisted has a use of its own for that.
    """

    def __init__(self, context: Context, protocols: tuple[bytes, ...]) -> None:
        super().__init__(context, None)
        self.protocols = protocols

    def bio_read(self, bufsiz: int) -> bytes:
        """
        All that is to be sent, in place of a piece of this size.

        Twisted asks once for each piece that comes, and what a client makes us answer without a word of its own
        (changes of keys) may be more: here it would pile up, where the transport's buffer is watched.
        """
        pieces = [super().bio_read(bufsiz)]
        try:
            while True:
                pieces.append(super().bio_read(bufsiz))
        except WantReadError:
            return b"".join(pieces)


def refuse_other_protocols(context: Context) -> None:
    """Let connections of the context, ServedConnections all of them, speak their own protocols and no other."""
    context.set_alpn_select_callback(_chosen)


def _chosen(connection: Connection, offered: list[bytes]) -> bytes:
    if isinstance(connection, ServedConnection):
        for protocol in connection.protocols:
            if protocol in offered:
                return protocol
    raise OtherProtocol([("node", "alpn", "the client wants another protocol")])
