"""
The ENVELOPE of a message in IMAP wire form, out of its header block.

Sources: RFC 3501 §7.4.2 (the form), RFC 5322 §3.4, §4.4 (addresses, today's and obsolete). Computed for every
message at intake, so the usual address has a fast way of its own; all others go through the full grammar.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .headers import HEADER_LIMIT_OCTETS, unfold
from .strings import nstring, string

_NAMES = rb"date|subject|from|sender|reply-to|to|cc|bcc|in-reply-to|message-id"
_wanted_fields = re.compile(rb"\n(" + _NAMES + rb")[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE).findall

_ATOM = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]++"
# One mailbox as nearly all are written: `name <local@domain>`, `"name" <local@domain>` or `local@domain`.
_usual_mailbox = re.compile(
    rb"[ \t\r\n]*+(?:"
    rb'(?:"([^"\\\x00\r\n\x80-\xff]*+)"|(' + _ATOM + rb"(?:[ \t]" + _ATOM + rb")*+)|)[ \t\r\n]*+"
    rb"<(" + _ATOM + rb")@([A-Za-z0-9.-]++)>"
    rb"|(" + _ATOM + rb")@([A-Za-z0-9.-]++)"
    rb")[ \t\r\n]*+(?:,|\Z)"
).match
_token = re.compile(
    rb"([ \t\r\n]++)"  # 1 white space
    rb'|"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)'  # 2 quoted string, closed by the end at the latest
    rb"|(\[[^]]*+(?:\]|\Z))"  # 3 domain literal
    rb"|([<>@,;:()])"  # 4 special
    rb'|([^ \t\r\n"\[<>@,;:()]++)',  # 5 atom and all else
    re.DOTALL,
).match
_comment_part = re.compile(rb"[()]|[^()\\]++|\\.?", re.DOTALL).match
_escaped = re.compile(rb"\\(.)", re.DOTALL).sub

# A header field that names more mailboxes is cut: a line of the answer must end some time.
_MAILBOX_LIMIT = 20_000
# Reading by the full grammar takes about a microsecond an octet at worst, and no honest list needs it for long.
FULL_GRAMMAR_OCTETS = 16 * 1024
# Long lists are as good as never met twice: they would only fill the memory.
_CACHED_VALUE_OCTETS = 200


def envelope_of(header: bytes) -> bytes:
    """
    The ENVELOPE of a message with this header block, parentheses included.

    A missing field is NIL and an empty one `""`; Sender and Reply-To default to From. Of a text field that comes
    twice the first counts; repeated address fields are joined. A mailbox without a domain gets the empty host,
    because NIL there would say that a group begins.
    """
    values: dict[bytes, bytes] = {}
    repeated: dict[bytes, list[bytes]] = {}
    for name, value in _wanted_fields(b"\n" + header[:HEADER_LIMIT_OCTETS]):
        name = name.lower()
        if name not in values:
            values[name] = value
        elif name not in _TEXTS:
            repeated.setdefault(name, [values[name]]).append(value)
    for name, all_of_it in repeated.items():
        values[name] = b",".join(all_of_it)
    get = values.get
    sent_from = _address_list(get(b"from"))
    sender, reply_to = _address_list(get(b"sender")), _address_list(get(b"reply-to"))
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        _text(get(b"date")),
        _text(get(b"subject")),
        sent_from,
        sent_from if sender == b"NIL" else sender,
        sent_from if reply_to == b"NIL" else reply_to,
        _address_list(get(b"to")),
        _address_list(get(b"cc")),
        _address_list(get(b"bcc")),
        _text(get(b"in-reply-to")),
        _text(get(b"message-id")),
    )


_TEXTS = frozenset((b"date", b"subject", b"in-reply-to", b"message-id"))


def _text(value: bytes | None) -> bytes:
    return b"NIL" if value is None else string(unfold(value))


def _address_list(value: bytes | None) -> bytes:
    if value is None:
        return b"NIL"
    if len(value) <= _CACHED_VALUE_OCTETS:
        return _cached_address_list(value)
    return address_list(value)


def address_list(value: bytes) -> bytes:
    """An address field's raw value as the list of address structures that ENVELOPE has, or NIL for none."""
    found = []
    position, end = 0, len(value)
    while position < end:
        match = _usual_mailbox(value, position)
        if match is None:
            found += _Addresses(value[position : position + FULL_GRAMMAR_OCTETS]).wire
            break
        quoted, phrase, local, domain, bare_local, bare_domain = match.groups()
        if bare_local is not None:
            found.append(b'(NIL NIL "%b" "%b")' % (bare_local, bare_domain))
        elif quoted or phrase:
            found.append(b'("%b" NIL "%b" "%b")' % (quoted or phrase, local, domain))
        else:
            found.append(b'(NIL NIL "%b" "%b")' % (local, domain))
        position = match.end()
    return b"(" + b"".join(found[:_MAILBOX_LIMIT]) + b")" if found else b"NIL"


