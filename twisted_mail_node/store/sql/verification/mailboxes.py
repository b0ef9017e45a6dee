"""What an account holds: mailboxes and their counters, entries, emails."""

from __future__ import annotations

from collections.abc import Iterator

from ....mail.annotation import THE_ACCOUNT
from ..connection import Connection
from .findings import Finding, Kind
from .moments import Moments

SLICE_ROWS = 2000
LISTED = 100
"""Of one kind and mailbox, or account, no more are listed: where there are more, one remedy serves all."""

_COUNTED = (
    "SELECT count(*), count(*) FILTER (WHERE bits & 1 = 0), count(*) FILTER (WHERE bits & 8 <> 0), "
    "coalesce(sum(size), 0), coalesce(max(uid), 0), coalesce(max(modseq), 0) FROM entry "
    "WHERE account = ? AND mailbox = ?"
)
_HELD = (
    "SELECT messages, size, (SELECT count(*) FROM entry e WHERE e.account = account.account), "
    "(SELECT coalesce(sum(e.size), 0) FROM entry e WHERE e.account = account.account) FROM account WHERE account = ?"
)
_KEPT = (
    "SELECT messages, unseen, deleted, size, uid_next, highest_modseq FROM mailbox WHERE account = ? AND mailbox = ?"
)
_GONE = (
    "SELECT (SELECT coalesce(max(uid), 0) FROM expunged WHERE account = :account AND mailbox = :mailbox), "
    "(SELECT coalesce(max(last), 0) FROM vanished WHERE account = :account AND mailbox = :mailbox), "
    "(SELECT coalesce(max(modseq), 0) FROM vanished WHERE account = :account AND mailbox = :mailbox)"
)
_ENTRIES = (
    "SELECT e.uid, m.email IS NOT NULL, b.size, e.size - length(e.prefix) FROM (SELECT * FROM {table} "
    "WHERE account = {account} AND mailbox = {mailbox} AND uid > ? ORDER BY uid LIMIT ?) e "
    "LEFT JOIN email m ON m.account = e.account AND m.email = e.email "
    "LEFT JOIN body b ON b.body = m.body ORDER BY e.uid"
)
_EMAILS = (
    "SELECT m.email, b.body IS NOT NULL, m.body FROM (SELECT * FROM email WHERE account = {account} AND email > ? "
    "ORDER BY email LIMIT ?) m LEFT JOIN body b ON b.body = m.body ORDER BY m.email"
)
_USES = (
    "SELECT m.email, m.uses, coalesce(n.shown, 0) FROM email m LEFT JOIN (SELECT email, count(*) AS shown FROM "
    "(SELECT email FROM entry WHERE account = :account UNION ALL SELECT email FROM expunged WHERE account = :account) "
    "shown GROUP BY email) n ON n.email = m.email "
    "WHERE m.account = :account AND m.uses <> coalesce(n.shown, 0) ORDER BY m.email LIMIT :limit"
)
_GUIDS = (
    "SELECT hex_of(guid), count(*) FROM entry WHERE account = ? GROUP BY guid HAVING count(*) > 1 ORDER BY 1 LIMIT ?"
)


def counters_of(connection: Connection, account: int, mailbox: int) -> tuple[int, int, int, int, int, int]:
    """What the rows say: messages, unseen, deleted, size, and what uid_next and highest_modseq are at the least."""
    messages, unseen, deleted, size, uid, modseq = map(int, connection.one(_COUNTED, (account, mailbox)))
    expunged, vanished, vanished_at = connection.one(_GONE, {"account": account, "mailbox": mailbox})
    return messages, unseen, deleted, size, max(uid, expunged, vanished) + 1, max(modseq, vanished_at)


