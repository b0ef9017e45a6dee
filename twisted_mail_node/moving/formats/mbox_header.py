"""
What mail programs write into the headers of an mbox: flags, keywords, UIDs. Read, and taken away again.

Every program has its own: `Status` (R seen, O old), `X-Status` (A answered, F flagged, D deleted, T draft),
`X-Keywords`, `X-UID`, and in the first message `X-IMAP` or `X-IMAPbase` (UIDVALIDITY and UIDNEXT). This node writes
those that all read, and one more, `X-Mailnode-Entry`, the last line of the header: from which the message is put
together again as it was, octet by octet.

Sources: RFC 4155; c-client's and Dovecot's documentation of their mbox formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from ...mail.columns import InternalDate
from ...mail.flags import Flags, SystemFlag
from ...mail.restoring import MAX_RESTORED_UID, MAX_RESTORED_UID_VALIDITY
from ..keywords import usable_flags

MAX_HEADER_OCTETS = 1024 * 1024
"""A header is looked at as far as this."""

_LETTERS = {
    b"status": {"R": SystemFlag.SEEN},
    b"x-status": {
        "A": SystemFlag.ANSWERED,
        "F": SystemFlag.FLAGGED,
        "D": SystemFlag.DELETED,
        "T": SystemFlag.DRAFT,
    },
}
_field = re.compile(
    rb"(?:^|(?<=\n))(Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase|Content-Length)"
    rb"[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n",
    re.IGNORECASE,
)
_end = re.compile(rb"(?:\A|\n)(\r?\n)")
_own_block = re.compile(
    rb"(?:X-IMAPbase: \d{10} \d{10}\n)?Status: [RO]+\n(?:X-Status: [A-Z]+\n)?(?:X-Keywords: [^\n]*\n)?"
    rb"X-UID: (\d+)\nX-Mailnode-Entry: ([0-9a-f]{32}) (-?\d+) (-?\d{1,4}) (\d+) ([ce])\n\Z"
)


@dataclass(frozen=True, slots=True)
class Base:
    """What the first message says of the mailbox."""

    uid_validity: int
    uid_next: int


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What the header says of its message.

    `header` is what is left of the block, its empty line included; `length` is that of the block in the file.
    `own` is there in a message that this node wrote.
    """

    flags: Flags
    header: bytes
    length: int
    uid: int | None = None
    base: Base | None = None
    own: OwnEntry | None = None


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """
    What `X-Mailnode-Entry` tells: the guid, the date with its zone, the message's size with CRLF line ends, and whether
    the header's end is the message's own. If it has none, or none in sight, all of it stands behind lines of ours.
    """

    guid: bytes
    internal_date: InternalDate
    size: int
    has_end: bool


class _Fields(NamedTuple):
    flags: Flags
    uid: int | None
    base: Base | None


def read_entry(begin: bytes, by_length: bool) -> Entry:
    """
    Read the header block at the beginning of a message, given as in the file, at most MAX_HEADER_OCTETS.

    With `by_length`, Content-Length is a program's own as well.
    """
    # A message of ours may have a line of nothing but CR in its header: LF alone is what ends ours.
    own_end = begin.find(b"\n\n") + 1
    own = _own_block.search(begin, 0, own_end) if own_end else None
    if own:
        return _read_own(begin, own)
    found = _end.search(begin)
    length = found.end() if found else len(begin)
    block, end = (begin[: found.start(1)], found[1]) if found else (begin, b"")
    told = _read_fields(block)
    left = _field.sub(lambda field: _kept(field, by_length), block) + end
    return Entry(told.flags, left, length, told.uid, told.base)


def _read_own(begin: bytes, block: re.Match[bytes]) -> Entry:
    told = _read_fields(block[0])
    _, guid, seconds, zone, size, end = block.groups()
    own = OwnEntry(bytes.fromhex(guid.decode()), InternalDate(int(seconds), int(zone)), int(size), end == b"e")
    left = begin[: block.start()] + (b"\n" if own.has_end else b"")
    return Entry(told.flags, left, block.end() + 1, told.uid, told.base, own)


def _read_fields(block: bytes) -> _Fields:
    bits, keywords, uid, base = 0, list[str](), 0, None
    for name, value in _field.findall(block):
        match name.lower():
            case b"status" | b"x-status" as which:
                for letter in value.decode("ascii", "replace"):
                    bits |= _LETTERS[which].get(letter, 0)
            case b"x-keywords":
                keywords += value.decode("ascii", "replace").split()
            case b"x-uid":
                uid = _number(value)
            case b"x-imap" | b"x-imapbase":
                base = _base(value)
    return _Fields(usable_flags(bits, keywords), uid if 0 < uid <= MAX_RESTORED_UID else None, base)


def _kept(field: re.Match[bytes], by_length: bool) -> bytes:
    return field[0] if field[1].lower() == b"content-length" and not by_length else b""


def _base(value: bytes) -> Base | None:
    numbers = [_number(word) for word in value.split()[:2]]
    if len(numbers) == 2 and 0 < numbers[0] <= MAX_RESTORED_UID_VALIDITY and numbers[1] <= MAX_RESTORED_UID:
        # What stands there is the UID given last.
        return Base(numbers[0], numbers[1] + 1)
    return None


def _number(value: bytes) -> int:
    value = value.strip()
    return int(value) if value.isdigit() and len(value) <= 10 else 0


def own_lines(flags: Flags, uid: int, entry: OwnEntry) -> bytes:
    """The lines that tell of a message, for the end of its header."""
    lines = [f"Status: {'RO' if flags.seen else 'O'}"]
    letters = "".join(letter for letter, bit in _LETTERS[b"x-status"].items() if flags.bits & bit)
    if letters:
        lines.append(f"X-Status: {letters}")
    if flags.keywords:
        lines.append(f"X-Keywords: {flags.keyword_text}")
    seconds, zone = entry.internal_date
    end = "e" if entry.has_end else "c"
    lines += [f"X-UID: {uid}", f"X-Mailnode-Entry: {entry.guid.hex()} {seconds} {zone} {entry.size} {end}", ""]
    return "\n".join(lines).encode("ascii")


def base_line(base: Base) -> bytes:
    """The line that tells of the mailbox."""
    return b"X-IMAPbase: %010d %010d\n" % (base.uid_validity, base.uid_next - 1)
