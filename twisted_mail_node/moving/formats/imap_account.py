"""Logging in to an IMAP server that mail is fetched from; TLS and its certificate are insisted on by default."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from ..source import CannotRead

ANSWER_SECONDS = 120.0


class Protection(Enum):
    """How a connection is protected: from its beginning, after a command, or not at all."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


_PORTS = {Protection.IMPLICIT: 993, Protection.STARTTLS: 143, Protection.NONE: 143}


@dataclass(frozen=True, slots=True)
class IMAPLogin:
    """A user of a server. `port` 0 is the usual one; `ca_file` has certificates to trust, in place of the system's."""

    host: str
    user: str
    password: str
    port: int = 0
    protection: Protection = Protection.IMPLICIT
    ca_file: Path | None = None

    @property
    def identity(self) -> str:
        """Tells this user's mail there from all other mail."""
        return f"{self.user}@{self.host.lower()}"


def log_in(login: IMAPLogin) -> IMAPClient:
    """A client that is logged in. Raises: CannotRead: with the reason."""
    port = login.port or _PORTS[login.protection]
    try:
        context = ssl.create_default_context(cafile=login.ca_file)
        implicit = login.protection is Protection.IMPLICIT
        client = IMAPClient(
            login.host, port, ssl=implicit, ssl_context=context if implicit else None, timeout=ANSWER_SECONDS
        )
    except OSError as error:
        raise CannotRead(f"{login.host}:{port} can't be reached: {error}") from error
    # Dates are told with the zone that they were told in.
    client.normalise_times = False
    try:
        if login.protection is Protection.STARTTLS:
            client.starttls(context)
        client.login(login.user, login.password)
    except (IMAPClientError, OSError) as error:
        client.shutdown()
        raise CannotRead(f"{login.host} does not let {login.user} in: {error}") from error
    return client
