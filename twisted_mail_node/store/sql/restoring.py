"""
What the writer does to put mail back as it was elsewhere: IRestorableAccount and IRestorableMailbox.

Neighbours: `account` makes mailboxes, `deliveries` rows of bodies and entries, as for new mail.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...mail.changes import ChangeKind, CopyOutcome, MailboxStatus
from ...mail.errors import NoSuchMailbox, UIDTaken
from ...mail.mailbox_name import canonical, plan_create
from ...mail.restoring import RestoredMailbox, RestoredMessage
from ...mail.special_use import checked_use
from .alterations import status_of
from .deliveries import INSERT_BODY, INSERT_EMAIL, INSERT_ENTRY_WITH_GUID, Row, add_entry, email_row, take_body
from .mailboxes import make, names_of
from .maildir.incoming import INSERT_FILE, drop_chunks, octets_of, with_prefix
from .state import AccountRow, MailboxRow, Number, WriteState


def restore_mailbox(state: WriteState, account: AccountRow, wanted: RestoredMailbox) -> MailboxStatus:
    """IRestorableAccount.restore_mailbox."""
    special_use = checked_use(wanted.special_use)
    mailbox = state.find_mailbox(account, canonical(wanted.name))
    is_new = mailbox is None
    if mailbox is None:
        names = plan_create(names_of(state, account), wanted.name)
        _raise_modseq(account, wanted.highest_modseq)
        mailbox = make(state, account, names, special_use)
    uid_validity, uid_next = mailbox.uid_validity, mailbox.uid_next
    if wanted.uid_validity is not None and mailbox.uid_next == 1:
        uid_validity = wanted.uid_validity
        state.note_uid_validity(uid_validity)
    if uid_validity == wanted.uid_validity:
        uid_next = max(uid_next, wanted.uid_next)
    changed = (uid_validity, uid_next) != (mailbox.uid_validity, mailbox.uid_next)
    if changed or account.modseq < wanted.highest_modseq:
        _raise_modseq(account, wanted.highest_modseq)
        # One change: that of its making, where it was made by this.
        modseq = account.modseq if is_new else state.change_account(account, ChangeKind.MAILBOXES)
        _renumber(state, mailbox, uid_validity, uid_next, modseq)
    return status_of(mailbox)


def renew_uid_validity(state: WriteState, account: AccountRow, name: str) -> MailboxStatus:
    """IRestorableAccount.renew_uid_validity."""
    mailbox = state.find_mailbox(account, canonical(name))
    if mailbox is None:
        raise NoSuchMailbox("the mailbox does not exist")
    modseq = state.change_account(account, ChangeKind.MAILBOXES)
    _renumber(state, mailbox, state.new_uid_validity(), mailbox.uid_next, modseq)
    return status_of(mailbox)


def _raise_modseq(account: AccountRow, highest: int) -> None:
    # Written with the change that follows.
    account.modseq = max(account.modseq, highest)


def _renumber(state: WriteState, mailbox: MailboxRow, uid_validity: int, uid_next: int, modseq: int) -> None:
    state.counters_changed(mailbox)
    mailbox.uid_next, mailbox.highest_modseq = uid_next, modseq
    if uid_validity != mailbox.uid_validity:
        mailbox.uid_validity = uid_validity
        state.run(
            "UPDATE mailbox SET uid_validity = ? WHERE account = ? AND mailbox = ?",
            (uid_validity, mailbox.account.id, mailbox.id),
        )


def restore(state: WriteState, account: int, mailbox: int, messages: Sequence[RestoredMessage]) -> CopyOutcome:
    """IRestorableMailbox.restore."""
    target = state.mailbox(account, mailbox)
    uids: list[int] = []
    if not messages:
        return CopyOutcome(target.uid_validity, (), uids)
    _check_uids(target.uid_next, messages)
    state.check_room(target.account, len(messages), sum(each.body.size + len(each.prefix) for each in messages))
    bodies: list[Row] = []
    emails: list[Row] = []
    entries: list[Row] = []
    files: list[Row] = []
    saved = int(state.seconds())
    modseq = state.change(target)
    for message in messages:
        body, flags = message.body, message.flags
        octets = None if state.files is None else octets_of(state, body)
        number = take_body(state, bodies, body, in_files=octets is not None)
        email = state.new_number(Number.EMAIL)
        emails.append(email_row(account, email, number, body, email_id=message.email_id))
        if message.uid is not None:
            target.uid_next = message.uid
        uids.append(
            add_entry(
                entries,
                target,
                modseq,
                flags.bits,
                flags.keyword_text,
                message.internal_date,
                saved,
                body.size,
                email,
                message.prefix,
            )
        )
        *row, prefix = entries[-1]
        entries[-1] = (*row, bytes.fromhex(message.guid), prefix)
        if state.files is not None and octets is not None:
            pieces, size = with_prefix(message.prefix, octets), body.size + len(message.prefix)
            date = message.internal_date[0]
            files.append(state.files.arrive(state, target, uids[-1], flags, date, size, pieces))
            drop_chunks(state, body)
    state.run_many(INSERT_BODY, bodies)
    state.run_many(INSERT_EMAIL, emails)
    state.run_many(INSERT_ENTRY_WITH_GUID, entries)
    state.run_many(INSERT_FILE, files)
    return CopyOutcome(target.uid_validity, (), uids)


def _check_uids(uid_next: int, messages: Sequence[RestoredMessage]) -> None:
    for message in messages:
        uid = uid_next if message.uid is None else message.uid
        if uid < uid_next:
            raise UIDTaken(f"the mailbox has gone past UID {uid}")
        uid_next = uid + 1
