"""
What others did in Maildirs becomes changes of the index, in the writer's thread.

All of it is looked at once more here: what was found in a folder may be old by the time it is to be committed, and
the folder may be another mailbox's.
Neighbours: `comparing` finds it, `alterations` and `account` do what is done for our own changes too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ....mail.flags import Flags, flags_of
from ....mail.mailbox_name import INBOX, canonical
from ....mail.maildir_name import flags_in, info_of
from ....mail.uid_set import UIDSet
from ...maildir.listing import IN_NEW, file_in
from ...maildir.names import INBOX_FOLDER, mailbox_of
from ...maildir.tree import staged_file
from .. import alterations
from ..account import delete, subscribe
from ..deliveries import INSERT_BODY, INSERT_EMAIL, INSERT_ENTRY, Row, add_entry, email_row
from ..mailboxes import make
from ..state import MailboxRow, Number, WriteState
from .comparing import Changed, New
from .incoming import INSERT_FILE
from .work import FileWork

Operation = Callable[[WriteState], None]

_FORGET_FILE = "DELETE FROM file WHERE account = ? AND mailbox = ? AND uid = ?"
_SET_NAME = "UPDATE file SET base = ?, tail = ? WHERE account = ? AND mailbox = ? AND uid = ?"

SLICE = 500
"""Our own bound: files that come into the index by one operation."""

NOT_KNOWN = -1
"""The header size of a body that nobody has read."""


class GivenUIDs(NamedTuple):
    """
    UIDs that Dovecot gave: all below `uid_next` have been, though their messages be gone.

    `uid_validity` is None where it gave none. Files that have one come before those that have none.
    """

    uid_validity: int | None
    uid_next: int
    these_are_the_last: bool


def files_of(state: WriteState) -> FileWork:
    """What the batch does to files."""
    assert state.files is not None
    return state.files


def adopt(
    state: WriteState,
    account: int,
    mailbox: int,
    folder: bytes,
    found: Sequence[New],
    given: GivenUIDs,
) -> None:
    """
    These files come into the mailbox, with the UIDs that they have where those are to be had.

    A mailbox that has never had a message takes over the UIDVALIDITY of those UIDs as well.
    """
    files = files_of(state)
    row = state.mailbox(account, mailbox)
    if files.folder(state, row) != folder:
        return
    found = [one for one in found if not _is_known(state, account, mailbox, one.base)]
    if not found:
        return
    if given.uid_validity is not None and row.uid_next == 1:
        _take_uid_validity(state, row, given.uid_validity)
    keeps_uids = given.uid_validity == row.uid_validity
    letters = files.letters(folder)
    bodies, emails, entries, rows = list[Row](), list[Row](), list[Row](), list[Row]()
    modseq, saved = state.change(row), int(state.seconds())
    for one in found:
        number, email = state.new_number(Number.BODY), state.new_number(Number.EMAIL)
        bodies.append((number, one.size, NOT_KNOWN, 1, None, None, 1))
        emails.append(email_row(account, email, number, None))
        flags = flags_in(one.tail[1:], letters)
        if keeps_uids:
            row.uid_next = max(row.uid_next, given.uid_next if one.uid is None else one.uid)
        date = (one.date, 0)
        uid = add_entry(entries, row, modseq, flags.bits, flags.keyword_text, date, saved, one.size, email, b"")
        rows.append((account, mailbox, uid, one.base, one.tail))
    if keeps_uids and given.these_are_the_last:
        row.uid_next = max(row.uid_next, given.uid_next)
    state.run_many(INSERT_BODY, bodies)
    state.run_many(INSERT_EMAIL, emails)
    state.run_many(INSERT_ENTRY, entries)
    state.run_many(INSERT_FILE, rows)


def _take_uid_validity(state: WriteState, row: MailboxRow, uid_validity: int) -> None:
    if row.uid_validity != uid_validity:
        state.note_uid_validity(uid_validity)
        row.uid_validity = uid_validity
        state.run(
            "UPDATE mailbox SET uid_validity = ? WHERE account = ? AND mailbox = ?",
            (uid_validity, row.account.id, row.id),
        )


def _is_known(state: WriteState, account: int, mailbox: int, base: bytes) -> bool:
    return (
        state.connection.find(
            "SELECT 1 FROM file WHERE account = ? AND base = ? AND mailbox = ?", (account, base, mailbox)
        )
        is not None
    )


def take_changes(state: WriteState, account: int, mailbox: int, folder: bytes, changes: Sequence[Changed]) -> None:
    """
    These files have other names than the index knew, or than it wants.

    What others changed since the name that was known is changed in the entry; the rest of it stays.
    """
    files = files_of(state)
    row = state.mailbox(account, mailbox)
    if files.folder(state, row) != folder:
        return
    letters = files.letters(folder)
    after: dict[Flags, list[int]] = {}
    names: list[Row] = []
    for change in changes:
        now = _entry(state, account, mailbox, change.uid)
        if now is None or files.tails.get((account, mailbox, change.uid), now[0]) != change.known:
            continue  # We changed it meanwhile.
        before = flags_of(now[1], now[2])
        known, told = flags_in(change.known[1:], letters), flags_in(change.tail[1:], letters)
        result = _merged(before, known, told)
        if result != before:
            after.setdefault(result, []).append(change.uid)
            alterations.recount(row, before.bits, result.bits)
        if (change.new_base, change.tail) != (change.base, change.known):
            names.append((change.new_base, change.tail, account, mailbox, change.uid))
        wanted = b"c" + info_of(result, letters)
        if wanted != change.tail and (result.wire or change.tail not in (IN_NEW, b"c")):
            files.renamed((account, mailbox, change.uid), folder, change.new_base, change.tail, wanted)
    if after:
        modseq = state.change(row)
        for flags, uids in after.items():
            alterations.update_flags(state, row, flags, sorted(uids), modseq)
    state.run_many(_SET_NAME, names)


def _entry(state: WriteState, account: int, mailbox: int, uid: int) -> tuple[bytes, int, str] | None:
    row = state.connection.find(
        "SELECT f.tail, e.bits, e.keywords FROM file f JOIN entry e ON e.account = f.account AND e.mailbox = f.mailbox "
        "AND e.uid = f.uid WHERE f.account = ? AND f.mailbox = ? AND f.uid = ?",
        (account, mailbox, uid),
    )
    return None if row is None else (bytes(row[0]), row[1], row[2])


def _merged(mine: Flags, known: Flags, told: Flags) -> Flags:
    """Mine, with what changed between the two others."""
    if known == told:
        return mine
    bits = (mine.bits & ~(known.bits & ~told.bits)) | (told.bits & ~known.bits)
    before = {keyword.lower() for keyword in known.keywords}
    after = {keyword.lower() for keyword in told.keywords}
    keywords = [keyword for keyword in mine.keywords if keyword.lower() not in before - after]
    have = {keyword.lower() for keyword in keywords}
    keywords += [keyword for keyword in told.keywords if keyword.lower() not in before | have]
    return flags_of(bits, " ".join(sorted(keywords, key=str.lower)))


def take_missing(state: WriteState, account: int, mailbox: int, folder: bytes, missing: Sequence[Changed]) -> None:
    """These files are not there any more: their messages are expunged, unless they are there after all."""
    files = files_of(state)
    row = state.mailbox(account, mailbox)
    if files.folder(state, row) != folder or not os.path.isdir(os.path.join(folder, b"cur")):
        return  # The folder went, or its disk: nothing is known of its messages.
    gone = []
    for one in missing:
        now = _entry(state, account, mailbox, one.uid)
        if now is None:
            continue
        tail = files.tails.get((account, mailbox, one.uid), now[0])
        if not os.path.lexists(file_in(folder, one.base, tail)) and not staged_file(files.tree, account, one.base):
            gone.append(one.uid)
    if gone:
        with files.leaving_to_others():
            alterations.expunge_all(state, account, mailbox, UIDSet.of(sorted(gone)))
        # Should a file of that name come again, it is a new message.
        state.run_many(_FORGET_FILE, [(account, mailbox, uid) for uid in gone])


def take_leaves(state: WriteState, account: int, mailbox: int, folder: bytes, left: Sequence[Changed]) -> None:
    """
    These are files of messages that are expunged.

    Where the process was killed before it took them away, others are to see them no more. Where it did not, others
    have put them back: they come in as new messages when the folder is next looked at.
    """
    files = files_of(state)
    if files.folder(state, state.mailbox(account, mailbox)) != folder:
        return
    for one in left:
        key = account, mailbox, one.uid
        if _entry(state, *key) is not None:
            continue
        if os.path.lexists(files.tree.gone_file(*key)):
            files.put_back(state, key, folder)
        else:
            files.leave(key, folder, one.new_base, one.tail)


def take_folders(
    state: WriteState, account: int, found: Sequence[bytes], subscribed: frozenset[str] | None
) -> list[bytes]:
    """
    These are the account's folders: those that are new become mailboxes, and mailboxes whose folders went go.

    `subscribed` are those that Dovecot had subscribed, or None where it does not say: then all that come are.
    Returns those that no mailbox can be.
    """
    files = files_of(state)
    row = state.account(account)
    known: dict[int, tuple[bytes | None, bytes | None]] = {
        mailbox: (name, target)
        for mailbox, name, target in state.connection.every(
            "SELECT mailbox, name, target FROM folder WHERE account = ? AND mailbox <> 0", (account,)
        )
    }
    taken = {bytes(name) for names in known.values() for name in names if name}
    strange = []
    for folder in found:
        if folder in taken:
            continue
        name = mailbox_of(folder)
        if name is None:
            strange.append(folder)
            continue
        there = state.find_mailbox(row, canonical(name))
        if there is None:
            make(state, row, (name,), None)
            if subscribed is None or name in subscribed:
                subscribe(state, row, name, True)
        elif there.id not in known:
            files.folder_made(state, row, there.id, name)
    _take_away(state, account, known, set(found))
    return strange


def _take_away(
    state: WriteState, account: int, known: Mapping[int, tuple[bytes | None, bytes | None]], found: set[bytes]
) -> None:
    files = files_of(state)
    row = state.account(account)
    for mailbox, (name, target) in known.items():
        if name is None or target is not None or bytes(name) in found or bytes(name) == INBOX_FOLDER:
            continue
        if os.path.lexists(files.tree.folder(row.name, bytes(name))) or not os.path.isdir(files.tree.account(row.name)):
            continue
        there = state.mailbox(account, mailbox)
        if there.name != INBOX:
            delete(state, row, there.name)
