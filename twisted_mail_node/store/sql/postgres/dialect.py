"""
What the room's statements are in PostgreSQL's words: the one place where the two dialects differ.

Statements are translated once, and remembered. Neighbours: `store.sql.connection` lists the words, `store.sql.schema`
has the tables as SQLite has them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..connection import Selection

PARTITIONS = 16
"""
Our own choice. Tables that grow with the accounts are parted by account, and bodies by their number, so that each
part can have a place of its own; more parts make every statement's plan dearer.
"""

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(word), own)
    for word, own in (
        (r" INDEXED BY \w+", ""),
        # As arrays, and joins that cannot be turned round: so each statement goes by its index with all that it knows,
        # where there are no statistics yet as well.
        (r"\bNOT IN \(SELECT value FROM (\w+_in\((?:\?|:\w+)\))\)", r"<> ALL (\1)"),
        (r"\bIN \(SELECT value FROM (\w+_in\((?:\?|:\w+)\))\)", r"= ANY (\1)"),
        (
            r"\bnumbers_in\((\?|:\w+)\)",
            r"ARRAY(SELECT CAST(one AS BIGINT) FROM json_array_elements_text(CAST(\1 AS json)) one)",
        ),
        (r"\btexts_in\((\?|:\w+)\)", r"ARRAY(SELECT json_array_elements_text(CAST(\1 AS json)))"),
        (
            r"\bCROSS JOIN (\w+) (\w+) ON (.+?)(?= CROSS JOIN | LEFT JOIN | WHERE )",
            r"CROSS JOIN LATERAL (SELECT * FROM \1 \2 WHERE \3 OFFSET 0) \2",
        ),
        (
            r"\bLEFT JOIN (\w+) (\w+) ON (.+?)(?= LEFT JOIN | WHERE | ORDER BY )",
            r"LEFT JOIN LATERAL (SELECT * FROM \1 \2 WHERE \3 OFFSET 0) \2 ON true",
        ),
        (
            r"\bruns_in\((\?|:\w+)\)",
            r"(SELECT CAST(one ->> 0 AS BIGINT) AS first, CAST(one ->> 1 AS BIGINT) AS last "
            r"FROM json_array_elements(CAST(\1 AS json)) one)",
        ),
        (r"\brandom_guid\(\)", "uuid_send(gen_random_uuid())"),
        (r"\bhex_of\(([\w.]+)\)", r"encode(\1, 'hex')"),
        (r"\bplace_in\(", "strpos("),
        (r"\bjoined_octets\(([\w.]+)\)", r"string_agg(\1, CAST('' AS BYTEA))"),
        # A reserved word.
        (r"\b(FROM|INTO|UPDATE|TABLE) user\b", r'\1 "user"'),
        (r"\?", "%s"),
        (r":(\w+)", r"%(\1)s"),
    )
)

# All texts are compared octet by octet, as in SQLite.
_TYPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(word), own)
    for word, own in (
        (r"\bINTEGER\b", "BIGINT"),
        (r"\bBLOB\b", "BYTEA"),
        (r"\bREAL\b", "DOUBLE PRECISION"),
        (r"\bTEXT\b", 'TEXT COLLATE "C"'),
        (r"\) STRICT(?:, WITHOUT ROWID)?$", ")"),
        (r"\b(TABLE) user\b", r'\1 "user"'),
    )
)

_PARTED_BY = {
    "mailbox": "account",
    "email": "account",
    "entry": "account",
    "expunged": "account",
    "vanished": "account",
    "file": "account",
    "body": "body",
    "chunk": "body",
    "search_text": "body",
    "search_block": "account",
}
_OFTEN_UPDATED = frozenset({"numbering", "account", "node"})
_OFTEN_UPDATED_PARTS = frozenset({"mailbox"})
_ROOM_FOR_UPDATES = " WITH (fillfactor = 60)"


@lru_cache(maxsize=1024)
def sql(statement: str) -> str:
    """The statement in PostgreSQL's words, with values bound as psycopg has it."""
    for word, own in _WORDS:
        statement = word.sub(own, statement)
    return statement


@lru_cache(maxsize=512)
def in_rows(selection: Selection) -> str:
    """A selection's statement: a row a message, and its columns in the order of the selection."""
    columns = [*selection.values, *(content for content, _ in selection.octets)]
    limit = "" if selection.limit is None else f" LIMIT {selection.limit}"
    return sql(f"SELECT {', '.join(columns)} FROM {selection.source} ORDER BY 1{limit}")


def uid_runs(query: str) -> str:
    """The statement for the runs of the UIDs that a query gives, one row (first, last) a run."""
    return sql(
        "SELECT min(uid), max(uid) FROM (SELECT uid, uid - row_number() OVER (ORDER BY uid) AS run "
        f"FROM ({query}) found) numbered GROUP BY run ORDER BY 1"
    )


def tables(statement: str, partitions: int = PARTITIONS) -> list[str]:
    """The statements that make what a statement of the schema makes."""
    for word, own in _TYPES:
        statement = word.sub(own, statement)
    made = re.match(r"CREATE TABLE (\w+) ", statement)
    if made is None:
        return [statement]
    table = made[1]
    key = _PARTED_BY.get(table)
    if key is None:
        return [statement + (_ROOM_FOR_UPDATES if table in _OFTEN_UPDATED else "")]
    statements = [f"{statement} PARTITION BY HASH ({key})"]
    room = _ROOM_FOR_UPDATES if table in _OFTEN_UPDATED_PARTS else ""
    for number in range(partitions):
        statements.append(
            f"CREATE TABLE {table}_{number} PARTITION OF {table} "
            f"FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number}){room}"
        )
    if table in ("body", "chunk", "search_text"):
        # Mail is read in parts, and hardly gets smaller; its text is small already: they are kept as they are.
        statements.append(f"ALTER TABLE {table} ALTER COLUMN content SET STORAGE EXTERNAL")
        statements += [
            f"ALTER TABLE {table}_{number} ALTER COLUMN content SET STORAGE EXTERNAL" for number in range(partitions)
        ]
    return statements
