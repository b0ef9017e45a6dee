"""
FETCH answers in bulk: a plan made once from what the client asks, then rows out of columns by joining octets.

A row whose message is too large for a column is given as pieces: octets, and ranges of the message to be written
from an opened body.

Sources: RFC 3501 §6.4.5, §7.4.2; RFC 7162 §3.1.4.2; RFC 9586 §3.3. Neighbours: `commands.fetch` has what is asked,
`view` the numbers and \\Recent; the session reads what the plan needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from ...mail.columns import Columns, FetchItem, InternalDate
from ..mime import section as mime_section
from ..mime.body_structure import without_extensions
from ..mime.headers import FieldChoice, header_size
from ..mime.structure import Part, structure_of
from .commands.fetch import FetchAttribute, FetchKind, Section, SectionText
from .strings import writable
from .view import View

_ITEMS = {
    FetchKind.FLAGS: FetchItem.FLAGS,
    FetchKind.UID: FetchItem.NONE,
    FetchKind.INTERNAL_DATE: FetchItem.INTERNAL_DATE,
    FetchKind.SIZE: FetchItem.SIZE,
    FetchKind.ENVELOPE: FetchItem.ENVELOPE,
    FetchKind.BODY: FetchItem.BODY_STRUCTURE,
    FetchKind.BODY_STRUCTURE: FetchItem.BODY_STRUCTURE,
    FetchKind.MODSEQ: FetchItem.MODSEQ,
}
_HEADER_TEXTS = (SectionText.HEADER, SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT)
_MIME_TEXTS = {
    None: mime_section.SectionText.CONTENT,
    SectionText.HEADER: mime_section.SectionText.HEADER,
    SectionText.HEADER_FIELDS: mime_section.SectionText.HEADER,
    SectionText.HEADER_FIELDS_NOT: mime_section.SectionText.HEADER,
    SectionText.TEXT: mime_section.SectionText.TEXT,
    SectionText.MIME: mime_section.SectionText.MIME,
}


@dataclass(frozen=True, slots=True)
class MessageRange:
    """Octets of the message from `start` up to `end`, to be read and written, made `strings.writable`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class HeaderRange:
    """A header block of the message to be read whole and given to `PlannedSection.rendered`."""

    start: int
    end: int
    section: PlannedSection


Piece = bytes | MessageRange | HeaderRange


class PlannedSection:
    """One BODY[...] attribute, made ready for many messages."""

    __slots__ = (
        "_choice",
        "_label",
        "_partial",
        "_parts",
        "_text",
        "needs_header_only",
        "needs_header_size",
        "needs_structure",
    )

    def __init__(self, section: Section) -> None:
        self._label = section.label
        self._parts = section.parts
        self._text = section.text
        self._partial = section.partial
        self._choice: FieldChoice | None = None
        if section.text in (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT):
            self._choice = FieldChoice(section.fields, section.text is SectionText.HEADER_FIELDS_NOT)
        self.needs_header_only = not section.parts and section.text in _HEADER_TEXTS
        self.needs_header_size = not section.parts and section.text is SectionText.TEXT
        self.needs_structure = bool(section.parts)

    def rendered(self, octets: bytes | None) -> bytes:
        """
        Label and value, given the octets of the section (for HEADER.FIELDS: of the whole header block).

        None, for a section that the message does not have, is NIL.
        """
        if octets is None:
            return self._label + b" NIL"
        if self._choice is not None:
            octets = self._choice.of(octets)
        if self._partial is not None:
            start, count = self._partial
            octets = octets[start : start + count]
        return b"%b {%d}\r\n%b" % (self._label, len(octets), writable(octets))

    def located(self, header_octets: int, size: int, root: Part | None) -> tuple[int, int] | None:
        """Where the section's octets are in a message; `root` is needed by sections with part numbers."""
        if root is not None and self._parts:
            return mime_section.locate(root, self._parts, _MIME_TEXTS[self._text])
        if self._text is None:
            return 0, size
        return (header_octets, size) if self._text is SectionText.TEXT else (0, header_octets)

    def range_pieces(self, header_octets: int, size: int, root: Part | None) -> tuple[Piece, ...]:
        """The section of a message that is not at hand, as pieces."""
        found = self.located(header_octets, size, root)
        if found is None:
            return (self.rendered(None),)
        start, end = found
        if self._choice is not None:
            return (HeaderRange(start, end, self),)
        if self._partial is not None:
            start, end = min(end, start + self._partial[0]), min(end, start + sum(self._partial))
        return (b"%b {%d}\r\n" % (self._label, end - start), MessageRange(start, end))


