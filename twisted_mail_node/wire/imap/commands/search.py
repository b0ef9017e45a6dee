"""
SEARCH and UID SEARCH: the program as written, and how it becomes a `mail.search` program against a view.

Sources: RFC 3501 §6.4.4; RFC 4731 §3.1 (RETURN); RFC 5032 §3 (OLDER, YOUNGER); RFC 5182 §2.1 (`$`); RFC 7162 §3.1.5
(MODSEQ). Texts are decoded here by the charset that the client names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from ....mail import search
from ....mail.flags import SystemFlag
from ...mime.charsets import SEARCH_CHARSETS, decode_strictly, is_known
from .. import response_codes
from ..enabled import Extension
from ..refusal import BadSyntax, Impossible
from ..sequence import NumberedMessages, SequenceSet
from ..tokens import MAX_DEPTH, Tokens
from . import search_return
from .command import Command
from .search_return import Wanted


@dataclass(frozen=True, slots=True)
class SequenceIn:
    """The message sequence number is in the set."""

    sequence: SequenceSet


@dataclass(frozen=True, slots=True)
class UIDIn:
    """The UID is in the set, in which `*` may stand."""

    uids: SequenceSet


@dataclass(frozen=True, slots=True)
class Age:
    """The message came at least so many seconds ago, or with `younger` at most. Source: RFC 5032 §3."""

    seconds: int
    younger: bool


@dataclass(frozen=True, slots=True)
class NotThis:
    """The key does not match."""

    key: WrittenKey


@dataclass(frozen=True, slots=True)
class AllOf:
    """All keys match."""

    keys: tuple[WrittenKey, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One key at least matches; two keys or more, a chain of OR written as one."""

    keys: tuple[WrittenKey, ...]


Leaf = (
    search.AllMessages
    | search.HasFlag
    | search.HasKeyword
    | search.IsRecent
    | search.LargerThan
    | search.SmallerThan
    | search.InternalDateIs
    | search.SentDateIs
    | search.HeaderContains
    | search.TextContains
    | search.ModSeqAtLeast
)
WrittenKey = Leaf | Age | SequenceIn | UIDIn | NotThis | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Search(Command):
    """Which messages match? Answered in message sequence numbers, or in UIDs with `by_uid`."""

    name: ClassVar[str] = "SEARCH"

    key: WrittenKey
    by_uid: bool = False
    wanted: Wanted | None = None
    """None: the client named no RETURN."""


def resolve(key: WrittenKey, view: NumberedMessages, now: int) -> search.SearchKey:
    """
    The program with every sequence set turned into UIDs of the view, and every age into a point in time.

    `now` is in seconds since the epoch.

    A chain of ORs becomes a balanced tree, so the depth stays small however long it is.

    Raises: NoSuchMessageNumber: a message sequence number beyond the view's last.
    """
    match key:
        case SequenceIn(sequence):
            return search.UIDIn(sequence.resolve_numbers(view))
        case UIDIn(uids):
            return search.UIDIn(uids.resolve_uids(view))
        case Age(seconds, younger=False):
            return search.ReceivedUpTo(now - seconds)
        case Age(seconds):
            return search.Not(search.ReceivedUpTo(now - seconds - 1))
        case NotThis(inner):
            return search.Not(resolve(inner, view, now))
        case AllOf(keys):
            return search.And(tuple(resolve(inner, view, now) for inner in keys))
        case AnyOf(keys):
            return _balanced([resolve(inner, view, now) for inner in keys])
        case _:
            return key


def names_numbers(key: WrittenKey) -> bool:
    """Whether message sequence numbers are among the keys."""
    match key:
        case SequenceIn(sequence):
            return not sequence.is_saved
        case NotThis(inner):
            return names_numbers(inner)
        case AllOf(keys) | AnyOf(keys):
            return any(map(names_numbers, keys))
        case _:
            return False


