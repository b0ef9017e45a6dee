"""
Response codes: what stands in brackets in a status response, for machines to read. Without the brackets.

Sources: RFC 3501 §7.1; RFC 4315 §3; RFC 4978 §3; RFC 5530 §3; RFC 6154 §3; RFC 7162 §3.1.2, §3.1.3, §3.2.11;
RFC 9051 §7.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...mail.flags import Flags
from ...mail.uid_set import UIDSet

ALERT = b"ALERT"
ALREADY_EXISTS = b"ALREADYEXISTS"
AUTHENTICATION_FAILED = b"AUTHENTICATIONFAILED"
AUTHORIZATION_FAILED = b"AUTHORIZATIONFAILED"
BAD_CHARSET = b"BADCHARSET"
CANNOT = b"CANNOT"
CLIENT_BUG = b"CLIENTBUG"
CLOSED = b"CLOSED"
COMPRESSION_ACTIVE = b"COMPRESSIONACTIVE"
CONTACT_ADMIN = b"CONTACTADMIN"
EXPUNGE_ISSUED = b"EXPUNGEISSUED"
HAS_CHILDREN = b"HASCHILDREN"
IN_USE = b"INUSE"
LIMIT = b"LIMIT"
NO_PERMISSION = b"NOPERM"
NONEXISTENT = b"NONEXISTENT"
OVER_QUOTA = b"OVERQUOTA"
PARSE = b"PARSE"
PRIVACY_REQUIRED = b"PRIVACYREQUIRED"
READ_ONLY = b"READ-ONLY"
READ_WRITE = b"READ-WRITE"
SERVER_BUG = b"SERVERBUG"
TOO_BIG = b"TOOBIG"
TRY_CREATE = b"TRYCREATE"
UID_NOT_STICKY = b"UIDNOTSTICKY"
UNAVAILABLE = b"UNAVAILABLE"
USE_ATTRIBUTE = b"USEATTR"


METADATA_TOO_MANY = b"METADATA TOOMANY"


def metadata_max_size(octets: int) -> bytes:
    """The largest value that an annotation may have (RFC 5464 §4.3)."""
    return b"METADATA MAXSIZE %d" % octets


def metadata_long_entries(octets: int) -> bytes:
    """The size of the largest value that was wanted but for its size (RFC 5464 §4.2.1)."""
    return b"METADATA LONGENTRIES %d" % octets


def capability(names: Sequence[str]) -> bytes:
    """The capabilities, in a greeting or after a login: saves the client a CAPABILITY command."""
    return b"CAPABILITY " + " ".join(names).encode("ascii")


def permanent_flags(flags: Flags, new_keywords: bool) -> bytes:
    """Flags that can be changed for good; `new_keywords` says that the client may make up others."""
    names = [flags.wire] if flags.wire else []
    return b"PERMANENTFLAGS (%b)" % b" ".join([*names, b"\\*"] if new_keywords else names)


def uid_next(uid: int) -> bytes:
    """The UID that the next message gets at least."""
    return b"UIDNEXT %d" % uid


def uid_validity(value: int) -> bytes:
    """What makes the mailbox's UIDs unique for ever."""
    return b"UIDVALIDITY %d" % value


def unseen(number: int) -> bytes:
    """The message sequence number of the first unseen message."""
    return b"UNSEEN %d" % number


def highest_modseq(modseq: int) -> bytes:
    """Up to which change the client has been told of everything (RFC 7162 §3.1.2.1)."""
    return b"HIGHESTMODSEQ %d" % modseq


def modified(messages: bytes) -> bytes:
    """Messages that a conditional STORE left alone, a set of sequence numbers or UIDs as it is written."""
    return b"MODIFIED %b" % messages


def append_uid(validity: int, uids: Sequence[int]) -> bytes:
    """Where appended messages came to rest. Not for no messages."""
    return b"APPENDUID %d %b" % (validity, UIDSet.of(uids).wire)


def copy_uid(validity: int, source: bytes, target: bytes) -> bytes:
    """
    Which message became which: position i of one list is position i of the other. Not for no messages.

    Both are made by `ordered`, since the order is the meaning (RFC 4315 §3).
    """
    return b"COPYUID %d %b %b" % (validity, source, target)


def ordered(runs: Iterable[tuple[int, int]]) -> bytes:
    """Runs of UIDs in the order given."""
    return b",".join([b"%d" % first if first == last else b"%d:%d" % (first, last) for first, last in runs])
