"""
SEARCH and UID SEARCH: the program as written, and how it becomes a `mail.search` program against a view.

Source: RFC 3501 §6.4.4. Texts are decoded here by the charset that the client names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ....mail import search
from ..sequence import NumberedMessages, SequenceSet
from .command import Command


@dataclass(frozen=True, slots=True)
class SequenceIn:
    """The message sequence number is in the set."""

    sequence: SequenceSet


@dataclass(frozen=True, slots=True)
class UIDIn:
    """The UID is in the set, in which `*` may stand."""

    uids: SequenceSet


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
)
WrittenKey = Leaf | SequenceIn | UIDIn | NotThis | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Search(Command):
    """Which messages match? Answered in message sequence numbers, or in UIDs with `by_uid`."""

    name: ClassVar[str] = "SEARCH"

    key: WrittenKey
    by_uid: bool = False


def resolve(key: WrittenKey, view: NumberedMessages) -> search.SearchKey:
    """
    The program with every sequence set turned into UIDs of the view.

    A chain of ORs becomes a balanced tree, so the depth stays small however long it is.

    Raises: NoSuchMessageNumber: a message sequence number beyond the view's last.
    """
    match key:
        case SequenceIn(sequence):
            return search.UIDIn(sequence.resolve_numbers(view))
        case UIDIn(uids):
            return search.UIDIn(uids.resolve_uids(view))
        case NotThis(inner):
            return search.Not(resolve(inner, view))
        case AllOf(keys):
            return search.And(tuple(resolve(inner, view) for inner in keys))
        case AnyOf(keys):
            return _balanced([resolve(inner, view) for inner in keys])
        case _:
            return key


def _balanced(keys: list[search.SearchKey]) -> search.SearchKey:
    if len(keys) == 1:
        return keys[0]
    middle = len(keys) // 2
    return search.Or(_balanced(keys[:middle]), _balanced(keys[middle:]))