def _balanced(keys: list[search.SearchKey]) -> search.SearchKey:
    if len(keys) == 1:
        return keys[0]
    middle = len(keys) // 2
    return search.Or(_balanced(keys[:middle]), _balanced(keys[middle:]))


_FLAGS = {
    b"ANSWERED": SystemFlag.ANSWERED,
    b"DELETED": SystemFlag.DELETED,
    b"DRAFT": SystemFlag.DRAFT,
    b"FLAGGED": SystemFlag.FLAGGED,
    b"SEEN": SystemFlag.SEEN,
}
_DATES: dict[bytes, tuple[type[search.InternalDateIs | search.SentDateIs], search.DateRelation]] = {
    b"BEFORE": (search.InternalDateIs, search.DateRelation.BEFORE),
    b"ON": (search.InternalDateIs, search.DateRelation.ON),
    b"SINCE": (search.InternalDateIs, search.DateRelation.SINCE),
    b"SENTBEFORE": (search.SentDateIs, search.DateRelation.BEFORE),
    b"SENTON": (search.SentDateIs, search.DateRelation.ON),
    b"SENTSINCE": (search.SentDateIs, search.DateRelation.SINCE),
}
_FIXED: dict[bytes, WrittenKey] = {
    b"ALL": search.AllMessages(),
    b"RECENT": search.IsRecent(),
    b"OLD": NotThis(search.IsRecent()),
    b"NEW": AllOf((search.IsRecent(), NotThis(search.HasFlag(SystemFlag.SEEN)))),
    **{name: search.HasFlag(flag) for name, flag in _FLAGS.items()},
    **{b"UN" + name: NotThis(search.HasFlag(flag)) for name, flag in _FLAGS.items()},
}
_PLACES = {b"BODY": search.TextPlace.BODY, b"TEXT": search.TextPlace.TEXT}
_ADDRESSED = frozenset((b"BCC", b"CC", b"FROM", b"SUBJECT", b"TO"))
# Texts without CHARSET are US-ASCII (RFC 3501 §6.4.4); where a client sends eight bits all the same, UTF-8.
_DEFAULT_CHARSET = b"UTF-8"
_BAD_CHARSET = b"%b (%b)" % (response_codes.BAD_CHARSET, " ".join(SEARCH_CHARSETS).encode("ascii"))
_FLAG_ENTRY = re.compile(rb'"/flags/(?:\\\\)?[^\x00-\x20\x7f-\xff(){%*"\\\]]++"', re.IGNORECASE)
_OR = re.compile(rb"[Oo][Rr] ")


# Our own bounds: what deciding one message may cost. Clients that look for many messages at once name them by
# number or by Message-ID, some hundreds at most; nobody looks for more than a few texts at once.
MAX_KEYS = 2000
MAX_TEXTS = 50


def parse(tag: bytes, tokens: Tokens, by_uid: bool = False) -> Search:
    """`SEARCH` [SP `RETURN` SP options] [SP `CHARSET` SP charset] 1*(SP key)."""
    if not by_uid:
        tokens.numbers_allowed()
    tokens.space()
    wanted = search_return.parse(tokens)
    charset = _DEFAULT_CHARSET
    if tokens.take_word(b"CHARSET"):
        if Extension.UTF8_ACCEPT in tokens.enabled:  # RFC 9755 §3
            raise BadSyntax("texts are in UTF-8, as UTF8=ACCEPT is enabled")
        tokens.space()
        charset = tokens.astring("a charset")
        if not is_known(charset):
            raise Impossible("unknown charset", _BAD_CHARSET)
        tokens.space()
    return Search(tag, _Program(tokens, charset).keys(depth=0), by_uid, wanted)


