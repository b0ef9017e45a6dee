"""
The files that Dovecot keeps in a Maildir folder: which UID a message has, and what keywords stand for.

Source: Dovecot's documentation of its Maildir format (dovecot-uidlist versions 3 and 1, dovecot-keywords). Lines that
are none are passed over: a message without its line is a message without its UID, no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .maildir_name import MAX_LETTERS, parted

# RFC 3501 §2.3.1.1: 32 bits. Our own bound below it, so that a mailbox goes on for good from there.
_MAX_NUMBER = 4_000_000_000


@dataclass(slots=True)
class UIDList:
    """What dovecot-uidlist says: `uids` by the bases of names. `uid_validity` is None where nothing is usable."""

    uid_validity: int | None = None
    uid_next: int = 1
    uids: dict[bytes, int] = field(default_factory=dict)


def read_uidlist(lines: Iterable[bytes]) -> UIDList:
    """The file's lines understood."""
    found = UIDList()
    rest = iter(lines)
    _read_first(next(rest, b""), found)
    if found.uid_validity is None:
        return found
    for line in rest:
        digits, _, told = line.rstrip(b"\r\n").partition(b" ")
        # Version 3 has fields in front of the name, which begins with ":"; version 1 has the name alone.
        name = told[1:] if told.startswith(b":") else told.partition(b" :")[2] or told
        uid = _number(digits)
        if name and 0 < uid < _MAX_NUMBER:
            found.uids[parted(name).base] = uid
    found.uid_next = max([found.uid_next, *(uid + 1 for uid in found.uids.values())])
    return found


def _read_first(line: bytes, found: UIDList) -> None:
    version, *fields = line.split()[:20] or [b""]
    if version == b"1" and len(fields) >= 2:
        uid_validity, uid_next = _number(fields[0]), _number(fields[1])
    elif version == b"3":
        told = {part[:1]: part[1:] for part in fields}
        uid_validity, uid_next = _number(told.get(b"V", b"")), _number(told.get(b"N", b""))
    else:
        return
    if 0 < uid_validity <= _MAX_NUMBER and uid_next <= _MAX_NUMBER:
        found.uid_validity, found.uid_next = uid_validity, max(1, uid_next)


def _number(digits: bytes) -> int:
    return int(digits) if digits.isdigit() and len(digits) <= 10 else 0


def read_keywords(lines: Iterable[str]) -> dict[str, str]:
    """What small letters in names stand for, of the lines of dovecot-keywords."""
    letters: dict[str, str] = {}
    for line in lines:
        number, _, keyword = line.rstrip("\r\n").partition(" ")
        if keyword and number.isascii() and number.isdigit() and len(number) <= 2 and int(number) < MAX_LETTERS:
            letters[chr(ord("a") + int(number))] = keyword
    return letters


def keywords_text(letters: Mapping[str, str]) -> str:
    """The file that says so."""
    return "".join(f"{ord(letter) - ord('a')} {keyword}\n" for letter, keyword in sorted(letters.items()))
