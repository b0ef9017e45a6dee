"""
The tables of a small webmail product, and what each question and change is on them. No Twisted, no Deferred: all of
it runs in the one thread that has the database. `webmail_store` is the store over them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from twisted_mail_node.mail.changes import (
    ChangeKind,
    ChangeNotice,
    CopyOutcome,
    MailboxChanges,
    MailboxInfo,
    MailboxStatus,
    StoreOutcome,
)
from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, Columns, FetchItem, InternalDate
from twisted_mail_node.mail.errors import (
    AccountExists,
    NoSuchAccount,
    NoSuchMailbox,
    NoSuchMessage,
    PermanentFailure,
    Refused,
)
from twisted_mail_node.mail.flags import FlagChange, Flags, flags_of
from twisted_mail_node.mail.mailbox_name import INBOX, canonical, checked, listing_key, plan_create, plan_rename
from twisted_mail_node.mail.special_use import checked_use
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.transaction import Body, Committed, Placed, Placement, Transaction
from twisted_mail_node.mail.uid_set import EMPTY, UIDSet

# A message that was expunged keeps its row: `gone` is when, `modseq` by which change. Its content stays readable for
# an hour, its number is told to clients that were away for longer. A folder's number is its UIDVALIDITY as well,
# since AUTOINCREMENT never gives a number twice.
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, modseq INTEGER);
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER, name TEXT, special_use TEXT, uid_next INTEGER,
    modseq INTEGER, UNIQUE (account, name));
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, folder INTEGER, uid INTEGER, flags INTEGER, keywords TEXT, date INTEGER, zone INTEGER,
    size INTEGER, born INTEGER, modseq INTEGER, gone REAL, content BLOB, UNIQUE (folder, uid));
CREATE INDEX IF NOT EXISTS message_changed ON message (folder, modseq);
CREATE INDEX IF NOT EXISTS message_gone ON message (gone) WHERE gone IS NOT NULL AND content IS NOT NULL;
CREATE TABLE IF NOT EXISTS subscription (account INTEGER, name TEXT, PRIMARY KEY (account, name));
CREATE TABLE IF NOT EXISTS delivered (id TEXT PRIMARY KEY, outcome TEXT);
"""
READABLE_SECONDS = 3600.0
NO_ACCOUNT = (EnhancedStatus(5, 1, 1), "no such user")
NO_FOLDER = (EnhancedStatus(5, 1, 1), "no such mailbox")


class Work:
    """One transaction on the database: what every question and every change is made of."""

    def __init__(self, database: sqlite3.Connection, now: float) -> None:
        self.database = database
        self.now = now
        self.notices: dict[str, ChangeNotice] = {}

    def rows(self, statement: str, *values: object) -> list[Any]:
        """All rows of a statement."""
        return self.database.execute(statement, values).fetchall()

    def account(self, name: str) -> int | None:
        """The account's number."""
        found = self.rows("SELECT id FROM account WHERE name = ?", name)
        return int(found[0][0]) if found else None

    def folder(self, account: int, name: str) -> int | None:
        """The folder's number."""
        found = self.rows("SELECT id FROM folder WHERE account = ? AND name = ?", account, canonical(name))
        return int(found[0][0]) if found else None

    def folders(self, account: int) -> dict[str, int]:
        """All folders' numbers by their names."""
        return dict(self.rows("SELECT name, id FROM folder WHERE account = ?", account))

    def change(self, account: int, kinds: ChangeKind, *folders: int) -> int:
        """The number of a change of these folders, or of the account alone; told when the work is committed."""
        ((name, modseq),) = self.rows(
            "UPDATE account SET modseq = modseq + 1 WHERE id = ? RETURNING name, modseq", account
        )
        for folder in folders:
            self.rows("UPDATE folder SET modseq = ? WHERE id = ?", modseq, folder)
        before = self.notices.get(name, ChangeNotice(name, 0, frozenset(), ChangeKind(0)))
        self.notices[name] = ChangeNotice(name, modseq, before.mailbox_ids | {*folders}, before.kinds | kinds)
        return int(modseq)

    def make_folders(self, account: int, names: Sequence[str], special_use: str | None) -> int:
        """Make folders; the last has the special use, and its number is returned."""
        modseq = self.change(account, ChangeKind.MAILBOXES)
        for name in names:
            use = special_use if name == names[-1] else None
            ((folder,),) = self.rows(
                "INSERT INTO folder VALUES (NULL, ?, ?, ?, 1, ?) RETURNING id", account, name, use, modseq
            )
        return int(folder)

    def add(self, folder: int, modseq: int, content: bytes, flags: Flags, date: InternalDate) -> int:
        """Add a message. Returns its UID."""
        ((uid,),) = self.rows("UPDATE folder SET uid_next = uid_next + 1 WHERE id = ? RETURNING uid_next - 1", folder)
        self.rows(
            "INSERT INTO message VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
            *(folder, uid, flags.bits, flags.keyword_text, *date, len(content), modseq, modseq, content),
        )
        return int(uid)

    def select(self, folder: int, uids: UIDSet | None, columns: str = "uid", where: str = "gone IS NULL") -> list[Any]:
        """Rows of messages of the set (None: of all), the UID first, ascending."""
        first, last = (uids.smallest, uids.largest) if uids else (1, 0 if uids is not None else 2**32)
        found = self.rows(
            f"SELECT {columns} FROM message WHERE folder = ? AND uid BETWEEN ? AND ? AND {where} ORDER BY uid",  # noqa: S608
            folder,
            first,
            last,
        )
        return found if uids is None else [row for row in found if row[0] in uids]

    def expunge(self, folder: int, uids: Sequence[int], modseq: int) -> None:
        """Mark these as gone, and forget the content of what went long ago."""
        self.database.executemany(
            "UPDATE message SET gone = ?, modseq = ? WHERE folder = ? AND uid = ?",
            [(self.now, modseq, folder, uid) for uid in uids],
        )
        self.rows(
            "UPDATE message SET content = NULL WHERE content IS NOT NULL AND gone < ?", self.now - READABLE_SECONDS
        )