class _Program:
    """Reads search keys; texts are in the charset named."""

    def __init__(self, tokens: Tokens, charset: bytes) -> None:
        self._tokens = tokens
        self._charset = charset
        self._keys = self._texts = 0

    def keys(self, depth: int) -> WrittenKey:
        """One key or more, all of which must match."""
        keys = self._tokens.parted(lambda: self.key(depth))
        return keys[0] if len(keys) == 1 else AllOf(tuple(keys))

    def key(self, depth: int) -> WrittenKey:
        """One key. `depth` counts the parentheses and NOTs around it."""
        tokens = self._tokens
        self._keys += 1
        if depth > MAX_DEPTH:
            raise BadSyntax("search keys nested too deep")
        if self._keys > MAX_KEYS:
            raise Impossible("too many search keys", response_codes.LIMIT)
        if tokens.take(b"("):
            inner = self.keys(depth + 1)
            tokens.take(b" ")
            tokens.expect(b")", "a list is not closed")
            return inner
        if tokens.at_sequence:
            # `$` is no number: what was saved are messages (RFC 5182 §2.1).
            return SequenceIn(tokens.sequence_set() if tokens.is_next(b"$") else tokens.messages(by_uid=False))
        word = tokens.atom("a search key").upper()
        if word in _FIXED:
            return _FIXED[word]
        tokens.space()
        if word == b"NOT":
            return NotThis(self.key(depth + 1))
        if word == b"OR":
            return self._alternatives(depth + 1)
        return self._argument_of(word)

    def _alternatives(self, depth: int) -> WrittenKey:
        # `OR a OR b c` and `OR OR a b c` are both one choice of three: as many keys are due as there are ORs, and
        # one more. So a chain of thousands of ORs costs no depth.
        keys: list[WrittenKey] = []
        due = 2
        while due:
            if self._tokens.take_pattern(_OR):
                due += 1
            else:
                keys.append(self.key(depth))
                due -= 1
                if due:
                    self._tokens.space()
            if due > MAX_KEYS:
                raise Impossible("too many search keys", response_codes.LIMIT)
        return AnyOf(tuple(keys))

    def _argument_of(self, word: bytes) -> WrittenKey:
        tokens = self._tokens
        if word in _DATES:
            kind, relation = _DATES[word]
            return kind(relation, tokens.date())
        if word in _PLACES:
            self._texts += 1
            if self._texts > MAX_TEXTS:
                raise Impossible("too many texts to look for", response_codes.LIMIT)
            return search.TextContains(_PLACES[word], self._text())
        if word in _ADDRESSED:
            return search.HeaderContains(word.decode("ascii").lower(), self._text())
        match word:
            case b"HEADER":
                name = tokens.astring("a header name").decode("latin-1").lower()
                tokens.space()
                return search.HeaderContains(name, self._text())
            case b"KEYWORD":
                return search.HasKeyword(tokens.atom("a keyword").decode("ascii"))
            case b"UNKEYWORD":
                return NotThis(search.HasKeyword(tokens.atom("a keyword").decode("ascii")))
            case b"LARGER":
                return search.LargerThan(tokens.number64())
            case b"SMALLER":
                return search.SmallerThan(tokens.number64())
            case b"UID":
                return UIDIn(tokens.sequence_set())
            case b"MODSEQ":
                return self._modseq()
            case b"OLDER":
                return Age(tokens.number(least=1), younger=False)
            case b"YOUNGER":
                return Age(tokens.number(least=1), younger=True)
        raise BadSyntax("unknown search key")

    def _modseq(self) -> search.ModSeqAtLeast:
        # A modseq is kept for all flags together, so it does not matter which flag is meant, nor whose.
        if self._tokens.is_next(b'"'):
            self._tokens.match(_FLAG_ENTRY, "a flag such as /flags/\\\\seen")
            self._tokens.space()
            if self._tokens.keyword("a type of entry") not in ("PRIV", "SHARED", "ALL"):
                raise BadSyntax("unknown type of entry")
            self._tokens.space()
        return search.ModSeqAtLeast(self._tokens.modseq())

    def _text(self) -> str:
        octets = self._tokens.astring("a text")
        try:
            return decode_strictly(octets, self._charset)
        except UnicodeError:
            raise BadSyntax("the text is not in the charset named") from None
