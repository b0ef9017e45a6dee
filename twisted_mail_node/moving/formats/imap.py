"""
An IMAP server as a source, read by a client library: mailboxes, flags, dates, UIDs. It is only read: nothing is
marked as seen there.

What is asked for at once is bounded by number and by octets; a large message comes in parts. Neighbours: `imap_account`
for how a connection is made.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from ...mail.columns import InternalDate
from ...mail.restoring import (
    MAX_RESTORED_MODSEQ,
    MAX_RESTORED_UID,
    MAX_RESTORED_UID_VALIDITY,
)
from ...mail.special_use import SPECIAL_USES
from ..keywords import flags_of_names
from ..source import CannotRead, Found, Known, Original, SourceMailbox, Unreadable, guid_of

DESCRIBED_AT_ONCE = 500
FETCHED_AT_ONCE_OCTETS = 2 * 1024 * 1024
PART_OCTETS = 1024 * 1024

_USES = {use.lower(): use for use in SPECIAL_USES}
_NOT_SELECTABLE = {b"\\noselect", b"\\nonexistent"}


class IMAPServer:
    """
    A server that a client is logged in to. `identity` tells it, and the user there, from all others.

    Raises: CannotRead: in all methods, where the server refuses or goes away.
    """

    def __init__(self, client: IMAPClient, identity: str) -> None:
        self._client = client
        self._identity = identity

    def mailboxes(self) -> Iterator[SourceMailbox | Unreadable]:
        """See Source."""
        with _told():
            listed = self._client.list_folders()
            subscribed = {_name(name) for _, _, name in self._client.list_sub_folders()}
        for flags, delimiter, raw_name in sorted(listed, key=lambda row: _name(row[2])):
            attributes = {bytes(flag).lower() for flag in flags}
            if attributes & _NOT_SELECTABLE:
                continue
            name = _name(raw_name)
            use = next((_USES[flag.decode()] for flag in attributes if flag.decode("ascii", "replace") in _USES), None)
            try:
                with _told():
                    selected = self._client.select_folder(raw_name, readonly=True)
                levels = _levels(name, delimiter)
                yield IMAPMailbox(self._client, self._identity, levels, use, name in subscribed, selected)
            except CannotRead as error:
                if isinstance(error.__cause__, IMAPClientAbortError | OSError):
                    raise
                yield Unreadable(name, str(error))


def _name(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def _levels(name: str, delimiter: bytes | None) -> list[str]:
    levels = name.split(delimiter.decode()) if delimiter else [name]
    if levels[0].upper() == "INBOX":
        # Servers that have everything below INBOX mean the same as those that have nothing there.
        return levels[1:]
    return levels


class IMAPMailbox:
    """One mailbox, selected for reading. See SourceMailbox."""

    # Any: what the library makes of an answer.
    def __init__(
        self,
        client: IMAPClient,
        identity: str,
        levels: Sequence[str],
        special_use: str | None,
        subscribed: bool,
        selected: dict[bytes, Any],
    ) -> None:
        self.levels = levels
        self.special_use = special_use
        self.subscribed = subscribed
        self._client = client
        validity = int(selected.get(b"UIDVALIDITY", 0))
        uid_next = int(selected.get(b"UIDNEXT", 1))
        modseq = int(selected.get(b"HIGHESTMODSEQ", 0))
        usable = 0 < validity <= MAX_RESTORED_UID_VALIDITY and 0 < uid_next <= MAX_RESTORED_UID + 1
        self.uid_validity = validity if usable else None
        self.uid_next = uid_next if usable else 1
        self.highest_modseq = modseq if 0 < modseq <= MAX_RESTORED_MODSEQ else None
        self._identity = (b"imap", identity.encode(), "\0".join(levels).encode("utf-8", "replace"), b"%d" % validity)
        self._where = "/".join(levels) or "INBOX"
        with _told():
            self._uids: list[int] = sorted(client.search("ALL"))
        self.amount = len(self._uids)

    def messages(self, known: Container[bytes]) -> Iterator[Found]:
        """See SourceMailbox."""
        for start in range(0, len(self._uids), DESCRIBED_AT_ONCE):
            wanted = []
            for uid in self._uids[start : start + DESCRIBED_AT_ONCE]:
                if self._guid(uid) in known:
                    yield Known()
                else:
                    wanted.append(uid)
            if wanted:
                yield from self._read(wanted)

    def _guid(self, uid: int) -> bytes:
        return guid_of(*self._identity, b"%d" % uid)

    def _read(self, uids: Sequence[int]) -> Iterator[Found]:
        described = self._fetch(uids, ["FLAGS", "INTERNALDATE", "RFC822.SIZE"])
        group: list[int] = []
        octets = 0
        for uid in uids:
            if uid not in described:
                yield Known()  # expunged there since it was listed
                continue
            size = int(described[uid].get(b"RFC822.SIZE", 0))
            if octets + size > FETCHED_AT_ONCE_OCTETS and group:
                yield from self._fetched(group, described)
                group, octets = [], 0
            if size > FETCHED_AT_ONCE_OCTETS:
                yield self._original(uid, described[uid], None)
            else:
                group.append(uid)
                octets += size
        if group:
            yield from self._fetched(group, described)

    # Any: as above.
    def _fetched(self, uids: Sequence[int], described: dict[int, dict[bytes, Any]]) -> Iterator[Found]:
        contents = self._fetch(uids, ["BODY.PEEK[]"])
        for uid in uids:
            content = contents.pop(uid, {}).get(b"BODY[]")
            if content is None:
                yield Unreadable(f"{self._where}, UID {uid}", "the server did not give it")
            else:
                yield self._original(uid, described[uid], content)

    def _original(self, uid: int, told: dict[bytes, Any], content: bytes | None) -> Original:
        date = told.get(b"INTERNALDATE")
        return Original(
            f"{self._where}, UID {uid}",
            self._guid(uid),
            flags_of_names(flag.decode("ascii", "replace") for flag in told.get(b"FLAGS", ())),
            _internal_date(date) if isinstance(date, datetime) else InternalDate(0),
            lambda: iter([content]) if content is not None else self._parts(uid),
            uid if self.uid_validity and uid <= MAX_RESTORED_UID else None,
        )

    def _parts(self, uid: int) -> Iterator[bytes]:
        # Until it ends: what a server says of sizes is not always so.
        offset = 0
        while True:
            answer = self._fetch([uid], [f"BODY.PEEK[]<{offset}.{PART_OCTETS}>"])
            part = answer.get(uid, {}).get(b"BODY[]<%d>" % offset)
            if part is None:
                raise CannotRead("the server did not give all of it")
            yield part
            offset += len(part)
            if len(part) < PART_OCTETS:
                return

    def _fetch(self, uids: Sequence[int], items: list[str]) -> dict[int, dict[bytes, Any]]:
        with _told():
            answer: dict[int, dict[bytes, Any]] = self._client.fetch(uids, items)
        return answer


def _internal_date(date: datetime) -> InternalDate:
    offset = date.utcoffset()
    return InternalDate(int(date.timestamp()), int(offset.total_seconds()) // 60 if offset else 0)


@contextmanager
def _told() -> Iterator[None]:
    """Make what the library raises CannotRead."""
    try:
        yield
    except (IMAPClientError, OSError) as error:
        raise CannotRead(f"the server says: {error}" if str(error) else "the server went away") from error