# Accounts


def sign_up(work: Work, name: str) -> None:
    """Make an account with INBOX, subscribed."""
    if work.account(name) is not None:
        raise AccountExists("there is such a user already")
    ((account,),) = work.rows("INSERT INTO account VALUES (NULL, ?, 0) RETURNING id", name)
    work.make_folders(account, [INBOX], None)
    work.rows("INSERT INTO subscription VALUES (?, ?)", account, INBOX)


def close_account(work: Work, name: str) -> None:
    """Remove an account with all it has."""
    account = work.account(name)
    if account is None:
        raise NoSuchAccount("no such user")
    work.change(account, ChangeKind.REMOVED)
    work.rows("DELETE FROM message WHERE folder IN (SELECT id FROM folder WHERE account = ?)", account)
    for table, column in (("folder", "account"), ("subscription", "account"), ("account", "id")):
        work.rows(f"DELETE FROM {table} WHERE {column} = ?", account)  # noqa: S608


def deliver(work: Work, transaction: Transaction) -> Committed:
    """Place a transaction's messages, once for ever: its id is kept with them."""
    known = work.rows("SELECT outcome FROM delivered WHERE id = ?", transaction.id)
    if known:
        return Committed(tuple(Placed(*place) for place in json.loads(known[0][0])), ())
    targets = [_target(work, placement) for placement in transaction.placements]
    refusals = {position: target for position, target in enumerate(targets) if isinstance(target[0], EnhancedStatus)}
    if refusals:
        raise Refused(refusals)
    placed = []
    for placement, (account, folder) in zip(transaction.placements, targets, strict=True):
        content = placement.prefix + (transaction.bodies[placement.body].content or b"")
        modseq = work.change(account, ChangeKind.MESSAGES, folder)
        uid = work.add(folder, modseq, content, placement.flags, placement.internal_date)
        placed.append(Placed(folder, folder, uid))
    work.rows("INSERT INTO delivered VALUES (?, ?)", transaction.id, json.dumps([astuple(place) for place in placed]))
    return Committed(tuple(placed), ())


def _target(work: Work, placement: Placement) -> Any:
    """(account, folder), or why there is none."""
    account = work.account(placement.account)
    if account is None:
        return NO_ACCOUNT
    folder = work.folder(account, placement.mailbox)
    if folder is None and placement.or_inbox:
        folder = work.folder(account, INBOX)
    return NO_FOLDER if folder is None else (account, folder)


# Folders


def mailboxes(work: Work, account: int) -> list[MailboxInfo]:
    """All folders in the order of a list."""
    found = work.rows("SELECT id, name, id, special_use FROM folder WHERE account = ?", account)
    return sorted((MailboxInfo(*row) for row in found), key=lambda info: listing_key(info.name))


