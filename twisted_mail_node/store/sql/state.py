"""
What the writer knows without asking: rows of accounts and mailboxes, and the numbers given last.

Used in the writer's thread only. Operations change the rows here and say so; `flush` writes the changed rows once
an operation (or once a group of deliveries). Between operations the cache and the database agree, so giving an
operation up is undoing its part of the transaction and forgetting the rows that it touched.

As it stands here, one process has the database, and what it knows stays true from one transaction to the next;
`postgres.shared` has what is different where others write as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from ...mail.changes import ChangeKind, ChangeNotice
from ...mail.errors import NoSuchAccount, NoSuchMailbox
from ...mail.quota import NO_RULES, UNLIMITED, OverQuota, QuotaLimits, QuotaRules
from ...mail.transaction import Transaction
from ..identity import next_uid_validity
from .connection import WritingConnection

if TYPE_CHECKING:
    from .maildir.work import FileWork

MAX_CACHED_ACCOUNTS = 20_000
"""Our own bound: about 1 KB each with its mailboxes; all are forgotten when it is reached."""


class AccountRow:
    """An account as it will be after the operation; `limits` are its own, or None."""

    __slots__ = ("by_id", "by_name", "id", "last_mailbox", "limits", "messages", "modseq", "name", "size")

    def __init__(
        self,
        id: int,
        name: str,
        modseq: int,
        last_mailbox: int,
        messages: int,
        size: int,
        limited: int,
        size_limit: int | None,
        messages_limit: int | None,
    ) -> None:
        self.id, self.name, self.modseq, self.last_mailbox = id, name, modseq, last_mailbox
        self.messages, self.size = messages, size
        self.limits = QuotaLimits(size_limit, messages_limit) if limited else None
        self.by_id: dict[int, MailboxRow] = {}
        self.by_name: dict[str, MailboxRow] = {}


class MailboxRow:
    """A mailbox's counters as they will be after the operation."""

    __slots__ = (
        "account",
        "deleted",
        "highest_modseq",
        "id",
        "messages",
        "name",
        "recent_after",
        "size",
        "uid_next",
        "uid_validity",
        "unseen",
    )

    def __init__(
        self,
        account: AccountRow,
        id: int,
        name: str,
        uid_validity: int,
        uid_next: int,
        messages: int,
        unseen: int,
        deleted: int,
        size: int,
        highest_modseq: int,
        recent_after: int,
    ) -> None:
        self.account, self.id, self.name, self.uid_validity = account, id, name, uid_validity
        self.uid_next, self.messages, self.unseen, self.deleted = uid_next, messages, unseen, deleted
        self.size, self.highest_modseq, self.recent_after = size, highest_modseq, recent_after

    def count(self, messages: int, unseen: int, deleted: int, size: int) -> None:
        """So many have come, or gone where the numbers are negative; the account is to be marked as changed."""
        self.messages += messages
        self.unseen += unseen
        self.deleted += deleted
        self.size += size
        self.account.messages += messages
        self.account.size += size


class Number(IntEnum):
    """What is numbered; the value is the column's position in `numbering`."""

    ACCOUNT = 0
    BODY = 1
    EMAIL = 2
    ITEM = 3


_UID_VALIDITY = 4
_NUMBERING = "SELECT account, body, email, item, uid_validity FROM numbering"
ACCOUNT_COLUMNS = "account, name, modseq, last_mailbox, messages, size, limited, size_limit, messages_limit"
_MAILBOX = (
    "SELECT mailbox, name, uid_validity, uid_next, messages, unseen, deleted, size, highest_modseq, recent_after "
    "FROM mailbox WHERE account = ? AND "
)
_WRITE_MAILBOX = (
    "UPDATE mailbox SET uid_next = ?, messages = ?, unseen = ?, deleted = ?, size = ?, highest_modseq = ?, "
    "recent_after = ? WHERE account = ? AND mailbox = ?"
)

_ORPHAN = "INSERT INTO orphan VALUES (?) ON CONFLICT (body) DO UPDATE SET body = excluded.body"


