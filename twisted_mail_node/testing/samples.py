"""Messages, transactions and accounts to try a backend with."""

from __future__ import annotations

from itertools import count

from ..interfaces.store import IAccount, IMailbox, IMailStore
from ..mail.address import Address
from ..mail.columns import InternalDate
from ..mail.flags import NO_FLAGS, Flags
from ..mail.message_keys import MessageKeys
from ..mail.transaction import Body, Outgoing, Placement, Transaction

_numbers = count(1)

# 14 November 2023, and a zone that is no whole number of hours.
DATE = InternalDate(1_700_000_000, 345)


def unique(prefix: str) -> str:
    """A text never given before in this process."""
    return f"{prefix}{next(_numbers)}"


def message(text: str = "Good morning.", subject: str = "Hello") -> bytes:
    """A small message, lines ended by CRLF."""
    header = f"From: Ann <ann@example.test>\r\nSubject: {subject}\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    return (header + "\r\n" + text.replace("\n", "\r\n") + "\r\n").encode()


def body(content: bytes | None = None, envelope: bytes | None = None, keys: MessageKeys | None = None) -> Body:
    """A body that travels with its transaction."""
    content = message() if content is None else content
    end = content.find(b"\r\n\r\n")
    header_size = len(content) if end < 0 else end + 4
    return Body(len(content), header_size, content, eight_bit=not content.isascii(), envelope=envelope, keys=keys)


def flags(*names: str) -> Flags:
    """Flags by their names."""
    return Flags.from_names(names) if names else NO_FLAGS


def place(
    account: str, mailbox: str = "INBOX", *, body: int = 0, prefix: bytes = b"", or_inbox: bool = True
) -> Placement:
    """One placement without flags."""
    return Placement(account, mailbox, body, DATE, prefix=prefix, or_inbox=or_inbox)


def outgoing(recipient: str, *, body: int = 0, sender: str | None = "ann@example.test") -> Outgoing:
    """One recipient elsewhere."""
    return Outgoing(body, Address.parse(sender) if sender else None, Address.parse(recipient))


def transaction(
    *parts: Placement | Outgoing, bodies: tuple[Body, ...] | None = None, now: float = 0.0, id: str = ""
) -> Transaction:
    """A transaction of these parts, with one small body unless told otherwise, and an id of its own."""
    return Transaction(
        id or unique("transaction-"),
        now,
        (body(),) if bodies is None else bodies,
        tuple(part for part in parts if isinstance(part, Placement)),
        tuple(part for part in parts if isinstance(part, Outgoing)),
    )


async def new_account(store: IMailStore, *mailboxes: tuple[str, str | None]) -> IAccount:
    """An account that nobody else uses."""
    name = unique("account-") + "@example.test"
    await store.create_account(name, mailboxes)
    return await store.account(name)


async def filled_inbox(account: IAccount, *messages: Flags) -> IMailbox:
    """INBOX with one more message for each of these flags."""
    inbox = await account.mailbox("INBOX")
    await inbox.append([(body(message(f"Number {i}")), wanted, DATE) for i, wanted in enumerate(messages, 1)])
    return inbox