def statuses(work: Work, account: int, folders: Sequence[int]) -> list[MailboxStatus]:
    """Counters of these folders; one that is gone is left out."""
    statuses = []
    for folder in folders:
        for uid_next, modseq in work.rows("SELECT uid_next, modseq FROM folder WHERE id = ?", folder):
            ((messages, unseen, deleted, size),) = work.rows(
                "SELECT count(*), total(flags & 1 = 0), total(flags & 8 <> 0), total(size) FROM message "
                "WHERE folder = ? AND gone IS NULL",
                folder,
            )
            counters = (messages, int(unseen), int(deleted), int(size))
            statuses.append(MailboxStatus(folder, folder, uid_next, *counters, modseq, 0))
    return statuses


def create(work: Work, account: int, name: str, special_use: str | None) -> MailboxInfo:
    """Make a folder and its missing parents."""
    names = plan_create(work.folders(account), name)
    folder = work.make_folders(account, names, checked_use(special_use))
    return MailboxInfo(folder, names[-1], folder, special_use)


def rename(work: Work, account: int, name: str, new_name: str) -> None:
    """Rename with all below it; INBOX stays, and gives its messages away."""
    folders = work.folders(account)
    plan = plan_rename(folders, name, new_name)
    made = work.make_folders(account, plan.created, None) if plan.created else None
    modseq = work.change(account, ChangeKind.MAILBOXES)
    for old, new in plan.moved.items():
        work.rows("UPDATE folder SET name = ? WHERE id = ?", new, folders[old])
    if not plan.moved and made is not None:  # INBOX stays, and gives its messages away
        inbox = folders[INBOX]
        uids = [uid for (uid,) in work.select(inbox, None)]
        modseq = work.change(account, ChangeKind.MESSAGES, inbox, made)
        _copy_rows(work, inbox, UIDSet.of(uids), made, modseq)
        work.expunge(inbox, uids, modseq)


def delete(work: Work, account: int, name: str) -> None:
    """Remove a folder with its messages."""
    folder = work.folder(account, name)
    if folder is None:
        raise NoSuchMailbox("the mailbox does not exist")
    if canonical(name) == INBOX:
        raise PermanentFailure("INBOX cannot be deleted")
    work.change(account, ChangeKind.MAILBOXES)
    work.rows("DELETE FROM message WHERE folder = ?", folder)
    work.rows("DELETE FROM folder WHERE id = ?", folder)


def subscribe(work: Work, account: int, name: str, subscribed: bool) -> None:
    """Add a name to the subscriptions, or take it away."""
    name = checked(name) if subscribed else canonical(name)
    if subscribed:
        changed = work.rows("INSERT INTO subscription VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1", account, name)
    else:
        changed = work.rows("DELETE FROM subscription WHERE account = ? AND name = ? RETURNING 1", account, name)
    if changed:
        work.change(account, ChangeKind.SUBSCRIPTIONS)


# Messages


def fetch(work: Work, account: int, folder: int, uids: UIDSet, items: FetchItem) -> Columns:
    """Columns of messages that are here, or went less than an hour ago."""
    content = f"CASE WHEN size <= {INLINE_BODY_OCTETS} THEN content END" if FetchItem.BODY in items else "NULL"
    readable = f"(gone IS NULL OR gone > {work.now - READABLE_SECONDS!r})"
    rows = work.select(folder, uids, f"uid, flags, keywords, date, zone, size, modseq, {content}", readable)
    columns = Columns([row[0] for row in rows])
    if FetchItem.FLAGS in items:
        columns.flags = [flags_of(row[1], row[2]) for row in rows]
    if FetchItem.INTERNAL_DATE in items:
        columns.internal_dates = [InternalDate(row[3], row[4]) for row in rows]
    if FetchItem.SIZE in items:
        columns.sizes = [row[5] for row in rows]
    if FetchItem.MODSEQ in items:
        columns.modseqs = [row[6] for row in rows]
    if FetchItem.BODY in items:
        columns.bodies = [row[7] for row in rows]
    return columns


def open_body(work: Work, account: int, folder: int, uid: int) -> tuple[int, int]:
    """The message's number and size."""
    found = work.rows("SELECT id, size FROM message WHERE folder = ? AND uid = ? AND content IS NOT NULL", folder, uid)
    if not found:
        raise NoSuchMessage("the message no longer exists")
    return int(found[0][0]), int(found[0][1])


def read(work: Work, message: int, offset: int, length: int) -> bytes:
    """A piece of a message's content."""
    try:
        with work.database.blobopen("message", "content", message, readonly=True) as blob:
            blob.seek(min(offset, len(blob)))
            return blob.read(length)
    except sqlite3.OperationalError as error:
        raise NoSuchMessage("the message no longer exists") from error


