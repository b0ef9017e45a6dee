"""
Rows of a set of UIDs, as SQL, and columns out of it.

Neighbours: `connection` for how columns are asked for; `mailbox` and `alterations` ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from ...mail.columns import INLINE_BODY_OCTETS, KEPT, Columns, FetchItem, InternalDate
from ...mail.flags import Flags, flags_of
from ...mail.uid_set import UIDSet
from ...wire.mime.search_text import with_prefix
from .bodies import CHUNK_OCTETS
from .connection import Connection, Selection
from .integrity import check_body
from .kept.form import FORM, inflated

_ONE_RUN = "{table} e{index} WHERE e.account = :account AND e.mailbox = :mailbox AND e.uid BETWEEN :first AND :last"
_MANY_RUNS = (
    "runs_in(:runs) run CROSS JOIN {table} e{index} ON e.account = :account AND e.mailbox = :mailbox "
    "AND e.uid BETWEEN run.first AND run.last WHERE true"
)

Values = dict[str, int | float | str | bytes | None]


def rows_of(uids: UIDSet, table: str = "entry", index: str = "") -> str:
    """
    FROM and WHERE, with the table as `e`, for the set's rows in ascending order; more conditions may follow.

    `index` names a partial index that the conditions permit: without statistics SQLite would not take it.
    """
    rows = _ONE_RUN if len(uids.runs) == 1 else _MANY_RUNS
    return rows.format(table=table, index=f" INDEXED BY {index}" if index else "")


def bindings_of(account: int, mailbox: int, uids: UIDSet) -> Values:
    """The values that belong to it."""
    if len(uids.runs) == 1:
        first, last = uids.runs[0]
        return {"account": account, "mailbox": mailbox, "first": first, "last": last}
    return {"account": account, "mailbox": mailbox, "runs": json_runs(uids)}


def json_runs(uids: UIDSet) -> str:
    """The set as a JSON array of pairs."""
    return f"[{','.join([f'[{first},{last}]' for first, last in uids.runs])}]"


# -- fetch ----------------------------------------------------------------------------------------------------

# The header of a large body: the chunks that hold it, joined.
_HEADER = (
    "CASE WHEN b.content IS NOT NULL THEN substr(b.content, 1, CAST(b.header_size AS INTEGER)) ELSE (SELECT "
    "substr(joined_octets(content), 1, CAST(b.header_size AS INTEGER)) FROM (SELECT content FROM chunk WHERE "
    f"body = b.body AND number * {CHUNK_OCTETS} < b.header_size ORDER BY number) parts) END"
)
_INLINE = f"b.content IS NOT NULL AND e.size <= {INLINE_BODY_OCTETS}"

ID_OF_EMAIL = "coalesce(m.id, 'M' || m.email)"
"""What came with a version that gave no ids is known by its number."""

KEPT_COLUMNS = {
    FetchItem.ENVELOPE: "envelope",
    FetchItem.BODY_STRUCTURE: "structure",
    FetchItem.SENT_DATE: "sent",
    FetchItem.SORT_KEYS: "sort_keys",
    FetchItem.THREAD_KEYS: "thread_keys",
    FetchItem.PREVIEW: "preview",
}
"""What is kept of an email, and the column of its row."""

# Item, then what each of its columns is read from.
_NUMBERS: tuple[tuple[FetchItem, tuple[str, ...]], ...] = (
    (FetchItem.FLAGS, ("e.bits", "e.keywords")),
    (FetchItem.INTERNAL_DATE, ("e.date", "e.zone")),
    (FetchItem.SIZE, ("e.size",)),
    (FetchItem.MODSEQ, ("e.modseq",)),
    (FetchItem.EMAIL_ID, (ID_OF_EMAIL,)),
    (FetchItem.GUID, ("hex_of(e.guid)",)),
    (FetchItem.SAVE_DATE, ("e.saved",)),
    (FetchItem.SENT_DATE, ("m.sent",)),
)
_OCTETS: tuple[tuple[FetchItem, str, str], ...] = (
    (FetchItem.HEADER, f"e.prefix || {_HEADER}", "length(e.prefix) + b.header_size"),
    (FetchItem.ENVELOPE, "m.envelope", "length(m.envelope)"),
    (FetchItem.BODY_STRUCTURE, "m.structure", "length(m.structure)"),
    (FetchItem.SORT_KEYS, "m.sort_keys", "length(m.sort_keys)"),
    (FetchItem.THREAD_KEYS, "m.thread_keys", "length(m.thread_keys)"),
    (FetchItem.PREVIEW, "m.preview", "length(m.preview)"),
    (FetchItem.SEARCH_HEAD, "e.prefix", "length(e.prefix)"),
    (FetchItem.SEARCH_HEAD, "t.head", "length(t.head)"),
    (FetchItem.SEARCH_TEXT, "t.content", "length(t.content)"),
    (FetchItem.BODY, f"CASE WHEN {_INLINE} THEN e.prefix || b.content END", f"CASE WHEN {_INLINE} THEN e.size END"),
)
_IN_ORDER = tuple(dict.fromkeys([item for item, _ in _NUMBERS] + [item for item, _, _ in _OCTETS]))
"""The items, as their cells come."""

_AS_THEY_ARE = KEPT | {
    FetchItem.SIZE: "sizes",
    FetchItem.MODSEQ: "modseqs",
    FetchItem.EMAIL_ID: "email_ids",
    FetchItem.GUID: "guids",
    FetchItem.SAVE_DATE: "save_dates",
    FetchItem.BODY: "bodies",
}
"""Items whose cells are the column already, and the name of that."""

_OF_TEXT = FetchItem.SEARCH_HEAD | FetchItem.SEARCH_TEXT
_OF_EMAIL = reduce(or_, KEPT_COLUMNS, FetchItem.EMAIL_ID) | _OF_TEXT
_OF_BODY = FetchItem.HEADER | FetchItem.BODY


# What it takes to compare bodies with their hashes: last of the numbers, last of the octets.
_SIZE_OF_BODY = "b.size"
_HASH_OF_BODY = ("b.hash", "length(b.hash)")


@lru_cache(maxsize=512)
def _selection(items: FetchItem, one_run: bool, table: str, with_hash: bool) -> Selection:
    values = ["e.uid"]
    for item, sources in _NUMBERS:
        if items & item:
            values += sources
    octets = tuple((content, length) for item, content, length in _OCTETS if items & item)
    if with_hash:
        values.append(_SIZE_OF_BODY)
        octets += (_HASH_OF_BODY,)
    source = (_ONE_RUN if one_run else _MANY_RUNS).format(table=table, index="")
    if items & (_OF_EMAIL | _OF_BODY):
        # CROSS JOIN, so that the entries lead and their order stays.
        joins = " CROSS JOIN email m ON m.account = e.account AND m.email = e.email"
        if items & _OF_BODY:
            joins += " CROSS JOIN body b ON b.body = m.body"
        if items & _OF_TEXT:
            joins += f" LEFT JOIN search_text t ON t.body = m.body AND t.form = {FORM}"
        source = source.replace(" WHERE ", joins + " WHERE ", 1)
    return Selection(tuple(values), source, octets)


def fetch(
    connection: Connection, account: int, mailbox: int, uids: UIDSet, items: FetchItem, table: str = "entry"
) -> Columns:
    """
    Columns of those rows of the set that the table has, ascending.

    Raises: Damaged: a body is another than was written.
    """
    with_hash = bool(items & FetchItem.BODY) and not connection.checks_pages
    selection = _selection(items, len(uids.runs) == 1, table, with_hash)
    found = connection.columns(selection, bindings_of(account, mailbox, uids))
    if with_hash:
        sizes, digests = found.pop(len(selection.values) - 1), found.pop()
        for uid, size, content, digest in zip(found[0], sizes, found[-1], digests, strict=True):
            if content is not None:
                check_body(content[len(content) - size :], digest, f"UID {uid}")
    cells = iter(found)
    columns = Columns(next(cells))
    for item in _IN_ORDER:
        if items & item:
            _fill(columns, item, cells)
    return columns


# Any: what cells hold is known where their source is written.
def _fill(columns: Columns, item: FetchItem, cells: Iterator[list[Any]]) -> None:
    match item:
        case FetchItem.FLAGS:
            columns.flags = flag_column(next(cells), next(cells))
        case FetchItem.INTERNAL_DATE:
            columns.internal_dates = list(map(InternalDate, next(cells), next(cells)))
        case FetchItem.HEADER:
            columns.headers = [cell or b"" for cell in next(cells)]
        case FetchItem.SEARCH_HEAD:
            prefixes = next(cells)
            columns.search_heads = [
                None if head is None else with_prefix(prefix or b"", head)
                for prefix, head in zip(prefixes, map(inflated, next(cells)), strict=True)
            ]
        case FetchItem.SEARCH_TEXT:
            columns.search_texts = list(map(inflated, next(cells)))
        case _:
            setattr(columns, _AS_THEY_ARE[item], next(cells))


def guids_above(connection: Connection, account: int, mailbox: int, uid: int, limit: int) -> Columns:
    """UIDs and guids of the first entries above a UID."""
    source = "entry WHERE account = :account AND mailbox = :mailbox AND uid > :uid"
    selection = Selection(("uid", "hex_of(guid)"), source, limit=limit, sort=True)
    uids, guids = connection.columns(selection, {"account": account, "mailbox": mailbox, "uid": uid})
    return Columns(uids, guids=guids)


_PIECE_ROWS = 8192


def flag_column(bits: Sequence[int], keywords: Sequence[str]) -> list[Flags]:
    """The interned flags of many rows; in pieces, because the interpreter lock is not let go within one."""
    flags: list[Flags] = []
    for start in range(0, len(bits), _PIECE_ROWS):
        end = start + _PIECE_ROWS
        flags += map(flags_of, bits[start:end], keywords[start:end])
    return flags


_NAMES = tuple(field.name for field in fields(Columns) if field.name != "uids")


def merged(one: Columns, other: Columns) -> Columns:
    """Both, of the same items and without a UID in common, in ascending order of UID."""
    uids = [*one.uids, *other.uids]
    order = sorted(range(len(uids)), key=uids.__getitem__)
    out = Columns([uids[position] for position in order])
    for name in _NAMES:
        mine, others = getattr(one, name), getattr(other, name)
        if mine is not None:
            both = [*mine, *others]
            setattr(out, name, [both[position] for position in order])
    return out