class WriteState:
    """
    The writer's connection with its cache; what an operation gets to work with.

    `given_up` are staged bodies that may not be used any more, though they be still there. `pending_notices` is what
    the batch changed so far: by account, its modseq, the mailboxes, and what kinds of change. `files` is where bodies
    of entries are, unless they are in the database.
    """

    files: FileWork | None = None
    rules: QuotaRules = NO_RULES

    def __init__(
        self, connection: WritingConnection, seconds: Callable[[], float], given_up: Collection[int] = ()
    ) -> None:
        self.connection = connection
        self.run = connection.run
        self.run_many = connection.run_many
        self.seconds = seconds
        self.given_up = given_up
        self.queue_grew = False
        self.users_changed = False
        self._accounts: dict[str, AccountRow] = {}
        self._names: dict[int, str] = {}
        self._dirty_mailboxes: set[MailboxRow] = set()
        self._dirty_accounts: set[AccountRow] = set()
        self._touched: dict[str, tuple[int, set[int], ChangeKind]] = {}
        self.pending_notices: dict[str, tuple[int, set[int], ChangeKind]] = {}
        self.pending_queue_notice = False
        self._last: list[int] = []
        self._written: list[int] = []

    # -- numbers: none is given twice ------------------------------------------------------------------------

    def new_number(self, kind: Number) -> int:
        """The next number of this kind."""
        last = self._last
        if not last:
            last = self._last = list(self.connection.one(_NUMBERING))
            self._written = list(last)
        last[kind] += 1
        return last[kind]

    def new_uid_validity(self) -> int:
        """See `store.identity`."""
        if not self._last:
            self._last = list(self.connection.one(_NUMBERING))
            self._written = list(self._last)
        made = self._last[_UID_VALIDITY] = next_uid_validity(self.seconds(), self._last[_UID_VALIDITY])
        return made

    def note_uid_validity(self, restored: int) -> None:
        """A mailbox was given this UIDVALIDITY of another store: those to come are above it."""
        before = self.new_uid_validity()
        self._last[_UID_VALIDITY] = max(before, restored)

    # -- rows ------------------------------------------------------------------------------------------------

    def find_account(self, name: str) -> AccountRow | None:
        """The account of that name, or None."""
        row = self._accounts.get(name)
        if row is not None:
            return row
        found = self.connection.find(f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE name = ? FOR UPDATE", (name,))
        return None if found is None else self.remember(AccountRow(*found))

    def remember(self, row: AccountRow) -> AccountRow:
        """This is how the account stands now. Returns the row."""
        self._accounts[row.name] = row
        self._names[row.id] = row.name
        return row

    def account(self, account: int) -> AccountRow:
        """The account of that number. Raises NoSuchAccount."""
        name = self._names.get(account)
        if name is None:
            found = self.connection.find("SELECT name FROM account WHERE account = ?", (account,))
            if found is None:
                raise NoSuchAccount("the account does not exist")
            name = found[0]
        row = self.find_account(name)
        if row is None or row.id != account:
            raise NoSuchAccount("the account does not exist")
        return row

    def find_mailbox(self, account: AccountRow, name: str) -> MailboxRow | None:
        """The account's mailbox of that canonical name, or None."""
        return account.by_name.get(name) or self._load_mailbox(account, _MAILBOX + "name = ?", name)

    def mailbox(self, account: int, mailbox: int) -> MailboxRow:
        """The mailbox of that number. Raises NoSuchMailbox, also where the account is gone."""
        try:
            row = self.account(account)
        except NoSuchAccount:
            raise NoSuchMailbox("the mailbox does not exist") from None
        found = row.by_id.get(mailbox) or self._load_mailbox(row, _MAILBOX + "mailbox = ?", mailbox)
        if found is None:
            raise NoSuchMailbox("the mailbox does not exist")
        return found

    def _load_mailbox(self, account: AccountRow, statement: str, key: str | int) -> MailboxRow | None:
        found = self.connection.find(statement, (account.id, key))
        if found is None:
            return None
        row = MailboxRow(account, *found)
        account.by_id[row.id] = account.by_name[row.name] = row
        return row

    # -- changes ---------------------------------------------------------------------------------------------

    def change(self, mailbox: MailboxRow, shared: int | None = None) -> int:
        """Take the account's next modseq for a change of messages in the mailbox, or the one of the same change."""
        account = mailbox.account
        if shared is None:
            account.modseq += 1
        modseq = mailbox.highest_modseq = account.modseq if shared is None else shared
        self._dirty_mailboxes.add(mailbox)
        self._dirty_accounts.add(account)
        touched = self._touched.get(account.name)
        if touched is None:
            self._touched[account.name] = (modseq, {mailbox.id}, ChangeKind.MESSAGES)
        else:
            touched[1].add(mailbox.id)
            self._touched[account.name] = (modseq, touched[1], touched[2] | ChangeKind.MESSAGES)
        return modseq

    def change_account(self, account: AccountRow, kinds: ChangeKind) -> int:
        """Take the account's next modseq for a change of its mailboxes or subscriptions."""
        modseq = account.modseq = account.modseq + 1
        self._dirty_accounts.add(account)
        before = self._touched.get(account.name)
        ids, earlier = (before[1], before[2]) if before else (set(), kinds)
        self._touched[account.name] = (modseq, ids, earlier | kinds)
        return modseq

    def account_changed(self, account: AccountRow) -> None:
        """The account's row changed in something that is no change of what it holds."""
        self._dirty_accounts.add(account)

    def check_room(self, account: AccountRow, messages: int, octets: int) -> None:
        """Raises: OverQuota: the account may not hold so much more."""
        if not self.has_room(account, messages, octets):
            raise OverQuota

    def has_room(self, account: AccountRow, messages: int, octets: int) -> bool:
        """Whether the account may hold so much more."""
        limits = account.limits or self.rules.limits
        return limits is UNLIMITED or limits.allow(account.size + octets, account.messages + messages)

    def counters_changed(self, mailbox: MailboxRow) -> None:
        """The mailbox's row changed in something that is no change of messages."""
        self._dirty_mailboxes.add(mailbox)

    def user_lost(self, bodies: Iterable[int]) -> None:
        """
        These bodies have one user less: `sweep` looks whether it was the last.

        A row that is there is written anew, and so it is locked: a sweep that looks at the body before this is
        committed doesn't take the row away.
        """
        self.run_many(_ORPHAN, [(body,) for body in bodies])

    def forget_account(self, account: AccountRow) -> None:
        """Read the account anew next time. What is dirty is written first."""
        self.flush()
        self._forget(account.name)

    # -- life of an operation --------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write the rows that changed."""
        if self._dirty_mailboxes:
            self.run_many(
                _WRITE_MAILBOX,
                [
                    (
                        row.uid_next,
                        row.messages,
                        row.unseen,
                        row.deleted,
                        row.size,
                        row.highest_modseq,
                        row.recent_after,
                        row.account.id,
                        row.id,
                    )
                    for row in self._dirty_mailboxes
                ],
            )
            self._dirty_mailboxes.clear()
        if self._dirty_accounts:
            self.run_many(
                "UPDATE account SET modseq = ?, last_mailbox = ?, messages = ?, size = ? WHERE account = ?",
                [(row.modseq, row.last_mailbox, row.messages, row.size, row.id) for row in self._dirty_accounts],
            )
            self._dirty_accounts.clear()

    def operation_done(self) -> None:
        """The operation succeeded: write its rows, remember whom to tell."""
        self.flush()
        if self.files is not None:
            self.files.part_done()
        if self.queue_grew:
            self.pending_queue_notice, self.queue_grew = True, False
        for name, (modseq, ids, kinds) in self._touched.items():
            before = self.pending_notices.get(name)
            if before is not None:
                ids, kinds = ids | before[1], kinds | before[2]
            self.pending_notices[name] = (modseq, ids, kinds)
        self._touched.clear()

    def operation_failed(self) -> None:
        """The operation's savepoint was rolled back: forget what it touched."""
        if self.files is not None:
            self.files.part_undone()
        for row in [*self._dirty_accounts, *(row.account for row in self._dirty_mailboxes)]:
            self._forget(row.name)
        for name in self._touched:
            self._forget(name)
        self._dirty_accounts.clear()
        self._dirty_mailboxes.clear()
        self._touched.clear()
        self.queue_grew = False

    def batch_begins(self, transactions: Sequence[Transaction], accounts: Collection[int]) -> None:
        """A transaction of the database has begun, and these come next; `accounts` are those that operations change."""

    def before_commit(self) -> None:
        """Write the numbers given in this batch."""
        if self._last != self._written:
            self.run(
                "UPDATE numbering SET account = ?, body = ?, email = ?, item = ?, uid_validity = ?", tuple(self._last)
            )
            self._written = list(self._last)

    def was_committed(self, before: WriteState) -> bool:
        """Whether the last batch of `before`, the state of a lost connection, was committed after all."""
        return False

    def committed(self) -> tuple[list[ChangeNotice], bool]:
        """The batch is durable: the notices to send, and whether queue items became due."""
        if self.files is not None:
            self.files.committed()
        notices = [
            ChangeNotice(name, modseq, frozenset(ids), kinds)
            for name, (modseq, ids, kinds) in self.pending_notices.items()
        ]
        queue_notice = self.pending_queue_notice
        self.pending_notices.clear()
        self.pending_queue_notice = self.users_changed = False
        if len(self._accounts) > MAX_CACHED_ACCOUNTS:
            self.forget_all()
        return notices, queue_notice

    def rolled_back(self) -> None:
        """The batch is undone: forget everything. Numbers are not taken back: giving one twice would be worse."""
        self.operation_failed()
        if self.files is not None:
            self.files.undone()
        self.forget_all()
        self.pending_notices.clear()
        self.pending_queue_notice = self.users_changed = False
        self._written = []

    def forget_all(self) -> None:
        """Read all accounts anew when they are asked for."""
        self._accounts.clear()
        self._names.clear()

    def _forget(self, name: str) -> None:
        row = self._accounts.pop(name, None)
        if row is not None:
            self._names.pop(row.id, None)
