"""Where mail is kept, and how it is read: [store], [quota], [pop3], [imap]."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ....store.history import HISTORY_SECONDS
from ..values import URI, AccountName, Flag, Limit, MailboxName, Seconds, Size
from .table import Table


class StoreSettings(Table):
    """[store]: where mail, users and the queue are kept."""

    kind: Literal["memory", "sqlite", "postgres"] = Field(
        default="sqlite",
        description="sqlite: a file in the state folder; postgres: a server, which several nodes may share; memory "
        "forgets all when the node stops.",
    )
    dsn: SecretStr = Field(default=SecretStr(""), description="For postgres: a connection string of libpq.")
    remembered: Annotated[Size, Field(ge=1)] = Field(
        default=32 * 1024 * 1024,
        description="How much is remembered of what is computed for an application's own store.",
    )
    bodies: Literal["database", "maildir"] = Field(
        default="database",
        description="Where messages of mailboxes are: in the database, or files that other programs see as well.",
    )
    maildir: Path = Field(
        default=Path("maildir"), description="For maildir: the folder of all accounts; relative to the state folder."
    )
    history: Annotated[Seconds, Field(ge=86_400)] = Field(
        default=HISTORY_SECONDS,
        description="How long it is remembered what was expunged; clients away for longer are told of all that is gone "
        "(RFC 7162 §5.3).",
    )
    maildir_group: Flag = Field(
        default=False, description="For maildir: whether the group of the files may read and write them too."
    )


class QuotaSettings(Table):
    """[quota]: how much an account may hold."""

    size: Size = Field(default=0, description="All messages of an account; 0 for any size.")
    messages: Limit = Field(default=0, description="How many messages an account may hold; 0 for any number.")
    full: Literal["later", "refuse"] = Field(
        default="later",
        description="What is said of mail for an account that is full: that it may come later (RFC 3463 §3.3), or no.",
    )
    administrators: tuple[AccountName, ...] = Field(
        default=(), description="Accounts that may see and set everybody's by IMAP (RFC 9208)."
    )


class POP3Settings(Table):
    """[pop3]"""

    idle_timeout: Annotated[Seconds, Field(ge=600)] = Field(
        default=600.0, description="A client that says nothing this long is left (RFC 1939: 10 min)."
    )
    login_delay: Seconds = Field(
        default=0.0, description="What has to pass between two logins to one maildrop (RFC 2449); 0 s is nothing."
    )
    utf8_headers: Literal["downgrade", "refuse"] = Field(
        default="downgrade",
        description="What clients without UTF8 get of mail whose header is beyond ASCII (RFC 6856).",
    )
    language: Literal["en", "de", "ja"] = Field(
        default="en", description='The language that a client gets which asks for "*" (RFC 6856).'
    )
    apop: Flag = Field(
        default=False, description="Whether APOP is offered, where an application's checker has plain secrets."
    )


class IMAPSettings(Table):
    """[imap]"""

    delimiter: Literal["/", "."] = Field(default="/", description="What stands between the levels of a mailbox name.")
    new_mailboxes: tuple[MailboxName, ...] = Field(
        default=("Drafts", "Sent", "Junk", "Trash", "Archive"),
        description="Made with each new account, beside INBOX; those named so, with their SPECIAL-USE.",
    )
    idle_timeout: Annotated[Seconds, Field(ge=1800)] = Field(
        default=1860.0, description="A client that says nothing this long is left (RFC 3501: 30 min)."
    )
    language: Literal["i-default", "en", "de", "ja"] = Field(
        default="i-default",
        description='The language that a client gets which asks for "default" (RFC 5255); i-default is English.',
    )
    compress: Flag = Field(default=True, description="Whether clients may have what is sent compressed (RFC 4978).")
    unauthenticate: Flag = Field(
        default=True, description="Whether another user may log in on a connection that one has left (RFC 8437)."
    )
    comment: str = Field(default="", description="A note about this server that clients may show (RFC 5464).")
    admin: URI = Field(
        default="",
        description="How the administrator is reached, as a URI (RFC 5464); empty: mail to postmaster of the first "
        "domain.",
    )
    other_users: Annotated[str, Field(pattern=r"^[^/.*%\x00-\x1f\x7f]*$", max_length=100)] = Field(
        default="",
        description="The level below which users see what others share with them (RFC 2342, RFC 4314); empty: "
        "nothing is shared.",
    )
    annotation_size: Annotated[Size, Field(ge=1024, le=48 * 1024)] = Field(
        default=16 * 1024, description="The largest annotation of a mailbox (RFC 5464: 1024 octets at least)."
    )
    annotations: Annotated[int, Field(ge=10, le=1000)] = Field(
        default=100,
        description="How many annotations each user may have of a mailbox, and how many it may have for all "
        "(RFC 5464: 10 at least).",
    )
