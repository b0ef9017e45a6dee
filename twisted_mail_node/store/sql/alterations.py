"""
What the writer does to the messages of a mailbox: append, store flags, copy, move, expunge, claim recent.

Set-based SQL wherever the rows need not be seen. Storing flags and expunging work in slices of SLICE_ROWS, so that a
large set does not keep deliveries waiting; copying, moving and POP3's UPDATE are all or none: one operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from json import dumps

from ...mail.changes import CopyOutcome, MailboxStatus, StoreOutcome
from ...mail.columns import Columns, InternalDate
from ...mail.errors import NoSuchMailbox
from ...mail.flags import FlagChange, Flags, flags_of
from ...mail.mailbox_name import canonical
from ...mail.rights import ALL_RIGHTS, Right, flag_bits
from ...mail.transaction import Body
from ...mail.uid_set import EMPTY, UIDSet
from .connection import Selection
from .deliveries import INSERT_BODY, INSERT_EMAIL, INSERT_ENTRY, Row, add_entry, email_row, take_body
from .maildir.incoming import INSERT_FILE, drop_chunks, octets_of, with_prefix
from .selection import Values, bindings_of, rows_of
from .state import MailboxRow, Number, WriteState

SLICE_ROWS = 5000
"""Our own bound: about 20 ms of the writer's time."""

_SEEN, _DELETED = 1, 8


def append(
    state: WriteState, account: int, mailbox: int, messages: Sequence[tuple[Body, Flags, InternalDate]]
) -> CopyOutcome:
    """IMailbox.append."""
    target = state.mailbox(account, mailbox)
    bodies: list[Row] = []
    emails: list[Row] = []
    entries: list[Row] = []
    files: list[Row] = []
    saved = int(state.seconds())
    uids: list[int] = []
    if not messages:
        return CopyOutcome(target.uid_validity, (), uids)
    state.check_room(target.account, len(messages), sum(body.size for body, _, _ in messages))
    modseq = state.change(target)
    for body, flags, date in messages:
        octets = None if state.files is None else octets_of(state, body)
        number = take_body(state, bodies, body, in_files=octets is not None)
        email = state.new_number(Number.EMAIL)
        emails.append(email_row(account, email, number, body))
        uids.append(
            add_entry(entries, target, modseq, flags.bits, flags.keyword_text, date, saved, body.size, email, b"")
        )
        if state.files is not None and octets is not None:
            pieces = with_prefix(b"", octets)
            files.append(state.files.arrive(state, target, uids[-1], flags, date[0], body.size, pieces))
            drop_chunks(state, body)
    state.run_many(INSERT_BODY, bodies)
    state.run_many(INSERT_EMAIL, emails)
    state.run_many(INSERT_ENTRY, entries)
    state.run_many(INSERT_FILE, files)
    return CopyOutcome(target.uid_validity, (), uids)


def status_of(row: MailboxRow) -> MailboxStatus:
    """The counters as the writer has them."""
    return MailboxStatus(
        row.id,
        row.uid_validity,
        row.uid_next,
        row.messages,
        row.unseen,
        row.deleted,
        row.size,
        row.highest_modseq,
        row.recent_after,
    )


def claim_recent(state: WriteState, account: int, mailbox: int) -> MailboxStatus:
    """IMailbox.claim_recent."""
    row = state.mailbox(account, mailbox)
    status = status_of(row)
    if row.recent_after != row.uid_next - 1:
        row.recent_after = row.uid_next - 1
        state.counters_changed(row)
    return status


# -- flags ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class FlagSlice:
    """What was done to a slice, and what of the set is left to do."""

    changed: Columns
    modified: list[int]
    gone: UIDSet
    rest: UIDSet


def store_flags(
    state: WriteState,
    account: int,
    mailbox: int,
    uids: UIDSet,
    change: FlagChange,
    flags: Flags,
    unchanged_since: int | None,
) -> FlagSlice:
    """IMailbox.store_flags for the first SLICE_ROWS messages of the set."""
    row = state.mailbox(account, mailbox)
    if not uids:
        return FlagSlice(Columns([], flags=[], modseqs=[]), [], EMPTY, EMPTY)
    wanted = Selection(("e.uid", "e.bits", "e.keywords", "e.modseq"), rows_of(uids), limit=SLICE_ROWS)
    found, bits, keywords, modseqs = state.connection.columns(wanted, bindings_of(account, mailbox, uids))
    changed: dict[Flags, list[int]] = {}
    after: list[tuple[int, Flags]] = []
    modified: list[int] = []
    results: dict[tuple[int, str], Flags | None] = {}
    for uid, its_bits, its_keywords, modseq in zip(found, bits, keywords, modseqs, strict=True):
        if unchanged_since is not None and modseq > unchanged_since:
            modified.append(uid)
            continue
        key = (its_bits, its_keywords)
        if key not in results:
            results[key] = _result(flags_of(its_bits, its_keywords), change, flags)
        result = results[key]
        if result is not None:
            changed.setdefault(result, []).append(uid)
            after.append((uid, result))
            recount(row, its_bits, result.bits)
    whole = len(found) < SLICE_ROWS
    rest = EMPTY if whole else uids - UIDSet.span(1, found[-1])
    known = uids & UIDSet.span(1, row.uid_next - 1 if whole else found[-1])
    gone = known - UIDSet.of(found) if len(found) < len(known) else EMPTY
    if not after:
        return FlagSlice(Columns([], flags=[], modseqs=[]), modified, gone, rest)
    modseq = state.change(row)
    for result, its_uids in changed.items():
        update_flags(state, row, result, its_uids, modseq)
    if state.files is not None:
        state.files.flagged(state, row, dict(after))
    columns = Columns([uid for uid, _ in after], flags=[result for _, result in after], modseqs=[modseq] * len(after))
    return FlagSlice(columns, modified, gone, rest)