def mailboxes(value: bytes) -> list[tuple[bytes, bytes]]:
    """
    (local part, domain) of each mailbox in the first FULL_GRAMMAR_OCTETS of an address field's raw value.

    A part that is not there is empty: words that are no address have no domain.
    """
    return _Addresses(value[:FULL_GRAMMAR_OCTETS]).mailboxes


@lru_cache(maxsize=2048)
def _cached_address_list(value: bytes) -> bytes:
    return address_list(value)


class _Addresses:
    """The full grammar: groups, comments, quoted pairs, obsolete routes, and what only looks like addresses."""

    def __init__(self, value: bytes) -> None:
        self.wire: list[bytes] = []
        self.mailboxes: list[tuple[bytes, bytes]] = []
        self._words: list[bytes] = []  # of the mailbox being read, white space between them as b" "
        self._comment: bytes | None = None
        self._in_group = False
        self._in_angle = False
        self._after_angle = False
        self._phrase: bytes | None = None
        self._read(value)

    def _read(self, value: bytes) -> None:
        position = 0
        while (match := _token(value, position)) and len(self.wire) <= _MAILBOX_LIMIT:
            position = match.end()
            kind = match.lastindex
            if kind == 1:
                if self._words and self._words[-1] != b" ":
                    self._words.append(b" ")
            elif kind == 2:
                self._words.append(_Quoted(_escaped(rb"\1", match[2].replace(b"\r\n", b""))))
            elif kind == 4:
                position = self._special(match[4], value, position)
            else:
                self._words.append(match[0])
        self._end_mailbox()
        self._end_group()

    def _special(self, sign: bytes, value: bytes, position: int) -> int:
        if sign == b"(":
            comment, position = _read_comment(value, position)
            self._comment = comment
            if self._words and self._words[-1] != b" ":
                self._words.append(b" ")
        elif sign == b"<" and not self._in_angle:
            self._phrase, self._words, self._in_angle = _phrase(self._words), [], True
        elif sign == b">" and self._in_angle:
            self._end_mailbox()
            self._after_angle = True
        elif sign == b"," and not (self._in_angle and self._words[:1] == [b"@"]):
            self._end_mailbox()
        elif sign == b";" and not self._in_angle:
            self._end_mailbox()
            self._end_group()
        elif sign == b":" and not self._in_angle and not self._in_group and b"@" not in self._words:
            name = _phrase(self._words)
            self._words, self._in_group = [], True
            self.wire.append(b"(NIL NIL %b NIL)" % string(name or b""))
        else:
            self._words.append(sign)
        return position

    def _end_mailbox(self) -> None:
        if not self._words and not self._in_angle and self._phrase is None:
            self._comment, self._after_angle = None, False
            return
        words, comment, phrase, in_angle = self._words, self._comment, self._phrase, self._in_angle
        after_angle, self._after_angle = self._after_angle, False
        self._words, self._comment, self._phrase, self._in_angle = [], None, None, False
        if after_angle and not in_angle and b"@" not in words:
            return  # words behind <...> belong to nothing
        route = None
        if in_angle and words[:1] == [b"@"] and b":" in words:
            # RFC 5322 §4.4 obs-route: <@one,@two:local@domain>
            colon = words.index(b":")
            route, words = b"".join(word for word in words[:colon] if word != b" "), words[colon + 1 :]
        at = _last_at(words)
        local = b"".join(word for word in (words if at is None else words[:at]) if word != b" ")
        domain = b"" if at is None else b"".join(word for word in words[at + 1 :] if word != b" ")
        if not in_angle and at is None:
            local = _phrase(words) or b""  # no address at all, only words: keep them readable
        if local or domain or phrase:
            name = phrase or comment
            self.mailboxes.append((local, domain))
            self.wire.append(b"(%b %b %b %b)" % (nstring(name), nstring(route), string(local), string(domain)))

    def _end_group(self) -> None:
        if self._in_group:
            self._in_group = False
            self.wire.append(b"(NIL NIL NIL NIL)")


class _Quoted(bytes):
    """A quoted string's content: equal to no special even if it reads like one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Quoted) and bytes.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = bytes.__hash__


def _last_at(words: list[bytes]) -> int | None:
    for index in range(len(words) - 1, -1, -1):
        if words[index] == b"@":
            return index
    return None


def _phrase(words: list[bytes]) -> bytes | None:
    return b"".join(words).strip(b" ") or None


def _read_comment(value: bytes, position: int) -> tuple[bytes, int]:
    """The text of the comment whose "(" stands before the position, and where it ends. Nested ones are kept in it."""
    parts: list[bytes] = []
    depth = 1
    while match := _comment_part(value, position):
        position = match.end()
        part = match[0]
        if part == b"(":
            depth += 1
        elif part == b")":
            depth -= 1
            if not depth:
                break
        elif part[:1] == b"\\":
            part = part[1:]
        parts.append(part)
    return unfold(b"".join(parts)), position
