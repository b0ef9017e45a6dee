"""
The files that Dovecot keeps beside a Maildir: which UID a message has, what keywords stand for, what is subscribed.

Source: Dovecot's documentation of its Maildir format (dovecot-uidlist version 3 and 1, dovecot-keywords,
subscriptions version 1 and 2). Lines that are none are passed over: a message without its line is a message without
its UID, no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ...mail.restoring import MAX_RESTORED_UID, MAX_RESTORED_UID_VALIDITY
from .maildir_names import base_of, decoded_level

UIDLIST = "dovecot-uidlist"
KEYWORDS = "dovecot-keywords"
SUBSCRIPTIONS = "subscriptions"


class UIDListHead(NamedTuple):
    """What the first line says. `uid_validity` is None where it says nothing usable."""

    uid_validity: int | None
    uid_next: int


def read_uidlist_head(line: bytes) -> UIDListHead:
    """Read the first line."""
    version, *fields = line.split()[:20] or [b""]
    uid_validity = uid_next = 0
    if version == b"1" and len(fields) >= 2:
        uid_validity, uid_next = _number(fields[0]), _number(fields[1])
    elif version == b"3":
        told = {part[:1]: part[1:] for part in fields}
        uid_validity, uid_next = _number(told.get(b"V", b"")), _number(told.get(b"N", b""))
    if 0 < uid_validity <= MAX_RESTORED_UID_VALIDITY and uid_next <= MAX_RESTORED_UID + 1:
        return UIDListHead(uid_validity, max(1, uid_next))
    return UIDListHead(None, 1)


def read_uids(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Read the lines behind it: UIDs, and the names that stay."""
    for line in lines:
        uid_text, _, told = line.rstrip(b"\r\n").partition(b" ")
        # Version 3 has fields in front of the name, which begins with ":"; version 1 has the name alone.
        name = told[1:] if told.startswith(b":") else told.partition(b" :")[2] or told
        uid = _number(uid_text)
        if name and 0 < uid <= MAX_RESTORED_UID:
            yield uid, base_of(name)


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) <= 10 else 0


def uidlist_line(uid_validity: int, uid_next: int, mailbox_id: int) -> bytes:
    """The file's first line, of one length for all UIDs; the mailbox's own id is made of the two numbers."""
    return b"3 V%d N%010d G%016x%016x\n" % (uid_validity, uid_next, uid_validity, mailbox_id)


def read_subscriptions(lines: Sequence[str]) -> set[tuple[str, ...]]:
    """The subscribed mailboxes, level by level; of version 2, or of version 1 with "." or "/" between levels."""
    names = [line.rstrip("\r\n") for line in lines]
    if names and names[0].startswith("V\t2"):
        split = [name.split("\t") for name in names[1:] if name]
    else:
        # Courier writes INBOX in front of every name.
        split = [name.replace("/", ".").removeprefix("INBOX.").split(".") for name in names if name]
    found = {tuple(decoded_level(level) for level in levels) for levels in split}
    return {() if levels == ("INBOX",) else levels for levels in found}


def subscription_lines(names: Iterable[Sequence[str]]) -> Iterator[str]:
    """The file's lines, version 2; names level by level as they are written in folders' names."""
    yield "V\t2\n\n"
    for levels in names:
        yield "\t".join(levels) + "\n"