def outcome_of(slices: Sequence[FlagSlice]) -> StoreOutcome:
    """What was done to all slices of a set, which ascend."""
    changed = Columns(
        [uid for done in slices for uid in done.changed.uids],
        flags=[flags for done in slices for flags in done.changed.flags or ()],
        modseqs=[modseq for done in slices for modseq in done.changed.modseqs or ()],
    )
    modified = UIDSet.of_ascending([uid for done in slices for uid in done.modified])
    return StoreOutcome(changed, modified, union([done.gone for done in slices]))


def _result(before: Flags, change: FlagChange, by: Flags) -> Flags | None:
    """The flags after the change, or None where it changes nothing."""
    after = before.changed(change, by)
    return None if after == before else after


def recount(row: MailboxRow, before: int, after: int) -> None:
    """The bits of one of its messages have changed."""
    flipped = before ^ after
    if flipped & _SEEN:
        row.unseen += 1 if before & _SEEN else -1
    if flipped & _DELETED:
        row.deleted += 1 if after & _DELETED else -1


def update_flags(state: WriteState, row: MailboxRow, flags: Flags, uids: list[int], modseq: int) -> None:
    """These messages, ascending, have these flags from this modseq on."""
    values = (flags.bits, flags.keyword_text, modseq, row.account.id, row.id)
    update = "UPDATE entry SET bits = ?, keywords = ?, modseq = ? WHERE account = ? AND mailbox = ? AND "
    if uids[-1] - uids[0] == len(uids) - 1:
        state.run(update + "uid BETWEEN ? AND ?", (*values, uids[0], uids[-1]))
    else:
        state.run(update + "uid IN (SELECT value FROM numbers_in(?))", (*values, dumps(uids)))


# -- copy, move -----------------------------------------------------------------------------------------------


def copy(state: WriteState, account: int, mailbox: int, uids: UIDSet, target_name: str, *, move: bool) -> CopyOutcome:
    """IMailbox.copy and IMailbox.move."""
    source = state.mailbox(account, mailbox)
    target = state.find_mailbox(source.account, canonical(target_name))
    if target is None:
        raise NoSuchMailbox("the target mailbox does not exist")
    return copy_to(state, source, uids, target, move=move)


def copy_to(
    state: WriteState,
    source: MailboxRow,
    uids: UIDSet,
    target: MailboxRow,
    *,
    move: bool,
    rights: Right = ALL_RIGHTS,
) -> CopyOutcome:
    """
    The same between rows at hand. A moved entry keeps its guid, a copy has one of its own.

    Flags are kept as the rights in the target allow.
    """
    if not uids:
        return CopyOutcome(target.uid_validity, (), ())
    rows, bindings = rows_of(uids), bindings_of(source.account.id, source.id, uids)
    (source_uids,) = state.connection.columns(Selection(("e.uid",), rows), bindings)
    if not source_uids:
        return CopyOutcome(target.uid_validity, (), ())
    modseq, first = state.change(target), target.uid_next
    count_copied(state, rows, bindings, target, len(source_uids), rights, more=not move)
    guid = "e.guid" if move else "random_guid()"
    keywords = "e.keywords" if Right.WRITE in rights else "''"
    state.run(
        f"INSERT INTO entry SELECT e.account, :target, :first_uid - 1 + row_number() OVER (ORDER BY e.uid), "
        f"e.bits & {flag_bits(rights)}, {keywords}, :modseq, :modseq, e.date, e.zone, :saved, e.size, e.email, "
        f"{guid}, e.prefix FROM {rows}",
        bindings | {"target": target.id, "first_uid": first, "modseq": modseq, "saved": int(state.seconds())},
    )
    _count_uses(state, source.account.id, rows, bindings)
    if state.files is not None:
        state.files.copied(state, source, target, source_uids, first, rights)
    if move:
        expunge_all(state, source.account.id, source.id, UIDSet.of_ascending(source_uids), shared=modseq)
    return CopyOutcome(target.uid_validity, source_uids, range(first, first + len(source_uids)))