class Mailboxes:
    """Looks at one account; `highest_email` is the highest number of an email that was seen."""

    def __init__(self, moments: Moments) -> None:
        self.highest_email = 0
        self._moments = moments

    def check(self, account: int, name: str) -> Iterator[Finding]:
        """All of an account."""
        try:
            boxes = self._moments.rows("SELECT mailbox, name FROM mailbox WHERE account = ? ORDER BY 1", (account,))
        except self._moments.errors as error:
            yield Finding(Kind.DAMAGED_ROWS, name, f"its mailboxes cannot be read: {error}")
            return
        for mailbox, box in boxes:
            yield from self._undamaged(f"{name} {box}", self._mailbox(account, mailbox, f"{name} {box}"))
        yield from self._undamaged(name, self._held(account, name))
        yield from self._undamaged(name, self._emails(account, name))

    def _undamaged(self, place: str, findings: Iterator[Finding]) -> Iterator[Finding]:
        try:
            yield from findings
        except self._moments.errors as error:
            yield Finding(Kind.DAMAGED_ROWS, place, f"its rows cannot be read: {error}")

    def _mailbox(self, account: int, mailbox: int, place: str) -> Iterator[Finding]:
        yield from self._counters(account, mailbox, place)
        for table in ("entry", "expunged"):
            statement = _ENTRIES.format(table=table, account=account, mailbox=mailbox)
            for rows in self._moments.slices(statement, (0,), SLICE_ROWS):
                for uid, has_email, size, told in rows:
                    if not has_email:
                        yield Finding(Kind.MISSING_EMAIL, f"{place} UID {uid}", "its email is not there")
                    elif size is not None and size != told:
                        yield Finding(Kind.WRONG_SIZE, f"{place} UID {uid}", f"{told} octets, its body has {size}")

    def _counters(self, account: int, mailbox: int, place: str) -> Iterator[Finding]:
        with self._moments.one() as connection:
            kept = connection.find(_KEPT, (account, mailbox))
            counted = counters_of(connection, account, mailbox)
            modseq = connection.find("SELECT modseq FROM account WHERE account = ?", (account,))
        if kept is None or modseq is None:
            return  # Removed meanwhile.
        names = ("messages", "unseen", "deleted", "size")
        wrong = [
            f"{name} is {has}, counted {found}"
            for name, has, found in zip(names, kept, counted, strict=False)
            if has != found
        ]
        if kept[4] < counted[4]:
            wrong.append(f"uid_next is {kept[4]}, at the least {counted[4]}")
        if kept[5] < counted[5]:
            wrong.append(f"highest_modseq is {kept[5]}, at the least {counted[5]}")
        if modseq[0] < kept[5]:
            wrong.append(f"the account's modseq is {modseq[0]}, the mailbox's {kept[5]}")
        if wrong:
            yield Finding(Kind.WRONG_COUNTER, place, "; ".join(wrong), (account, mailbox))

    def _held(self, account: int, place: str) -> Iterator[Finding]:
        with self._moments.one() as connection:
            held = connection.find(_HELD, (account,))
        if held is not None and held[:2] != tuple(map(int, held[2:])):
            detail = f"messages and size are {held[0]} and {held[1]}, counted {held[2]} and {held[3]}"
            yield Finding(Kind.WRONG_COUNTER, place, detail, (account, THE_ACCOUNT))

    def _emails(self, account: int, place: str) -> Iterator[Finding]:
        for rows in self._moments.slices(_EMAILS.format(account=account), (0,), SLICE_ROWS):
            self.highest_email = max(self.highest_email, rows[-1][0])
            for email, has_body, body in rows:
                if not has_body:
                    where = self._shown(account, email)
                    yield Finding(Kind.MISSING_BODY, f"{place} {where}".strip(), f"body {body} is not there")
        uses = self._moments.rows(_USES, {"account": account, "limit": LISTED})
        for email, has, found in uses:
            detail = f"{has} entries show it, counted {found}"
            yield Finding(Kind.WRONG_USES, f"{place} email M{email}", detail, (account, email))
        for guid, count in self._moments.rows(_GUIDS, (account, LISTED)):
            yield Finding(Kind.SAME_GUID, place, f"{guid} is that of {count} entries")

    def _shown(self, account: int, email: int) -> str:
        with self._moments.one() as connection:
            return shown(connection, account, email)


def shown(connection: Connection, account: int, email: int) -> str:
    """Where an email is shown, in words."""
    rows = connection.every(
        "SELECT m.name, e.uid FROM entry e JOIN mailbox m ON m.account = e.account AND m.mailbox = e.mailbox "
        "WHERE e.account = ? AND e.email = ? ORDER BY 1, 2 LIMIT 5",
        (account, email),
    )
    return ", ".join(f"{name} UID {uid}" for name, uid in rows)
