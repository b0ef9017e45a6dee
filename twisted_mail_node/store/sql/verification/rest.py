"""What belongs to no account: the queue, rows that nobody owns, numbers given last."""

from __future__ import annotations

from collections.abc import Iterator

from .findings import Finding, Kind
from .moments import Moments

SLICE_ROWS = 2000
LISTED = 100

_ITEMS = (
    "SELECT q.item, q.body, b.body IS NOT NULL FROM (SELECT item, body FROM queue WHERE item > ? ORDER BY item "
    "LIMIT ?) q LEFT JOIN body b ON b.body = q.body ORDER BY q.item"
)
_NEXT_MAILBOX = (
    "SELECT account, mailbox FROM {table} WHERE (account, mailbox) > (?, ?) ORDER BY account, mailbox LIMIT 1"
)
_KNOWN = (
    "SELECT EXISTS (SELECT 1 FROM mailbox WHERE account = :account AND mailbox = :mailbox) OR EXISTS "
    "(SELECT 1 FROM removed WHERE account = :account AND mailbox IN (0, :mailbox))"
)
_NO_ACCOUNT = (
    "SELECT u.name FROM user u LEFT JOIN account a ON a.name = u.name WHERE a.account IS NULL ORDER BY 1 LIMIT ?"
)
_STRAY_MAILBOXES = (
    "SELECT m.account, m.mailbox FROM mailbox m LEFT JOIN account a ON a.account = m.account "
    "WHERE a.account IS NULL ORDER BY 1, 2 LIMIT ?"
)
_LAST = (
    "SELECT n.account, (SELECT coalesce(max(account), 0) FROM account), n.body, "
    "(SELECT coalesce(max(body), 0) FROM body), (SELECT coalesce(max(body), 0) FROM staged), n.item, "
    "(SELECT coalesce(max(item), 0) FROM queue), n.uid_validity, "
    "(SELECT coalesce(max(uid_validity), 0) FROM mailbox), n.email FROM numbering n"
)


def check_queue(moments: Moments) -> Iterator[Finding]:
    """Every item has its body."""
    for rows in moments.slices(_ITEMS, (0,), SLICE_ROWS):
        for item, body, has_body in rows:
            if not has_body:
                yield Finding(Kind.MISSING_BODY, f"queue item {item}", f"body {body} is not there")


def check_strays(moments: Moments) -> Iterator[Finding]:
    """Every row belongs to a mailbox that is there, or is to be swept."""
    for table in ("entry", "expunged", "vanished"):
        at = (0, 0)
        while row := next(iter(moments.rows(_NEXT_MAILBOX.format(table=table), at)), None):
            at = (row[0], row[1])
            known = moments.rows(_KNOWN, {"account": at[0], "mailbox": at[1]})[0][0]
            # Asked again, since it may have been swept between the two.
            if not known and moments.rows(
                f"SELECT 1 FROM {table} WHERE account = ? AND mailbox = ? LIMIT 1",
                at,
            ):
                yield Finding(Kind.STRAY_ROWS, f"account {at[0]}, mailbox {at[1]}", f"rows of the table {table}")
    for account, mailbox in moments.rows(_STRAY_MAILBOXES, (LISTED,)):
        yield Finding(Kind.STRAY_ROWS, f"account {account}, mailbox {mailbox}", "a mailbox of no account")
    for (name,) in moments.rows(_NO_ACCOUNT, (LISTED,)):
        yield Finding(Kind.NO_ACCOUNT, name, "there is no account of that name")


def check_numbers(moments: Moments, highest_email: int) -> Iterator[Finding]:
    """No number will be given that was given before."""
    accounts, account, bodies, body, staged, items, item, validities, validity, emails = moments.rows(_LAST)[0]
    for what, last, highest in (
        ("account", accounts, account),
        ("body", bodies, max(body, staged)),
        ("email", emails, highest_email),
        ("queue item", items, item),
        ("UIDVALIDITY", validities, validity),
    ):
        if highest > last:
            detail = f"the last one given is {last}, the highest there is {highest}"
            yield Finding(Kind.NUMBER_GIVEN_TWICE, what, detail)