def count_copied(
    state: WriteState, rows: str, bindings: Values, target: MailboxRow, messages: int, rights: Right, *, more: bool
) -> None:
    """
    The target counts these rows, with the flags that the rights allow.

    Raises: OverQuota: they are `more` than its account had before, and more than it may hold.
    """
    bits = flag_bits(rights)
    unseen, deleted, size = state.connection.one(
        f"SELECT count(*) FILTER (WHERE e.bits & {bits & _SEEN} = 0), "
        f"count(*) FILTER (WHERE e.bits & {bits & _DELETED} <> 0), sum(e.size) FROM {rows}",
        bindings,
    )
    if more:
        state.check_room(target.account, messages, int(size))
    target.uid_next += messages
    target.count(messages, unseen, deleted, int(size))


def _count_uses(state: WriteState, account: int, rows: str, bindings: Values) -> None:
    """The emails of these entries are shown once more by each of them."""
    shown = Selection(("e.email", "count(*)"), f"{rows} GROUP BY e.email", sort=True)
    by_count: dict[int, list[int]] = {}
    for email, count in zip(*state.connection.columns(shown, bindings), strict=True):
        by_count.setdefault(count, []).append(email)
    for count, emails in by_count.items():
        state.run(
            "UPDATE email SET uses = uses + ? WHERE account = ? AND email IN (SELECT value FROM numbers_in(?))",
            (count, account, dumps(emails)),
        )


# -- expunge --------------------------------------------------------------------------------------------------


def expunge(
    state: WriteState,
    account: int,
    mailbox: int,
    uids: UIDSet | None,
    *,
    only_deleted: bool,
    shared: int | None = None,
) -> tuple[UIDSet, UIDSet | None]:
    """
    IMailbox.expunge for the first SLICE_ROWS messages; `shared` is the modseq of the change it is part of.

    Returns what was removed, and the set to go on with: empty when all is done. None stands for all of them.
    """
    row = state.mailbox(account, mailbox)
    wanted = UIDSet.span(1, row.uid_next - 1) if uids is None else uids
    if not wanted:
        return EMPTY, EMPTY
    if only_deleted:
        rows = rows_of(wanted, index="entry_deleted") + " AND e.bits & 8 <> 0"
    else:
        rows = rows_of(wanted)
    slice = Selection(("e.uid", "e.born", "e.bits", "e.size"), rows, limit=SLICE_ROWS)
    gone, borns, bits, sizes = state.connection.columns(slice, bindings_of(account, mailbox, wanted))
    if not gone:
        return EMPTY, EMPTY
    removed = UIDSet.of(gone)
    _remove(state, row, removed, dict(zip(gone, borns, strict=True)), state.change(row, shared))
    unseen, deleted = sum(not its & _SEEN for its in bits), sum(its & _DELETED != 0 for its in bits)
    row.count(-len(gone), -unseen, -deleted, -sum(sizes))
    if len(gone) < SLICE_ROWS:
        return removed, EMPTY
    return removed, None if uids is None else uids - UIDSet.span(1, gone[-1])


def expunge_all(
    state: WriteState, account: int, mailbox: int, uids: UIDSet | None, shared: int | None = None
) -> UIDSet:
    """IMailbox.expunge of all of the set (None: of the mailbox), whatever its flags, by one change."""
    row = state.mailbox(account, mailbox)
    parts, rest = list[UIDSet](), uids
    while rest is None or rest:
        part, rest = expunge(state, account, mailbox, rest, only_deleted=False, shared=shared)
        parts.append(part)
        if part:
            shared = row.highest_modseq
    return union(parts)


def union(parts: Sequence[UIDSet]) -> UIDSet:
    """All of them as one set."""
    return UIDSet(run for part in parts for run in part.runs)


def _remove(state: WriteState, row: MailboxRow, removed: UIDSet, born: dict[int, int], modseq: int) -> None:
    account, mailbox = row.account.id, row.id
    if state.files is not None:
        state.files.expunged(state, row, removed)
    bindings, now = bindings_of(account, mailbox, removed), int(state.seconds())
    state.run(
        f"INSERT INTO expunged SELECT e.*, :now FROM {rows_of(removed)}",
        bindings | {"now": now},
    )
    state.run_many(
        "DELETE FROM entry WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ?",
        [(account, mailbox, first, last) for first, last in removed.runs],
    )
    state.run_many(
        "INSERT INTO vanished VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(account, mailbox, modseq, first, last, born[first], born[last], now) for first, last in removed.runs],
    )
