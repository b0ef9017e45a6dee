"""
FETCH and UID FETCH: what is asked for, as values. Source: RFC 3501 §6.4.5.

Neighbour: `wire.imap.fetch` renders the answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from ..sequence import SequenceSet
from .command import Command


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

    `by_uid`: the sequence holds UIDs; UID is then among the attributes, asked for or not (RFC 3501 §6.4.8).
    """

    name: ClassVar[str] = "FETCH"

    sequence: SequenceSet
    attributes: tuple[FetchAttribute, ...]
    by_uid: bool = False

    @property
    def sets_seen(self) -> bool:
        """Whether some attribute sets \\Seen by being read."""
        return any(isinstance(attribute, Section) and not attribute.peek for attribute in self.attributes)
