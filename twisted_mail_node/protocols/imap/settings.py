"""What can be set of an IMAP service."""

from __future__ import annotations

from dataclasses import dataclass

from .languages import DEFAULT_TAG, LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class IMAPSettings:
    """
    The settings of one IMAP service, shared by its sessions.

    Attributes:
        hostname: told in the greeting.
        delimiter: what clients see between the levels of a mailbox name, "/" or ".".
        max_message_octets: APPEND refuses more, before it is read where the client waits for an answer.
        login_seconds: how long a client may be silent before it has logged in.
        inactivity_seconds: and after; at least half an hour (RFC 3501 §5.4).
        mistake_limit: after so many commands that were none, or logins that failed, the connection is closed.
        compress: whether COMPRESS is offered; under TLS, who watches the sizes of what is sent may learn from them.
        unauthenticate: whether UNAUTHENTICATE is offered.
        comment: a note about the server, for its users; "" for none (RFC 5464 §3.2.1.1).
        admin: the URI by which its administrator is reached; "" for none.
        other_users: what the names of other users' mailboxes begin with (RFC 2342 §4); "" shares none.
        metadata_octets: the largest value that an annotation may have; 1024 at least (RFC 5464 §4.1).
        metadata_entries: how many annotations a user may have of a mailbox, and how many it may have for all; 10 at
            least.
        administrators: accounts that may see and set everybody's quota.
        name, version: told in answer to ID.
        language: the tag of the language that `LANGUAGE default` chooses (RFC 5255 §3.2).
    """

    hostname: str = "localhost"
    delimiter: str = "/"
    max_message_octets: int = 50 * 1024 * 1024
    login_seconds: float = 180.0
    inactivity_seconds: float = 1860.0
    mistake_limit: int = 50
    compress: bool = True
    unauthenticate: bool = True
    comment: str = ""
    admin: str = ""
    other_users: str = ""
    metadata_octets: int = 16 * 1024
    metadata_entries: int = 100
    administrators: tuple[str, ...] = ()
    name: str = "twisted-mail-node"
    version: str = ""
    language: str = DEFAULT_TAG

    def __post_init__(self) -> None:
        if self.delimiter not in ("/", "."):
            raise ValueError(f"the delimiter is / or . and not {self.delimiter!r}")
        if self.language not in LANGUAGES:
            raise ValueError(f"there is no language {self.language!r}")
