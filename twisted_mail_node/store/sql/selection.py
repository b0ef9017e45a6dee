"""
Rows of a set of UIDs, as SQL, and columns out of it.

Everything is made so that SQLite works in one step with the interpreter lock released: numbers and texts of all rows
come back as one JSON array a column, octets as one string cut by lengths. A step per row would take the lock back
for every row, which costs several times more, and far more while the reactor is busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from json import loads

import apsw

from ...mail.columns import INLINE_BODY_OCTETS, Columns, FetchItem, InternalDate
from ...mail.flags import Flags, flags_of
from ...mail.uid_set import EMPTY, UIDSet
from .bodies import CHUNK_OCTETS
from .sqlite import one

_ONE_RUN = "{table} e{index} WHERE e.account = :account AND e.mailbox = :mailbox AND e.uid BETWEEN :first AND :last"
_MANY_RUNS = (
    "json_each(:runs) run CROSS JOIN {table} e{index} ON e.account = :account AND e.mailbox = :mailbox "
    "AND e.uid BETWEEN run.value ->> 0 AND run.value ->> 1 WHERE true"
)

Bindings = dict[str, int | float | str | None]


def rows_of(uids: UIDSet, table: str = "entry", index: str = "") -> str:
    """
    FROM and WHERE, with the table as `e`, for the set's rows in ascending order; more conditions may follow.

    `index` names a partial index that the conditions permit: without statistics SQLite would not take it.
    """
    rows = _ONE_RUN if len(uids.runs) == 1 else _MANY_RUNS
    return rows.format(table=table, index=f" INDEXED BY {index}" if index else "")


def bindings_of(account: int, mailbox: int, uids: UIDSet) -> Bindings:
    """The bindings that belong to it."""
    if len(uids.runs) == 1:
        first, last = uids.runs[0]
        return {"account": account, "mailbox": mailbox, "first": first, "last": last}
    return {"account": account, "mailbox": mailbox, "runs": json_runs(uids)}


def json_runs(uids: UIDSet) -> str:
    """The set as a JSON array of pairs."""
    return f"[{','.join([f'[{first},{last}]' for first, last in uids.runs])}]"


# Only where a run begins is there a row: (the last UID of the run before, the first of this one).
_BOUNDARIES = (
    "SELECT json_group_array(before), json_group_array(uid) FROM (SELECT before, uid FROM ("
    "SELECT uid, lag(uid) OVER (ORDER BY uid) AS before FROM ({uids})) WHERE before IS NULL OR uid <> before + 1)"
)


def uid_set(connection: apsw.Connection, query: str, bindings: Bindings) -> UIDSet:
    """The UIDs that a query gives in its one column `uid`, as a set; the runs are found inside of SQLite."""
    befores, firsts = map(loads, one(connection, _BOUNDARIES.format(uids=query), bindings))
    if not firsts:
        return EMPTY
    last = one(connection, f"SELECT max(uid) FROM ({query})", bindings)[0]
    return UIDSet(zip(firsts, [*befores[1:], last], strict=True))


# -- fetch ----------------------------------------------------------------------------------------------------

# The header of a large body: the chunks that hold it, joined.
_HEADER = (
    "CASE WHEN b.content IS NOT NULL THEN substr(b.content, 1, b.header_size) ELSE (SELECT "
    "substr(CAST(group_concat(content, '') AS BLOB), 1, b.header_size) FROM (SELECT content FROM chunk WHERE "
    f"body = b.body AND number * {CHUNK_OCTETS} < b.header_size ORDER BY number)) END"
)
_INLINE = f"b.content IS NOT NULL AND e.size <= {INLINE_BODY_OCTETS}"

# Item, then what each of its columns is read from.
_NUMBERS: tuple[tuple[FetchItem, tuple[str, ...]], ...] = (
    (FetchItem.FLAGS, ("e.bits", "e.keywords")),
    (FetchItem.INTERNAL_DATE, ("e.date", "e.zone")),
    (FetchItem.SIZE, ("e.size",)),
    (FetchItem.MODSEQ, ("e.modseq",)),
    (FetchItem.EMAIL_ID, ("'M' || e.email",)),
    (FetchItem.GUID, ("lower(hex(e.guid))",)),
)
_OCTETS: tuple[tuple[FetchItem, str, str], ...] = (
    (FetchItem.HEADER, f"e.prefix || {_HEADER}", "length(e.prefix) + b.header_size"),
    (FetchItem.ENVELOPE, "m.envelope", "length(m.envelope)"),
    (FetchItem.BODY_STRUCTURE, "m.structure", "length(m.structure)"),
    (FetchItem.BODY, f"CASE WHEN {_INLINE} THEN e.prefix || b.content END", f"CASE WHEN {_INLINE} THEN e.size END"),
)
_OF_EMAIL = FetchItem.ENVELOPE | FetchItem.BODY_STRUCTURE
_OF_BODY = FetchItem.HEADER | FetchItem.BODY


@lru_cache(maxsize=512)
def _fetch_statement(items: FetchItem, one_run: bool, table: str) -> str:
    columns = ["json_group_array(e.uid)"]
    for item, sources in _NUMBERS:
        if items & item:
            columns += [f"json_group_array({source})" for source in sources]
    for item, octets, length in _OCTETS:
        if items & item:
            # Joined as they are; what has no value joins as nothing.
            columns += [f"CAST(group_concat({octets}, '') AS BLOB)", f"json_group_array({length})"]
    source = (_ONE_RUN if one_run else _MANY_RUNS).format(table=table, index="")
    if items & (_OF_EMAIL | _OF_BODY):
        # CROSS JOIN, so that the entries lead and their order stays.
        joins = " CROSS JOIN email m ON m.account = e.account AND m.email = e.email"
        if items & _OF_BODY:
            joins += " CROSS JOIN body b ON b.body = m.body"
        source = source.replace(" WHERE ", joins + " WHERE ", 1)
    return f"SELECT {', '.join(columns)} FROM {source}"


def fetch(
    connection: apsw.Connection, account: int, mailbox: int, uids: UIDSet, items: FetchItem, table: str = "entry"
) -> Columns:
    """Columns of those rows of the set that the table has, ascending."""
    statement = _fetch_statement(items, len(uids.runs) == 1, table)
    cells = iter(one(connection, statement, bindings_of(account, mailbox, uids)))
    columns = Columns(loads(next(cells)))
    if items & FetchItem.FLAGS:
        columns.flags = flag_column(loads(next(cells)), loads(next(cells)))
    if items & FetchItem.INTERNAL_DATE:
        columns.internal_dates = list(map(InternalDate, loads(next(cells)), loads(next(cells))))
    if items & FetchItem.SIZE:
        columns.sizes = loads(next(cells))
    if items & FetchItem.MODSEQ:
        columns.modseqs = loads(next(cells))
    if items & FetchItem.EMAIL_ID:
        columns.email_ids = loads(next(cells))
    if items & FetchItem.GUID:
        columns.guids = loads(next(cells))
    if items & FetchItem.HEADER:
        columns.headers = [cell or b"" for cell in _cut(next(cells), next(cells))]
    if items & FetchItem.ENVELOPE:
        columns.envelopes = _cut(next(cells), next(cells))
    if items & FetchItem.BODY_STRUCTURE:
        columns.body_structures = _cut(next(cells), next(cells))
    if items & FetchItem.BODY:
        columns.bodies = _cut(next(cells), next(cells))
    return columns


_PIECE_ROWS = 8192


def flag_column(bits: Sequence[int], keywords: Sequence[str]) -> list[Flags]:
    """The interned flags of many rows; in pieces, because the interpreter lock is not let go within one."""
    flags: list[Flags] = []
    for start in range(0, len(bits), _PIECE_ROWS):
        end = start + _PIECE_ROWS
        flags += map(flags_of, bits[start:end], keywords[start:end])
    return flags


def _cut(joined: bytes | None, lengths: str) -> list[bytes | None]:
    pieces: list[bytes | None] = []
    at = 0
    for length in loads(lengths):
        if length is None:
            pieces.append(None)
        else:
            pieces.append((joined or b"")[at : at + length])
            at += length
    return pieces


_NAMES = (
    "flags",
    "internal_dates",
    "sizes",
    "modseqs",
    "headers",
    "envelopes",
    "body_structures",
    "bodies",
    "email_ids",
    "guids",
)


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
