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
_NOT_SELECTABLE = {"\\noselect", "\\nonexistent"}

# Any: what the library makes of an answer. A CannotRead where a message's made no sense.
_Answers = dict[int, dict[bytes, Any] | CannotRead]


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
            attributes = {_flag(flag).lower() for flag in flags or ()}
            if attributes & _NOT_SELECTABLE:
                continue
            name = _name(raw_name)
            use = next((_USES[attribute] for attribute in attributes if attribute in _USES), None)
            try:
                with _told():
                    selected = self._client.select_folder(raw_name, readonly=True)
                levels = _levels(name, delimiter)
                yield IMAPMailbox(self._client, self._identity, levels, use, name in subscribed, selected)
            except CannotRead as error:
                if _went_away(error):
                    raise
                yield Unreadable(name, str(error))


def _name(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def _levels(name: str, delimiter: bytes | None) -> list[str]:
    # The library makes an int of a delimiter or a name that is a digit.
    levels = name.split(delimiter.decode("utf-8", "replace")) if isinstance(delimiter, bytes) and delimiter else [name]
    if levels[0].upper() == "INBOX":
        # Servers that have everything below INBOX mean the same as those that have nothing there.
        return levels[1:]
    return levels


class IMAPMailbox:
    """One mailbox, selected for reading. See SourceMailbox."""

    # Any: as above.
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
        validity = _number(selected.get(b"UIDVALIDITY"))
        uid_next = _number(selected.get(b"UIDNEXT"), 1)
        modseq = _number(selected.get(b"HIGHESTMODSEQ"))
        usable = 0 < validity <= MAX_RESTORED_UID_VALIDITY and 0 < uid_next <= MAX_RESTORED_UID + 1
        self.uid_validity = validity if usable else None
        self.uid_next = uid_next if usable else 1
        self.highest_modseq = modseq if 0 < modseq <= MAX_RESTORED_MODSEQ else None
        self._identity = (b"imap", identity.encode(), "\0".join(levels).encode("utf-8", "replace"), b"%d" % validity)
        self._where = "/".join(levels) or "INBOX"
        with _told():
            self._uids: list[int] = sorted(set(client.search("ALL")))
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
        described = self._fetch_each(uids, ["FLAGS", "INTERNALDATE", "RFC822.SIZE"])
        group: list[int] = []
        octets = 0
        for uid in uids:
            told = described.get(uid)
            if told is None:
                yield Known()  # expunged there since it was listed
                continue
            if isinstance(told, CannotRead):
                yield self._unreadable(uid, str(told))
                continue
            size = _number(told.get(b"RFC822.SIZE"))
            if octets + size > FETCHED_AT_ONCE_OCTETS and group:
                yield from self._fetched(group, described)
                group, octets = [], 0
            if size > FETCHED_AT_ONCE_OCTETS:
                yield self._original(uid, told, None)
            else:
                group.append(uid)
                octets += size
        if group:
            yield from self._fetched(group, described)

    def _fetched(self, uids: Sequence[int], described: _Answers) -> Iterator[Found]:
        contents = self._fetch_each(uids, ["BODY.PEEK[]"])
        for uid in uids:
            told, answer = described[uid], contents.pop(uid, {})
            content = None if isinstance(answer, CannotRead) else answer.get(b"BODY[]")
            if isinstance(answer, CannotRead):
                yield self._unreadable(uid, str(answer))
            elif isinstance(told, CannotRead) or not isinstance(content, bytes):
                yield self._unreadable(uid, "the server did not give it")
            else:
                yield self._original(uid, told, content)

    def _unreadable(self, uid: int, reason: str) -> Unreadable:
        return Unreadable(f"{self._where}, UID {uid}", reason)

    def _fetch_each(self, uids: Sequence[int], items: list[str]) -> _Answers:
        """Fetch them together; where the server fails at that, one by one, with what it says of each."""
        try:
            return {**self._fetch(uids, items)}
        except CannotRead as error:
            if _went_away(error):
                raise
        answers: _Answers = {}
        for uid in uids:
            try:
                answers.update(self._fetch([uid], items))
            except CannotRead as error:
                if _went_away(error):
                    raise
                answers[uid] = error
        return answers

    def _original(self, uid: int, told: dict[bytes, Any], content: bytes | None) -> Original:
        date = told.get(b"INTERNALDATE")
        return Original(
            f"{self._where}, UID {uid}",
            self._guid(uid),
            flags_of_names(_flag(flag) for flag in told.get(b"FLAGS") or ()),
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
            if not isinstance(part, bytes):
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


# Any: as above.
def _number(told: Any, otherwise: int = 0) -> int:
    return told if isinstance(told, int) else otherwise


# Any: as above; a keyword of digits is an int then.
def _flag(told: Any) -> str:
    return told.decode("ascii", "replace") if isinstance(told, bytes) else str(told)


def _went_away(error: CannotRead) -> bool:
    """Whether there is no server any more, rather than an answer that helps nobody."""
    return isinstance(error.__cause__, IMAPClientAbortError | OSError)


@contextmanager
def _told() -> Iterator[None]:
    """Make what the library raises CannotRead: it fails in many ways at answers that make no sense."""
    try:
        yield
    except (IMAPClientError, OSError) as error:
        raise CannotRead(f"the server says: {error}" if str(error) else "the server went away") from error
    except (ValueError, TypeError, AttributeError, LookupError, AssertionError, OverflowError) as error:
        raise CannotRead(f"the server's answer makes no sense: {error}") from error
