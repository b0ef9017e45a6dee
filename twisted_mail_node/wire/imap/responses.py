"""
What the server says: status responses and the untagged data of commands, rendered to octets with CRLF.

Mailbox names are given as octets, made by `spelling`: how depends on what the client has enabled. FETCH responses are
written by `wire.imap.fetch`, ENVELOPE and BODYSTRUCTURE by `wire.mime`.
Sources: RFC 3501 §7; RFC 2342, RFC 2971, RFC 5161, RFC 5258, RFC 5464, RFC 6154, RFC 7162.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from ...mail.uid_set import UIDSet
from ..mime.strings import nstring, string
from .commands.status import StatusItem
from .strings import astring
from .strings import text as plain
from .strings import text_utf8 as plain_utf8


class Status(Enum):
    """How a command ended: done, not done, or not understood."""

    OK = b"OK"
    NO = b"NO"
    BAD = b"BAD"


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of a command: how it ended, words for people, and a response code (see `response_codes`) or b""."""

    status: Status
    text: str
    code: bytes = b""


def ok(text: str, code: bytes = b"") -> Completion:
    """Done."""
    return Completion(Status.OK, text, code)


def no(text: str, code: bytes = b"") -> Completion:
    """Understood and not done."""
    return Completion(Status.NO, text, code)


def bad(text: str, code: bytes = b"") -> Completion:
    """Not understood, or out of turn."""
    return Completion(Status.BAD, text, code)


# -- status responses -----------------------------------------------------------------------------------------------


def tagged(tag: bytes, completion: Completion, say: Callable[[str], str] | None = None) -> bytes:
    """The tagged response that ends a command; `say` as in `words`."""
    return _status(tag, completion.status.value, words(completion.text, say), completion.code)


def untagged(completion: Completion, say: Callable[[str], str] | None = None) -> bytes:
    """The same without a tag: tells something in passing, or refuses what had no tag."""
    return _status(b"*", completion.status.value, words(completion.text, say), completion.code)


def bye(text: str, code: bytes = b"", say: Callable[[str], str] | None = None) -> bytes:
    """The server closes the connection."""
    return _status(b"*", b"BYE", words(text, say), code)


def preauth(text: str, code: bytes = b"") -> bytes:
    """The greeting of a session that is authenticated from outside."""
    return _status(b"*", b"PREAUTH", words(text), code)


def continuation(text: bytes = b"go ahead") -> bytes:
    """The client may go on: a literal, a line of an exchange, IDLE."""
    return b"+ %b\r\n" % text


def words(text: str, say: Callable[[str], str] | None = None) -> bytes:
    """A text as it is written: in ASCII, or in UTF-8 as `say` gives it in the language that the client has chosen."""
    return plain(text) if say is None else plain_utf8(say(text))


def _status(tag: bytes, word: bytes, text: bytes, code: bytes) -> bytes:
    # RFC 3501 §9: resp-text is at least one character, and clients disagree about what may begin it.
    text = text or word
    return b"%b %b [%b] %b\r\n" % (tag, word, code, text) if code else b"%b %b %b\r\n" % (tag, word, text)


def language(tags: Sequence[str]) -> bytes:
    """LANGUAGE: the language that is spoken from now on, or all that there are (RFC 5255 §3.3)."""
    return b"* LANGUAGE (%b)\r\n" % " ".join(tags).encode("ascii")


# -- data -----------------------------------------------------------------------------------------------------------


def capability(names: Sequence[str]) -> bytes:
    """CAPABILITY."""
    return b"* CAPABILITY %b\r\n" % " ".join(names).encode("ascii")


def enabled(names: Sequence[str]) -> bytes:
    """ENABLED: those that were enabled by this command, maybe none."""
    return b"* ENABLED%b\r\n" % "".join(f" {name}" for name in names).encode("ascii")


def identity(fields: Sequence[tuple[str, str]]) -> bytes:
    """ID: pairs of field and value; NIL for none."""
    if not fields:
        return b"* ID NIL\r\n"
    words = (string(word.encode("utf-8")) for pair in fields for word in pair)
    return b"* ID (%b)\r\n" % b" ".join(words)


def namespace(
    personal: Sequence[tuple[bytes, str]] | None,
    others: Sequence[tuple[bytes, str]] | None = None,
    shared: Sequence[tuple[bytes, str]] | None = None,
) -> bytes:
    """
    NAMESPACE: pairs of prefix and delimiter for each of the three kinds, None for a kind that there is not.

    A prefix is a string, as `Spelling.prefix` makes it.
    """
    return b"* NAMESPACE %b %b %b\r\n" % (_namespaces(personal), _namespaces(others), _namespaces(shared))


def _namespaces(pairs: Sequence[tuple[bytes, str]] | None) -> bytes:
    if not pairs:
        return b"NIL"
    return b"(%b)" % b"".join(b"(%b %b)" % (prefix, _delimiter(mark)) for prefix, mark in pairs)


def listed(
    name: bytes,
    delimiter: str | None,
    attributes: Iterable[str] = (),
    child_info: Sequence[str] = (),
    old_name: bytes | None = None,
) -> bytes:
    """
    One LIST response.

    `attributes` are written as given, `\\HasChildren`. `child_info` is what names below this one are that do not match
    themselves, `SUBSCRIBED` (RFC 5258 §4); `old_name` is what the mailbox was called, or the client called it
    (RFC 9051 §6.3.9.7). The name `""` with a delimiter answers the question for the delimiter.
    """
    extended = []
    if child_info:
        words = b" ".join(string(word.encode("ascii")) for word in child_info)
        extended.append(b'"CHILDINFO" (%b)' % words)
    if old_name is not None:
        extended.append(b'"OLDNAME" (%b)' % old_name)
    items = b" (%b)" % b" ".join(extended) if extended else b""
    return _listed(b"LIST", name, delimiter, attributes) + items + b"\r\n"


