"""One account's door, and what the writer does to accounts and to the tree of their mailboxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json import dumps
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ...interfaces.deferred import returns_deferred
from ...interfaces.store import IAccount, IMailbox, IRestorableAccount
from ...mail.changes import ChangeKind, MailboxInfo, MailboxStatus
from ...mail.errors import AccountExists, NoSuchAccount, NoSuchMailbox, PermanentFailure
from ...mail.mailbox_name import INBOX, canonical, checked, listing_key, plan_create, plan_rename
from ...mail.restoring import RestoredMailbox
from ...mail.special_use import checked_use
from ...mail.uid_set import UIDSet
from . import acl, metadata, restoring
from .alterations import copy_to
from .connection import Connection
from .mailbox import STATUS_COLUMNS, SQLMailbox
from .mailboxes import make, names_of
from .state import AccountRow, Number, WriteState

if TYPE_CHECKING:
    from .machinery import Machinery

T = TypeVar("T")


@implementer(IAccount, IRestorableAccount)
class SQLAccount:
    """See IAccount. Fails with NoSuchAccount once the account is removed."""

    def __init__(self, machinery: Machinery, name: str, account_id: int) -> None:
        self.name = name
        self._machinery = machinery
        self._id = account_id

    def _read(self, read: Callable[[Connection, int], T]) -> Deferred[T]:
        account = self._id

        def checked_read(connection: Connection) -> T:
            if connection.find("SELECT 1 FROM account WHERE account = ?", (account,)) is None:
                raise NoSuchAccount("the account does not exist")
            return read(connection, account)

        return self._machinery.readers.read(checked_read)

    def _write(self, operation: Callable[[WriteState, AccountRow], T]) -> Deferred[T]:
        account = self._id
        return self._machinery.writer.submit(lambda state: operation(state, state.account(account)), account=account)

    @returns_deferred
    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """See IAccount."""
        if self._machinery.files is not None:
            await self._machinery.files.look_for_folders(self.name, self._id)
        return await self._read(_mailboxes)

    @returns_deferred
    async def statuses(self, mailbox_ids: Sequence[int]) -> Sequence[MailboxStatus]:
        """See IAccount."""
        if self._machinery.files is not None:
            await self._machinery.files.look_at_all(self.name, [(self._id, mailbox) for mailbox in mailbox_ids])
        wanted = dumps(list(mailbox_ids))
        return await self._read(lambda connection, account: _statuses(connection, account, wanted))

    @returns_deferred
    async def mailbox(self, name: str) -> IMailbox:
        """See IAccount."""
        if self._machinery.files is not None:
            await self._machinery.files.look_for_folders(self.name, self._id)
        mailbox_id = await self._read(lambda connection, account: _find(connection, account, canonical(name)))
        return SQLMailbox(self._machinery, self.name, self._id, mailbox_id)

    def create(self, name: str, special_use: str | None = None) -> Deferred[MailboxInfo]:
        """See IAccount. Fails also with PermanentFailure: not a special use of RFC 6154."""
        return self._write(lambda state, account: create(state, account, name, special_use))

    def rename(self, name: str, new_name: str) -> Deferred[None]:
        """See IAccount."""
        return self._write(lambda state, account: _rename(state, account, name, new_name))

    def delete(self, name: str) -> Deferred[None]:
        """See IAccount. The messages are swept away later, in slices."""
        return self._write(lambda state, account: delete(state, account, name))

    def subscribe(self, name: str, subscribed: bool) -> Deferred[None]:
        """See IAccount. Fails also with BadMailboxName: no mailbox could have the name."""
        return self._write(lambda state, account: subscribe(state, account, name, subscribed))

    def subscriptions(self) -> Deferred[Sequence[str]]:
        """See IAccount."""
        return self._read(_subscriptions)

    def restore_mailbox(self, mailbox: RestoredMailbox) -> Deferred[MailboxStatus]:
        """See IRestorableAccount."""
        return self._write(lambda state, account: restoring.restore_mailbox(state, account, mailbox))

    def renew_uid_validity(self, name: str) -> Deferred[MailboxStatus]:
        """See IRestorableAccount."""
        return self._write(lambda state, account: restoring.renew_uid_validity(state, account, name))


# -- in the readers' threads ----------------------------------------------------------------------------------


def _mailboxes(connection: Connection, account: int) -> list[MailboxInfo]:
    rows = connection.every(
        "SELECT mailbox, name, uid_validity, special_use FROM mailbox WHERE account = ?", (account,)
    )
    return sorted((MailboxInfo(*row) for row in rows), key=lambda info: listing_key(info.name))


def _statuses(connection: Connection, account: int, wanted: str) -> list[MailboxStatus]:
    rows = connection.every(
        f"SELECT {STATUS_COLUMNS} WHERE account = ? AND mailbox IN (SELECT value FROM numbers_in(?)) "
        "ORDER BY name <> 'INBOX', name",
        (account, wanted),
    )
    return [MailboxStatus(*row) for row in rows]


def _find(connection: Connection, account: int, name: str) -> int:
    row = connection.find("SELECT mailbox FROM mailbox WHERE account = ? AND name = ?", (account, name))
    if row is None:
        raise NoSuchMailbox("the mailbox does not exist")
    return int(row[0])


def _subscriptions(connection: Connection, account: int) -> list[str]:
    rows = connection.every("SELECT name FROM subscription WHERE account = ?", (account,))
    return sorted(row[0] for row in rows)


# -- in the writer's thread -----------------------------------------------------------------------------------


def create_account(state: WriteState, name: str, mailboxes: Sequence[tuple[str, str | None]]) -> None:
    """IMailStore.create_account."""
    if state.find_account(name) is not None:
        raise AccountExists("the account exists already")
    number = state.new_number(Number.ACCOUNT)
    state.run("INSERT INTO account (account, name, modseq, last_mailbox) VALUES (?, ?, 0, 0)", (number, name))
    account = state.account(number)
    make(state, account, (INBOX,), None)
    subscribe(state, account, INBOX, True)
    for mailbox_name, special_use in mailboxes:
        made = create(state, account, mailbox_name, special_use)
        subscribe(state, account, made.name, True)


def remove_account(state: WriteState, name: str) -> None:
    """IMailStore.remove_account. What it held is swept away later, in slices; nobody can reach it any more."""
    account = state.find_account(name)
    if account is None:
        raise NoSuchAccount("the account does not exist")
    state.users_changed = True
    state.change_account(account, ChangeKind.REMOVED)
    if state.files is not None:
        state.files.account_dropped(state, account)
    state.forget_account(account)
    state.run("DELETE FROM account WHERE account = ?", (account.id,))
    state.run("DELETE FROM mailbox WHERE account = ?", (account.id,))
    state.run("DELETE FROM subscription WHERE account = ?", (account.id,))
    state.run("DELETE FROM user WHERE name = ?", (name,))
    state.run("DELETE FROM app_password WHERE name = ?", (name,))
    state.run("DELETE FROM maildrop WHERE account = ?", (name,))
    metadata.account_gone(state, account)
    acl.account_gone(state, account)
    state.run("DELETE FROM removed WHERE account = ?", (account.id,))
    state.run("INSERT INTO removed VALUES (?, 0)", (account.id,))


def create(state: WriteState, account: AccountRow, name: str, special_use: str | None) -> MailboxInfo:
    """IAccount.create."""
    special_use = checked_use(special_use)
    made = make(state, account, plan_create(names_of(state, account), name), special_use)
    return MailboxInfo(made.id, made.name, made.uid_validity, special_use)


def _rename(state: WriteState, account: AccountRow, name: str, new_name: str) -> None:
    plan = plan_rename(names_of(state, account), name, new_name)
    if plan.created:
        made = make(state, account, plan.created, None)
    else:
        state.change_account(account, ChangeKind.MAILBOXES)
    if not plan.moved:
        inbox = state.find_mailbox(account, INBOX)
        if inbox is not None:
            copy_to(state, inbox, UIDSet.span(1, inbox.uid_next - 1), made, move=True)
            metadata.copied(state, account, inbox.id, made.id)
        return
    if state.files is not None:
        for old, new in plan.moved.items():
            state.files.folder_moved(state, account, old, new)
    state.run_many(
        "UPDATE mailbox SET name = ? WHERE account = ? AND name = ?",
        [(new, account.id, old) for old, new in plan.moved.items()],
    )
    state.forget_account(account)


def delete(state: WriteState, account: AccountRow, name: str) -> None:
    """IAccount.delete."""
    mailbox = state.find_mailbox(account, canonical(name))
    if mailbox is None:
        raise NoSuchMailbox("the mailbox does not exist")
    if mailbox.name == INBOX:
        raise PermanentFailure("INBOX cannot be deleted")
    mailbox.count(-mailbox.messages, -mailbox.unseen, -mailbox.deleted, -mailbox.size)
    state.change_account(account, ChangeKind.MAILBOXES)
    if state.files is not None:
        state.files.folder_dropped(state, mailbox)
    state.forget_account(account)
    state.run("DELETE FROM mailbox WHERE account = ? AND mailbox = ?", (account.id, mailbox.id))
    metadata.mailbox_gone(state, account, mailbox.id)
    acl.mailbox_gone(state, account, mailbox.id)
    state.run("INSERT INTO removed VALUES (?, ?)", (account.id, mailbox.id))


def subscribe(state: WriteState, account: AccountRow, name: str, subscribed: bool) -> None:
    """IAccount.subscribe."""
    name = checked(name) if subscribed else canonical(name)
    if subscribed:
        statement = "INSERT INTO subscription VALUES (?, ?) ON CONFLICT DO NOTHING"
    else:
        statement = "DELETE FROM subscription WHERE account = ? AND name = ?"
    if state.run(statement, (account.id, name)):
        state.change_account(account, ChangeKind.SUBSCRIPTIONS)
