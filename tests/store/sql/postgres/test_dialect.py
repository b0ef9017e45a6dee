from __future__ import annotations

import re

import pytest

from twisted_mail_node.store.sql.connection import Selection
from twisted_mail_node.store.sql.postgres import dialect
from twisted_mail_node.store.sql.schema import MIGRATIONS


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT 1 FROM a WHERE b = ? AND c = :name", "SELECT 1 FROM a WHERE b = %s AND c = %(name)s"),
        ("SELECT uid FROM entry INDEXED BY entry_unseen WHERE true", "SELECT uid FROM entry WHERE true"),
        (
            "a CROSS JOIN t b ON b.x = a.x WHERE y",
            "a CROSS JOIN LATERAL (SELECT * FROM t b WHERE b.x = a.x OFFSET 0) b WHERE y",
        ),
        (
            "a CROSS JOIN t b ON b.x = a.x LEFT JOIN s c ON c.x = b.x AND c.y = 1 WHERE y",
            "a CROSS JOIN LATERAL (SELECT * FROM t b WHERE b.x = a.x OFFSET 0) b "
            "LEFT JOIN LATERAL (SELECT * FROM s c WHERE c.x = b.x AND c.y = 1 OFFSET 0) c ON true WHERE y",
        ),
        (
            "a NOT IN (SELECT value FROM texts_in(?))",
            "a <> ALL (ARRAY(SELECT json_array_elements_text(CAST(%s AS json))))",
        ),
        ("DELETE FROM user WHERE name = ?", 'DELETE FROM "user" WHERE name = %s'),
        ("SELECT user FROM account", "SELECT user FROM account"),
        ("place_in(lower(keywords), ?) > 0", "strpos(lower(keywords), %s) > 0"),
        ("hex_of(e.guid)", "encode(e.guid, 'hex')"),
        ("SELECT 1 FROM account FOR UPDATE", "SELECT 1 FROM account FOR UPDATE"),
    ],
)
def test_a_statement_in_postgresqls_words(ours, theirs):
    assert dialect.sql(ours) == theirs


def test_a_table_that_grows_is_parted_by_its_account():
    made = dialect.tables("CREATE TABLE entry (account INTEGER NOT NULL, guid BLOB NOT NULL) STRICT, WITHOUT ROWID", 3)
    assert made[0] == "CREATE TABLE entry (account BIGINT NOT NULL, guid BYTEA NOT NULL) PARTITION BY HASH (account)"
    assert [re.search(r"REMAINDER (\d)", statement)[1] for statement in made[1:]] == ["0", "1", "2"]


def test_nothing_of_sqlites_own_is_left_in_any_table():
    for statements in MIGRATIONS:
        for statement in statements:
            for made in dialect.tables(statement):
                assert not re.search(r"\b(STRICT|WITHOUT ROWID|BLOB|INTEGER|REAL)\b", made)
                assert not re.search(r"TEXT(?! COLLATE)", made)


def test_a_selection_becomes_rows_in_order():
    selection = Selection(("e.uid", "e.bits"), "entry e WHERE true", (("m.envelope", "length(m.envelope)"),), limit=5)
    assert dialect.in_rows(selection) == "SELECT e.uid, e.bits, m.envelope FROM entry e WHERE true ORDER BY 1 LIMIT 5"
