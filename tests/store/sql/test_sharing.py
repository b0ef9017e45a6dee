"""What is copied of an email when it goes to another account."""

from __future__ import annotations

import re

from twisted_mail_node.store.sql.schema import MIGRATIONS
from twisted_mail_node.store.sql.sharing import KEPT_COLUMNS

# An email's own in its account: given anew, counted anew, found anew.
NEW_IN_AN_ACCOUNT = {"account", "email", "uses", "thread"}
# The same message with the same id for clients, though no form of it.
OF_THE_MESSAGE = {"body", "id"}


def columns_of_emails():
    statements = [statement for version in MIGRATIONS for statement in version]
    made = next(statement for statement in statements if statement.startswith("CREATE TABLE email "))
    names = set(re.findall(r"(\w+) (?:INTEGER|BLOB|TEXT|REAL)", made))
    return names | {
        match[1] for statement in statements if (match := re.match(r"ALTER TABLE email ADD COLUMN (\w+)", statement))
    }


def test_every_form_that_is_kept_of_an_email_goes_along():
    assert columns_of_emails() == NEW_IN_AN_ACCOUNT | OF_THE_MESSAGE | set(KEPT_COLUMNS.values())
