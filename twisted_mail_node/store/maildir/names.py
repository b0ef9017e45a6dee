"""
What accounts, mailboxes and new messages are called as files.

A mailbox is a Maildir++ folder: `.Name.Sub`, each level in modified UTF-7, as Courier and Dovecot have it. A dot
within a level is shifted as well (`&AC4-`), which modified UTF-7 knows but does not do: it would end the level.
"""

from __future__ import annotations

import os
import re
import socket
import time
from hashlib import sha256
from itertools import count
from secrets import token_hex

from ...mail.errors import BadMailboxName
from ...mail.mailbox_name import INBOX, SEPARATOR, checked
from ...wire.imap.mailbox_name import decode_text, encode

INBOX_FOLDER = b"."
"""INBOX is the account's Maildir itself."""

_DOT = b"&AC4-"
_LONGEST = 240
"""Our own bound: NAME_MAX is 255 nearly everywhere; other programs add to names while they work."""
_DIGITS = 40
_ESCAPED = re.compile(rb"%([0-9A-F]{2})")
_TO_ESCAPE = re.compile(rb"[\x00-\x1f%/\x7f]|\A\.")


def folder_of(mailbox: str) -> bytes:
    """
    The folder of a mailbox, relative to its account's.

    A name too long for a file's is cut, and ends in a digest of the whole: others see the mailbox under that name.
    """
    if mailbox == INBOX:
        return INBOX_FOLDER
    name = b"".join(b"." + encode(level).replace(b".", _DOT) for level in mailbox.split(SEPARATOR))
    if len(name) <= _LONGEST:
        return name
    return name[: _LONGEST - _DIGITS - 1] + b"~" + sha256(name).hexdigest()[:_DIGITS].encode()


def mailbox_of(folder: bytes) -> str | None:
    """The mailbox that a folder `.Name.Sub` is, or None where its name is none that we would give."""
    levels = []
    for level in folder[1:].split(b"."):
        parts = [decode_text(part) for part in level.split(_DOT)]
        if None in parts:
            return None
        levels.append(".".join(part for part in parts if part is not None))
    if any(SEPARATOR in level for level in levels):
        return None
    try:
        name = checked(SEPARATOR.join(levels))
    except BadMailboxName:
        return None
    return name if name != INBOX and folder_of(name) == folder else None


def account_folder(account: str) -> bytes:
    """The folder of an account, relative to the root: its name, with what no file name can have as %XX."""
    name = _TO_ESCAPE.sub(lambda match: b"%%%02X" % match[0][0], account.encode("utf-8", "surrogateescape"))
    if len(name) <= _LONGEST:
        return name
    return name[: _LONGEST - _DIGITS - 1] + b"~" + sha256(name).hexdigest()[:_DIGITS].encode()


def account_of(folder: bytes) -> str | None:
    """The account that has this folder; None where its name may have been cut."""
    if len(folder) >= _LONGEST:
        return None
    name = _ESCAPED.sub(lambda match: bytes((int(match[1], 16),)), folder).decode("utf-8", "surrogateescape")
    return name if account_folder(name) == folder else None


class NewNames:
    """Gives bases of names that nobody else gives: maildir(5)'s time, process and host, and a number by chance."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._host = re.sub(rb"[^A-Za-z0-9.-]", b"_", os.fsencode(socket.gethostname()))[:64] or b"localhost"
        self._unique = b"P%dR%s" % (os.getpid(), token_hex(4).encode())

    def new(self, on_wire: int | None, stored: int | None = None) -> bytes:
        """
        A base for a message of so many octets with CRLF line ends, and so many in its file.

        Ours are kept as they are sent: one number then stands for both. None where it is not known.
        """
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        stored = on_wire if stored is None else stored
        return b"%d.M%d%sQ%d.%s%s%s" % (
            seconds,
            nanoseconds // 1000,
            self._unique,
            next(self._numbers),
            self._host,
            b"" if stored is None else b",S=%d" % stored,
            b"" if on_wire is None else b",W=%d" % on_wire,
        )