class FetchPlan:
    """
    What a FETCH asks, made ready.

    Attributes:
        items: what to ask of the mailbox in bulk, BODY not among it: see `reads_messages`.
        reads_messages: whole messages are needed as well; for one that is too large, its size and its header.
        needs_structure: sections with part numbers are asked.
    """

    def __init__(self, attributes: Sequence[FetchAttribute], by_uid: bool, by_uid_alone: bool = False) -> None:
        # RFC 9586 §3.3: what begins with the UID repeats it only where the client wants it so.
        if by_uid and not by_uid_alone and FetchKind.UID not in attributes:
            attributes = [FetchKind.UID, *attributes]
        self._attributes = [PlannedSection(asked) if isinstance(asked, Section) else asked for asked in attributes]
        self._sections = [asked for asked in self._attributes if isinstance(asked, PlannedSection)]
        self.items = FetchItem.NONE
        for asked in self._attributes:
            if isinstance(asked, FetchKind):
                self.items |= _ITEMS[asked]
        self.reads_messages = any(not section.needs_header_only for section in self._sections)
        self.needs_structure = any(section.needs_structure for section in self._sections)
        if self._sections and not self.reads_messages:
            self.items |= FetchItem.HEADER
        form = b" ".join(
            [_FORMS.get(asked, b"%b") if isinstance(asked, FetchKind) else b"%b" for asked in self._attributes]
        )
        self._row = form + b")\r\n"

    @property
    def gives_flags(self) -> bool:
        """Whether FLAGS is asked, so that a \\Seen set by this FETCH need not be told besides."""
        return FetchKind.FLAGS in self._attributes

    @property
    def gives_modseq(self) -> bool:
        """Whether MODSEQ is asked."""
        return FetchKind.MODSEQ in self._attributes

    @property
    def gives_uid(self) -> bool:
        """Whether UID is among the data items."""
        return FetchKind.UID in self._attributes

    def rows(self, view: View, columns: Columns, root: Part | None = None) -> bytes:
        """
        The answers for all messages of these columns, which must be of the view.

        Every kept form must be there; so must every body where messages are read (`large_row` is for others).
        Keywords that are new to the client are told before them. `root` is the tree of the only message, if known.
        """
        told = view.told_keywords(columns.flags or ()) if self.gives_flags else b""
        values = [self._column(asked, view, columns, root) for asked in self._attributes]
        row = view.row_head + self._row
        return told + b"".join([row % line for line in zip(view.row_numbers(columns.uids), *values, strict=True)])

    def large_row(self, view: View, columns: Columns, root: Part | None) -> list[Piece]:
        """The answer for the one message of these columns, as pieces; `root` where `needs_structure`."""
        told = view.told_keywords(columns.flags or ()) if self.gives_flags else b""
        pieces: list[Piece] = [told + view.row_head % view.row_numbers(columns.uids)[0]]
        header = columns.headers[0] if columns.headers is not None else b""
        size = columns.sizes[0] if columns.sizes is not None else 0
        for position, asked in enumerate(self._attributes):
            if position:
                pieces.append(b" ")
            if isinstance(asked, FetchKind):
                pieces.append(_FORMS.get(asked, b"%b") % next(iter(self._column(asked, view, columns, root))))
            elif asked.needs_header_only:
                pieces.append(asked.rendered(header))
            else:
                pieces += asked.range_pieces(len(header), size, root)
        pieces.append(b")\r\n")
        return pieces

    def _column(
        self, asked: FetchKind | PlannedSection, view: View, columns: Columns, root: Part | None
    ) -> Iterable[object]:
        if isinstance(asked, PlannedSection):
            return self._section_column(asked, columns, root)
        match asked:
            case FetchKind.BODY:
                return [without_extensions(form or b"NIL") for form in columns.body_structures or ()]
            case FetchKind.FLAGS:
                return view.flag_column(columns)
            case FetchKind.INTERNAL_DATE:
                return [internal_date(told) for told in columns.internal_dates or ()]
            case FetchKind.SIZE:
                return columns.sizes or ()
            case FetchKind.ENVELOPE:
                return columns.envelopes or ()
            case FetchKind.BODY_STRUCTURE:
                return columns.body_structures or ()
            case FetchKind.MODSEQ:
                return view.told.show(columns.modseqs or ())
            case _:
                return columns.uids

    def _section_column(self, section: PlannedSection, columns: Columns, known: Part | None) -> Iterable[bytes]:
        if section.needs_header_only:
            headers = columns.headers
            if headers is None:
                headers = [body[: header_size(body)] for body in columns.bodies or () if body is not None]
            return [section.rendered(header) for header in headers]
        out = []
        for body in columns.bodies or ():
            message = body or b""
            root = (known or structure_of(message)) if section.needs_structure else None
            size = header_size(message) if section.needs_header_size else 0
            found = section.located(size, len(message), root)
            out.append(section.rendered(None if found is None else message[found[0] : found[1]]))
        return out


_FORMS = {
    FetchKind.UID: b"UID %d",
    FetchKind.FLAGS: b"FLAGS (%b)",
    FetchKind.INTERNAL_DATE: b"INTERNALDATE %b",
    FetchKind.SIZE: b"RFC822.SIZE %d",
    FetchKind.ENVELOPE: b"ENVELOPE %b",
    FetchKind.BODY: b"BODY %b",
    FetchKind.BODY_STRUCTURE: b"BODYSTRUCTURE %b",
    FetchKind.MODSEQ: b"MODSEQ (%d)",
}


_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_LAST_ORDINAL = date.max.toordinal()


@lru_cache(maxsize=4096)
def _day(days: int) -> bytes:
    day = date.fromordinal(max(1, min(_LAST_ORDINAL, days + _EPOCH_ORDINAL)))
    return b"%2d-%b-%04d" % (day.day, _MONTHS[day.month - 1], day.year)


@lru_cache(maxsize=1024)
def _zone(minutes: int) -> bytes:
    return b"%b%02d%02d" % (b"-" if minutes < 0 else b"+", *divmod(abs(minutes), 60))


_MINUTES = [b"%02d:%02d" % divmod(minute, 60) for minute in range(1440)]


def internal_date(told: InternalDate) -> bytes:
    """An internal date as a quoted date-time in the zone it was told in. Source: RFC 3501 §9 date-time."""
    zone = told.zone_minutes
    minutes, second = divmod(told.unix_seconds + zone * 60, 60)
    days, minute = divmod(minutes, 1440)
    return b'"%b %b:%02d %b"' % (_day(days), _MINUTES[minute], second, _zone(zone))