def append(work: Work, account: int, folder: int, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> CopyOutcome:
    """Add messages, all or none."""
    modseq = work.change(account, ChangeKind.MESSAGES, folder) if messages else 0
    uids = [work.add(folder, modseq, body.content or b"", flags, date) for body, flags, date in messages]
    return CopyOutcome(folder, (), uids)


def store_flags(
    work: Work, account: int, folder: int, uids: UIDSet, change: FlagChange, by: Flags, since: int | None
) -> StoreOutcome:
    """Change flags of those that are not newer than `since`."""
    rows = work.select(folder, uids, "uid, flags, keywords, modseq")
    changed, modified = [], []
    for uid, bits, keywords, modseq in rows:
        before = flags_of(bits, keywords)
        after = before.changed(change, by)
        if since is not None and modseq > since:
            modified.append(uid)
        elif after != before:
            changed.append((uid, after))
    modseq = work.change(account, ChangeKind.MESSAGES, folder) if changed else 0
    work.database.executemany(
        "UPDATE message SET flags = ?, keywords = ?, modseq = ? WHERE folder = ? AND uid = ?",
        [(flags.bits, flags.keyword_text, modseq, folder, uid) for uid, flags in changed],
    )
    ((uid_next,),) = work.rows("SELECT uid_next FROM folder WHERE id = ?", folder)
    gone = (uids & UIDSet.span(1, uid_next - 1)) - UIDSet.of([row[0] for row in rows])
    columns = Columns(
        [uid for uid, _ in changed], flags=[flags for _, flags in changed], modseqs=[modseq] * len(changed)
    )
    return StoreOutcome(columns, UIDSet.of(modified), gone)


def copy(work: Work, account: int, folder: int, uids: UIDSet, target: str) -> CopyOutcome:
    """Copy messages with flags and dates."""
    made = work.folder(account, target)
    if made is None:
        raise NoSuchMailbox("the mailbox does not exist")
    found = [uid for (uid,) in work.select(folder, uids)]
    if not found:
        return CopyOutcome(made, (), ())
    modseq = work.change(account, ChangeKind.MESSAGES, made)
    return CopyOutcome(made, found, _copy_rows(work, folder, UIDSet.of(found), made, modseq))


def _copy_rows(work: Work, folder: int, uids: UIDSet, target: int, modseq: int) -> list[int]:
    copies = []
    for uid in uids:
        ((copy,),) = work.rows("UPDATE folder SET uid_next = uid_next + 1 WHERE id = ? RETURNING uid_next - 1", target)
        work.rows(
            "INSERT INTO message SELECT NULL, ?, ?, flags, keywords, date, zone, size, ?, ?, NULL, content "
            "FROM message WHERE folder = ? AND uid = ?",
            *(target, copy, modseq, modseq, folder, uid),
        )
        copies.append(copy)
    return copies


def expunge(work: Work, account: int, folder: int, uids: UIDSet | None, only_deleted: bool) -> UIDSet:
    """Remove messages that have \\Deleted, or all of the set."""
    found = work.select(folder, uids, where="gone IS NULL AND flags & 8 <> 0" if only_deleted else "gone IS NULL")
    if not found:
        return EMPTY
    removed = [uid for (uid,) in found]
    work.expunge(folder, removed, work.change(account, ChangeKind.MESSAGES, folder))
    return UIDSet.of(removed)


def changes(work: Work, folder: int, since: int) -> MailboxChanges:
    """What came, changed and went after that number."""
    known = work.rows("SELECT modseq, uid_next FROM folder WHERE id = ?", folder)
    if not known:
        nothing = Columns((), flags=(), modseqs=())
        return MailboxChanges(since, 1, nothing, nothing, EMPTY, exists=False)
    rows = work.rows(
        "SELECT uid, flags, keywords, modseq, born, gone FROM message WHERE folder = ? AND modseq > ? ORDER BY uid",
        folder,
        since,
    )
    here = [row for row in rows if row[5] is None]
    came, flagged = [row for row in here if row[4] > since], [row for row in here if row[4] <= since]
    vanished = UIDSet.of([row[0] for row in rows if row[5] is not None and row[4] <= since])
    ((modseq, uid_next),) = known
    return MailboxChanges(modseq, uid_next, _flag_columns(came), _flag_columns(flagged), vanished)


def _flag_columns(rows: Sequence[Any]) -> Columns:
    return Columns(
        [row[0] for row in rows], flags=[flags_of(row[1], row[2]) for row in rows], modseqs=[row[3] for row in rows]
    )