def lsub_listed(name: bytes, delimiter: str | None, attributes: Iterable[str] = ()) -> bytes:
    """One LSUB response."""
    return _listed(b"LSUB", name, delimiter, attributes) + b"\r\n"


def _listed(word: bytes, name: bytes, delimiter: str | None, attributes: Iterable[str]) -> bytes:
    return b"* %b (%b) %b %b" % (word, " ".join(attributes).encode("ascii"), _delimiter(delimiter), name)


def _delimiter(delimiter: str | None) -> bytes:
    return b"NIL" if delimiter is None else string(delimiter.encode("ascii"))


StatusValue = int | bytes
"""What STATUS tells of an item: a number, or anything else as it is to be written."""


def mailbox_status(name: bytes, values: Iterable[tuple[StatusItem, StatusValue]]) -> bytes:
    """STATUS: the items asked for, in this order."""
    items = b" ".join(
        b"%b %b" % (item.value.encode("ascii"), value if isinstance(value, bytes) else b"%d" % value)
        for item, value in values
    )
    return b"* STATUS %b (%b)\r\n" % (name, items)


def acl(name: bytes, entries: Iterable[tuple[str, str]]) -> bytes:
    """ACL: identifiers, each with its rights. Source: RFC 4314 §3.6."""
    pairs = b"".join(b" %b %b" % (astring(who.encode("utf-8")), rights.encode("ascii")) for who, rights in entries)
    return b"* ACL %b%b\r\n" % (name, pairs)


def list_rights(name: bytes, identifier: bytes, required: str, optional: Iterable[str]) -> bytes:
    """LISTRIGHTS: what the identifier has always, and what it may be given. Source: RFC 4314 §3.7."""
    told = b" ".join([astring(required.encode("ascii")), *(rights.encode("ascii") for rights in optional)])
    return b"* LISTRIGHTS %b %b %b\r\n" % (name, astring(identifier), told)


def my_rights(name: bytes, rights: str) -> bytes:
    """MYRIGHTS. Source: RFC 4314 §3.8."""
    return b"* MYRIGHTS %b %b\r\n" % (name, astring(rights.encode("ascii")))


def metadata(name: bytes, values: Iterable[tuple[str, bytes | None]]) -> bytes:
    """METADATA with values, None for one that there is not. Source: RFC 5464 §4.4.1."""
    pairs = b" ".join(b"%b %b" % (astring(entry.encode("ascii")), _value(value)) for entry, value in values)
    return b"* METADATA %b (%b)\r\n" % (name, pairs)


def metadata_changed(name: bytes, entries: Iterable[str]) -> bytes:
    """METADATA without values: these have changed. Source: RFC 5464 §4.4.2."""
    return b"* METADATA %b %b\r\n" % (name, b" ".join(astring(entry.encode("ascii")) for entry in entries))


def _value(value: bytes | None) -> bytes:
    if value is not None and b"\0" in value:
        return b"~{%d}\r\n%b" % (len(value), value)  # RFC 3516 §4.4: what no other string can have
    return nstring(value)


def quota(root: bytes, resources: Iterable[tuple[str, int, int]]) -> bytes:
    """QUOTA: what is used and what may be, of each resource that is limited. Source: RFC 9208 §4.2.1."""
    triplets = b" ".join(b"%b %d %d" % (name.encode("ascii"), used, limit) for name, used, limit in resources)
    return b"* QUOTA %b (%b)\r\n" % (root, triplets)


def quota_root(mailbox: bytes, roots: Iterable[bytes]) -> bytes:
    """QUOTAROOT: the names of the quota roots of a mailbox. Source: RFC 9208 §4.2.2."""
    return b"* QUOTAROOT %b\r\n" % b" ".join((mailbox, *roots))


def flags(names: Iterable[bytes]) -> bytes:
    """FLAGS: all flags that the mailbox has, system flags included."""
    return b"* FLAGS (%b)\r\n" % b" ".join(names)


def exists(count: int) -> bytes:
    """How many messages there are."""
    return b"* %d EXISTS\r\n" % count


def recent(count: int) -> bytes:
    """How many messages are recent in this session."""
    return b"* %d RECENT\r\n" % count


def expunged(numbers: Iterable[int]) -> bytes:
    """An EXPUNGE response for each number, in this order; each is meant after those before it."""
    return b"".join([b"* %d EXPUNGE\r\n" % number for number in numbers])


def vanished(uids: UIDSet, earlier: bool = False) -> bytes:
    """
    VANISHED: messages that are gone; `earlier` than the client selected the mailbox.

    Source: RFC 7162 §3.2.10. Not for no messages.
    """
    return b"* VANISHED %b%b\r\n" % (b"(EARLIER) " if earlier else b"", uids.wire)


def extended_search(tag: bytes, by_uid: bool) -> bytes:
    """The beginning of an ESEARCH response to the command of this tag (RFC 4731 §3.1), which ends with CRLF."""
    return b'* ESEARCH (TAG "%b")%b' % (tag.replace(b"\\", b"\\\\"), b" UID" if by_uid else b"")


def numbers(found: Iterable[int]) -> bytes:
    """Some of the numbers of a SEARCH response, which begins `* SEARCH` and ends with CRLF."""
    return b"".join([b" %d" % number for number in found])
