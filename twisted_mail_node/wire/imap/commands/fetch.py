"""
FETCH and UID FETCH: what is asked for, as values. Sources: RFC 3501 §6.4.5; RFC 4466 §2.4; RFC 7162 §3.1.4, §3.2.6.

Neighbour: `wire.imap.fetch` renders the answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from ..refusal import BadSyntax
from ..sequence import SequenceSet
from ..strings import astring
from ..tokens import MAX_NUMBER, MAX_NUMBER64, Tokens
from .command import Command
from .search_return import Window, parse_window


class FetchKind(Enum):
    """Data items that are asked for by their name alone; the value is the name that the response repeats."""

    FLAGS = b"FLAGS"
    UID = b"UID"
    INTERNAL_DATE = b"INTERNALDATE"
    SIZE = b"RFC822.SIZE"
    ENVELOPE = b"ENVELOPE"
    BODY = b"BODY"
    """The body structure without extension data."""
    BODY_STRUCTURE = b"BODYSTRUCTURE"
    MODSEQ = b"MODSEQ"


class SectionText(Enum):
    """The part of a message or body part that a section means, where not all of it."""

    HEADER = b"HEADER"
    HEADER_FIELDS = b"HEADER.FIELDS"
    HEADER_FIELDS_NOT = b"HEADER.FIELDS.NOT"
    TEXT = b"TEXT"
    MIME = b"MIME"


@dataclass(frozen=True, slots=True)
class Section:
    """
    Octets of a message: BODY[…], BODY.PEEK[…], and the older RFC822, RFC822.HEADER and RFC822.TEXT.

    `label` is what the response calls it, such as `BODY[1.HEADER.FIELDS (FROM)]<0>` or `RFC822.TEXT`. `parts` are
    the part numbers, from 1. `fields` are header names in lower case. `partial` is (first octet, number of
    octets). Without `peek`, reading sets \\Seen.
    """

    label: bytes
    parts: tuple[int, ...] = ()
    text: SectionText | None = None
    fields: tuple[bytes, ...] = ()
    partial: tuple[int, int] | None = None
    peek: bool = False


FetchAttribute = FetchKind | Section


@dataclass(frozen=True, slots=True)
class Fetch(Command):
    """
    Data of messages, in the order asked, nothing twice; macros are written out.

    `by_uid`: the sequence holds UIDs; UID is then answered, asked for or not (RFC 3501 §6.4.8). `changed_since`: only
    messages with a higher modseq, which is then among the attributes; `vanished`: and which of the set went since.
    `window`: only so many of them, counted in the order of the mailbox (RFC 9394 §3.3).
    """

    name: ClassVar[str] = "FETCH"

    sequence: SequenceSet
    attributes: tuple[FetchAttribute, ...]
    by_uid: bool = False
    changed_since: int | None = None
    vanished: bool = False
    window: Window | None = None

    @property
    def sets_seen(self) -> bool:
        """Whether some attribute sets \\Seen by being read."""
        return any(isinstance(attribute, Section) and not attribute.peek for attribute in self.attributes)


_FAST = (FetchKind.FLAGS, FetchKind.INTERNAL_DATE, FetchKind.SIZE)
_MACROS = {
    b"FAST": _FAST,
    b"ALL": (*_FAST, FetchKind.ENVELOPE),
    b"FULL": (*_FAST, FetchKind.ENVELOPE, FetchKind.BODY),
}
_KINDS = {kind.value: kind for kind in FetchKind}
_OLD_SECTIONS = {
    b"RFC822": Section(b"RFC822"),
    b"RFC822.HEADER": Section(b"RFC822.HEADER", text=SectionText.HEADER, peek=True),
    b"RFC822.TEXT": Section(b"RFC822.TEXT", text=SectionText.TEXT),
}
_TEXTS = {text.value: text for text in SectionText}
# A name of a data item ends where a section begins.
_ITEM = re.compile(rb"[A-Za-z0-9.]++")
_PART = re.compile(rb"([1-9][0-9]{0,9})(?![0-9])(\.?)")
_TEXT = re.compile(rb"[A-Za-z.]++")
# RFC 9051 §9: numbers of 63 bits.
_PARTIAL = re.compile(rb"<([0-9]{1,19})\.([0-9]{1,19})>")
# Parts within parts: the deepest that a section may name. No real message comes near.
MAX_PARTS = 100


def parse(tag: bytes, tokens: Tokens, by_uid: bool = False) -> Fetch:
    """`FETCH` SP sequence-set SP a macro, one data item, or several in parentheses [SP modifiers]."""
    tokens.space()
    sequence = tokens.messages(by_uid)
    tokens.space()
    if tokens.is_next(b"("):
        attributes = tuple(dict.fromkeys(tokens.list_of(lambda: _attribute(tokens))))
    else:
        start = tokens.at
        macro = _MACROS.get(tokens.match(_ITEM, "a data item")[0].upper())
        if macro is None:
            tokens.at = start
            attributes = (_attribute(tokens),)
        else:
            attributes = macro
    windows: list[Window] = []
    modifiers = {**_MODIFIERS, b"PARTIAL": lambda tokens: windows.append(_window(tokens))}
    given = tokens.modifiers(modifiers) if tokens.take(b" ") else {}
    since = given.get(b"CHANGEDSINCE")
    vanished = b"VANISHED" in given
    if vanished and (not by_uid or since is None):
        raise BadSyntax("VANISHED goes with UID FETCH and CHANGEDSINCE")
    if since is not None and FetchKind.MODSEQ not in attributes:
        attributes = (*attributes, FetchKind.MODSEQ)
    return Fetch(tag, sequence, attributes, by_uid, since, vanished, windows[0] if windows else None)


def _changed_since(tokens: Tokens) -> int | None:
    tokens.space()
    # RFC 7162 §7 wants 1 at least; clients that know nothing yet send 0.
    return tokens.modseq()


def _window(tokens: Tokens) -> Window:
    tokens.space()
    return parse_window(tokens)


def _nothing(tokens: Tokens) -> int | None:
    """The name stands alone."""
    return None


_MODIFIERS: dict[bytes, Callable[[Tokens], int | None]] = {b"CHANGEDSINCE": _changed_since, b"VANISHED": _nothing}


def _attribute(tokens: Tokens) -> FetchAttribute:
    name = tokens.match(_ITEM, "a data item")[0].upper()
    if tokens.is_next(b"["):
        if name not in (b"BODY", b"BODY.PEEK"):
            raise BadSyntax("only BODY and BODY.PEEK have sections")
        return _section(tokens, peek=name == b"BODY.PEEK")
    found = _KINDS.get(name) or _OLD_SECTIONS.get(name)
    if found is None:
        raise BadSyntax("unknown data item of FETCH")
    return found


def _section(tokens: Tokens, peek: bool) -> Section:
    tokens.expect(b"[", "a section is missing")
    parts, text, fields, inner = _section_spec(tokens)
    tokens.expect(b"]", "a section is not closed")
    label = b"BODY[%b]" % inner
    partial = None
    if tokens.is_next(b"<"):
        match = tokens.match(_PARTIAL, "a partial such as <0.1024>")
        partial = int(match[1]), int(match[2])
        if max(partial) > MAX_NUMBER64 or partial[1] == 0:
            raise BadSyntax("partial out of range")
        label += b"<%d>" % partial[0]  # RFC 3501 §7.4.2: the response tells the origin octet alone.
    return Section(label, parts, text, fields, partial, peek)


def _section_spec(tokens: Tokens) -> tuple[tuple[int, ...], SectionText | None, tuple[bytes, ...], bytes]:
    """Part numbers, text, header names, and all that as the response repeats it."""
    if tokens.is_next(b"]"):
        return (), None, (), b""
    parts, more = _part_numbers(tokens)
    shown = b".".join(b"%d" % part for part in parts)
    if not more:
        return parts, None, (), shown
    text = _TEXTS.get(tokens.match(_TEXT, "a section text")[0].upper())
    if text is None or (text is SectionText.MIME and not parts):
        raise BadSyntax("unknown section text")
    shown += b"." * bool(parts) + text.value
    if text not in (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT):
        return parts, text, (), shown
    tokens.space()
    names = tokens.list_of(lambda: tokens.astring("a header name"))
    shown += b" (%b)" % b" ".join(astring(name) for name in names)
    return parts, text, tuple(dict.fromkeys(name.lower() for name in names)), shown


def _part_numbers(tokens: Tokens) -> tuple[tuple[int, ...], bool]:
    """The numbers, and whether a text must follow them."""
    parts: list[int] = []
    more = True
    while more and not _TEXT.match(tokens.data, tokens.at):
        match = tokens.match(_PART, "a part number")
        parts.append(int(match[1]))
        if parts[-1] > MAX_NUMBER or len(parts) > MAX_PARTS:
            raise BadSyntax("part number out of range")
        more = match[2] == b"."
    return tuple(parts), more
