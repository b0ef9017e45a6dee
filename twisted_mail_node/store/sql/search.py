"""
Narrowing a search: what the columns of an entry can decide is decided here, the rest is left to be read.

Conditions on columns become one WHERE; sets of UIDs are joined as sets. Neighbours: `mail.search` for the keys.
"""

from __future__ import annotations

from datetime import date
from typing import assert_never

from ...mail.flags import SystemFlag
from ...mail.search import (
    AllMessages,
    And,
    DateRelation,
    HasFlag,
    HasKeyword,
    HeaderContains,
    InternalDateIs,
    IsRecent,
    LargerThan,
    ModSeqAtLeast,
    Not,
    Or,
    ReceivedUpTo,
    SearchKey,
    SentDateIs,
    SmallerThan,
    TextContains,
    UIDIn,
)
from ...mail.uid_set import EMPTY, UIDSet
from ...wire.mime.charsets import fold
from ...wire.mime.search_text import encoded
from ...wire.mime.signature import wanted
from .connection import Connection
from .kept.blocks import candidates
from .selection import Values

Narrowed = tuple[UIDSet, SearchKey | None]

_DAY_SECONDS = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


class Narrowing:
    """One search in one mailbox, in one read."""

    def __init__(self, connection: Connection, account: int, mailbox: int) -> None:
        self._connection = connection
        self._key = (account, mailbox)
        self._bindings: Values = {"account": account, "mailbox": mailbox}

    def narrow(self, key: SearchKey) -> Narrowed:
        """See ISearch.narrow."""
        condition = self._condition(key)
        if condition is not None:
            return self._matching(condition, _index(key)), None
        match key:
            case UIDIn():
                return self._all() & key.uids, None
            case And():
                return self._and(key)
            case Or():
                return self._or(key)
            case Not():
                within, left = self.narrow(key.key)
                return (self._all() - within, None) if left is None else (self._all(), key)
            case TextContains():
                return self._by_signature(wanted(encoded(fold(key.text)))), key
            case HeaderContains():
                return self._by_signature(wanted(encoded(fold(key.text)), key.name)), key
            case _:
                return self._all(), key

    def _by_signature(self, numbers: frozenset[int]) -> UIDSet:
        found = candidates(self._connection, self._key, numbers)
        if found is None:
            return self._all()
        signed, rest = found
        return signed | self._matching(f"uid >= {rest}")

    def _and(self, key: And) -> Narrowed:
        conditions, decided, others = [], [], []
        for part in key.keys:
            condition = self._condition(part)
            if condition is not None:
                conditions.append(condition)
                decided.append(part)
            else:
                others.append(part)
        index = _index(And(tuple(decided)))
        matching = self._matching(" AND ".join(conditions), index) if conditions else self._all()
        left: list[SearchKey] = []
        for part in others:
            if not matching:
                return EMPTY, None
            narrowed, rest = self.narrow(part)
            matching &= narrowed
            if rest is not None:
                left.append(rest)
        if not left:
            return matching, None
        return matching, left[0] if len(left) == 1 else And(tuple(left))

    def _or(self, key: Or) -> Narrowed:
        left, left_rest = self.narrow(key.left)
        right, right_rest = self.narrow(key.right)
        # Exact on both sides, or the question stays whole for whoever reads the messages.
        return left | right, None if left_rest is None and right_rest is None else key

    def _all(self) -> UIDSet:
        return self._matching("true")

    def _matching(self, condition: str, index: str | None = None) -> UIDSet:
        # Told which index to take, since without statistics the primary key looks better.
        by = f" INDEXED BY {index}" if index else ""
        return self._connection.uid_set(
            f"SELECT uid FROM entry{by} WHERE account = :account AND mailbox = :mailbox AND {condition}",
            self._bindings,
        )

    def _bind(self, value: int | str) -> str:
        name = f"value{len(self._bindings)}"
        self._bindings[name] = value
        return f":{name}"

    def _condition(self, key: SearchKey) -> str | None:
        """The key as SQL over columns of entry, or None where it can't be said so."""
        match key:
            case AllMessages():
                return "true"
            case HasFlag():
                # Literal numbers, as in the partial indexes.
                return f"bits & {int(key.flag)} <> 0"
            case HasKeyword():
                wanted = self._bind(f" {key.keyword.lower()} ")
                return f"(keywords <> '' AND place_in(' ' || lower(keywords) || ' ', {wanted}) > 0)"
            case LargerThan():
                return f"size > {self._bind(key.octets)}"
            case SmallerThan():
                return f"size < {self._bind(key.octets)}"
            case ModSeqAtLeast():
                return f"modseq >= {self._bind(key.modseq)}"
            case ReceivedUpTo():
                return f"date <= {self._bind(key.unix_seconds)}"
            case InternalDateIs():
                return self._on_day(key)
            case Not():
                if isinstance(key.key, HasFlag):
                    return f"bits & {int(key.key.flag)} = 0"
                inner = self._condition(key.key)
                return None if inner is None else f"NOT ({inner})"
            case And():
                parts = [self._condition(part) for part in key.keys]
                known = [part for part in parts if part is not None]
                return None if len(known) < len(parts) else f"({' AND '.join(known) or 'true'})"
            case Or():
                left, right = self._condition(key.left), self._condition(key.right)
                return None if left is None or right is None else f"({left} OR {right})"
            case UIDIn() | IsRecent() | SentDateIs() | HeaderContains() | TextContains():
                return None
            case _:
                assert_never(key)

    def _on_day(self, key: InternalDateIs) -> str:
        # The day in the zone in which the date was told (RFC 3501 §6.4.4).
        begin = (key.day.toordinal() - _EPOCH) * _DAY_SECONDS
        local, begins, ends = "date + zone * 60", self._bind(begin), self._bind(begin + _DAY_SECONDS)
        match key.relation:
            case DateRelation.BEFORE:
                return f"{local} < {begins}"
            case DateRelation.ON:
                return f"({local} >= {begins} AND {local} < {ends})"
            case DateRelation.SINCE:
                return f"{local} >= {begins}"
            case _:
                assert_never(key.relation)


def _index(key: SearchKey) -> str | None:
    """The partial index that has all messages the key can match, where there is one."""
    match key:
        case HasFlag(flag=SystemFlag.DELETED):
            return "entry_deleted"
        case Not(key=HasFlag(flag=SystemFlag.SEEN)):
            return "entry_unseen"
        case HasKeyword():
            return "entry_keywords"
        case And():
            return next(filter(None, map(_index, key.keys)), None)
        case _:
            return None
