"""
Copying between accounts, in the writer's thread: entries and emails are made anew, bodies have one user more.

Neighbours: `alterations` copies within an account; `acl` says who may.
"""

from __future__ import annotations

from ...mail.changes import CopyOutcome
from ...mail.errors import NoSuchMailbox
from ...mail.rights import Right, flag_bits
from ...mail.uid_set import UIDSet
from .alterations import copy_to, count_copied, expunge_all
from .connection import Selection
from .selection import ID_OF_EMAIL, KEPT_COLUMNS, bindings_of, rows_of
from .state import MailboxRow, Number, WriteState

# What is kept of an email besides its numbers: forms of the body, which are the same in every account.
_SAME = ", ".join(("body", *KEPT_COLUMNS.values()))

_INSERT_EMAIL = (
    f"INSERT INTO email (account, email, uses, id, {_SAME}) "
    f"SELECT ?, ?, ?, {ID_OF_EMAIL}, {_SAME} FROM email m WHERE account = ? AND email = ?"
)


def copy_between(
    state: WriteState, source: tuple[str, int], uids: UIDSet, target: tuple[str, int], rights: Right, move: bool
) -> CopyOutcome:
    """IACL.copy_between."""
    from_row, to_row = _mailbox(state, *source), _mailbox(state, *target)
    if from_row.account is to_row.account:
        return copy_to(state, from_row, uids, to_row, move=move, rights=rights)
    return _copy_across(state, from_row, uids, to_row, rights, move)


def _mailbox(state: WriteState, account: str, mailbox: int) -> MailboxRow:
    row = state.find_account(account)
    if row is None:
        raise NoSuchMailbox("the mailbox does not exist")
    return state.mailbox(row.id, mailbox)


def _copy_across(
    state: WriteState, source: MailboxRow, uids: UIDSet, target: MailboxRow, rights: Right, move: bool
) -> CopyOutcome:
    if not uids:
        return CopyOutcome(target.uid_validity, (), ())
    rows, bindings = rows_of(uids), bindings_of(source.account.id, source.id, uids)
    source_uids, emails = state.connection.columns(Selection(("e.uid", "e.email"), rows), bindings)
    if not source_uids:
        return CopyOutcome(target.uid_validity, (), ())
    made: dict[int, int] = {}
    uses: dict[int, int] = {}
    for email in emails:
        if email not in made:
            made[email] = state.new_number(Number.EMAIL)
        uses[email] = uses.get(email, 0) + 1
    state.run_many(
        _INSERT_EMAIL,
        [(target.account.id, made[email], uses[email], source.account.id, email) for email in made],
    )
    modseq, first = state.change(target), target.uid_next
    count_copied(state, rows, bindings, target, len(source_uids), rights, more=True)
    guid = "guid" if move else "random_guid()"
    keywords = "keywords" if Right.WRITE in rights else "''"
    state.run_many(
        f"INSERT INTO entry SELECT ?, ?, ?, bits & {flag_bits(rights)}, {keywords}, ?, ?, date, zone, ?, size, ?, "
        f"{guid}, prefix FROM entry WHERE account = ? AND mailbox = ? AND uid = ?",
        [
            (
                target.account.id,
                target.id,
                first + position,
                modseq,
                modseq,
                int(state.seconds()),
                made[email],
                source.account.id,
                source.id,
                uid,
            )
            for position, (uid, email) in enumerate(zip(source_uids, emails, strict=True))
        ],
    )
    if state.files is not None:
        state.files.copied(state, source, target, source_uids, first, rights)
    if move:
        expunge_all(state, source.account.id, source.id, UIDSet.of_ascending(source_uids))
    return CopyOutcome(target.uid_validity, source_uids, range(first, first + len(source_uids)))
