"""
One mailbox's door: reads go to the readers, changes to the writer.

Neighbours: `alterations` for what the writer does, `selection` and `search` for what the readers do.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from ...interfaces.deferred import returns_deferred, shielded
from ...interfaces.store import IMailbox, IOpenBody, IRestorableMailbox, ISearch
from ...mail.changes import CopyOutcome, MailboxChanges, MailboxStatus, StoreOutcome
from ...mail.columns import KEPT, Columns, FetchItem, InternalDate
from ...mail.errors import NoSuchMailbox, NoSuchMessage
from ...mail.flags import FlagChange, Flags
from ...mail.restoring import RestoredMessage
from ...mail.search import SearchKey
from ...mail.transaction import Body
from ...mail.uid_set import EMPTY, UIDSet
from . import alterations, restoring
from .bodies import OpenBody, StoredBody
from .connection import Connection, Selection
from .search import Narrowing
from .selection import KEPT_COLUMNS, Values, bindings_of, fetch, flag_column, guids_above, merged
from .state import WriteState

if TYPE_CHECKING:
    from .machinery import Machinery

T = TypeVar("T")
FetchRows = Callable[[Connection, int, int, UIDSet, FetchItem, str], Columns]
"""See `selection.fetch`."""

MAX_WAITING_HINTS = 64
"""Kept forms are a hint: more than this many calls waiting, and the next are dropped."""

STATUS_COLUMNS = (
    "mailbox, uid_validity, uid_next, messages, unseen, deleted, size, highest_modseq, recent_after FROM mailbox"
)


@implementer(IMailbox, IRestorableMailbox, ISearch)
class SQLMailbox:
    """See IMailbox; `account_id` is the number behind the account's name."""

    def __init__(self, machinery: Machinery, account: str, account_id: int, mailbox_id: int) -> None:
        self.account = account
        self.mailbox_id = mailbox_id
        self._machinery = machinery
        self._key = (account_id, mailbox_id)

    def _read(
        self, read: Callable[[Connection, int, int], T], what: Callable[[], str] = lambda: "something"
    ) -> Deferred[T]:
        """`what` is read, for the operator, should it turn out to be damaged."""
        account, mailbox = self._key

        def checked(connection: Connection) -> T:
            _check(connection, account, mailbox)
            return read(connection, account, mailbox)

        return self._machinery.readers.read(checked, lambda: f"{what()} in {self._place}")

    @property
    def _place(self) -> str:
        return f"mailbox {self.mailbox_id} of {self.account}"

    def _write(self, operation: Callable[[WriteState, int, int], T]) -> Deferred[T]:
        account, mailbox = self._key
        return self._machinery.writer.submit(lambda state: operation(state, account, mailbox), account=account)

    # -- questions -------------------------------------------------------------------------------------------

    def _looked(self, ask: Callable[[], Deferred[T]]) -> Deferred[T]:
        """Ask, after others' changes of the mailbox's files have been looked for."""
        return ask() if self._machinery.files is None else Deferred.fromCoroutine(self._look_and_ask(ask))

    async def _look_and_ask(self, ask: Callable[[], Deferred[T]]) -> T:
        if self._machinery.files is not None:
            await self._machinery.files.look(self.account, self._key)
        return await ask()

    def status(self) -> Deferred[MailboxStatus]:
        """See IMailbox."""
        return self._looked(lambda: self._read(_status))

    def claim_recent(self) -> Deferred[MailboxStatus]:
        """See IMailbox."""
        return self._looked(lambda: self._write(alterations.claim_recent))

    def keywords(self) -> Deferred[Sequence[str]]:
        """See IMailbox. One spelling of each, sorted without case."""
        return self._read(_keywords)

    def uids(self) -> Deferred[UIDSet]:
        """See IMailbox."""
        return self._looked(lambda: self._read(_uids))

    def first_unseen(self) -> Deferred[int | None]:
        """See IMailbox."""
        return self._read(_first_unseen)

    def changes(self, since_modseq: int) -> Deferred[MailboxChanges]:
        """See IMailbox."""
        account, mailbox = self._key
        return self._machinery.readers.read(lambda connection: _changes(connection, account, mailbox, since_modseq))

    def narrow(self, key: SearchKey) -> Deferred[tuple[UIDSet, SearchKey | None]]:
        """See ISearch."""
        return self._read(lambda connection, account, mailbox: Narrowing(connection, account, mailbox).narrow(key))

    # -- reading ---------------------------------------------------------------------------------------------

    def fetch(self, uids: UIDSet, items: FetchItem) -> Deferred[Columns]:
        """See IMailbox."""
        files = self._machinery.files
        fetch_from = fetch if files is None else files.reader.fetch(self.account)
        return self._read(
            lambda connection, account, mailbox: _fetch(connection, account, mailbox, uids, items, fetch_from),
            lambda: f"UIDs {uids}",
        )

    @returns_deferred
    async def open_body(self, uid: int) -> IOpenBody:
        """See IMailbox."""
        files = self._machinery.files
        if files is not None:
            opened = await self._read(
                lambda connection, account, mailbox: files.open(connection, self.account, (account, mailbox), uid)
            )
            if opened is not None:
                return opened
        bodies: list[int] = []

        def find(connection: Connection, account: int, mailbox: int) -> StoredBody:
            number, prefix = _find_body(connection, account, mailbox, uid)
            bodies.append(number)
            return StoredBody(connection, number, prefix)

        stored = await self._read(find, lambda: f"UID {uid}, body {bodies[0]}," if bodies else f"UID {uid}")
        return OpenBody(stored, self._machinery.readers, self._machinery.pins, f"UID {uid} in {self._place}")

    def keep_forms(self, forms: Columns) -> None:
        """See IMailbox. Written at idle times; dropped while too many wait."""
        machinery = self._machinery
        if machinery.waiting_hints >= MAX_WAITING_HINTS or not machinery.running:
            return
        machinery.waiting_hints += 1
        written = self._machinery.writer.submit(_keeping(*self._key, forms), idle=True, account=self._key[0])

        def done(result: Failure | None) -> None:
            # A hint that could not be written is computed again: nothing is lost, and nobody waits.
            machinery.waiting_hints -= 1

        written.addBoth(done)

    # -- changes ---------------------------------------------------------------------------------------------

    def append(self, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> Deferred[CopyOutcome]:
        """See IMailbox. Fails also with TemporaryFailure: a staged body is gone."""
        return self._write(lambda state, account, mailbox: alterations.append(state, account, mailbox, messages))

    def store_flags(
        self, uids: UIDSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> Deferred[StoreOutcome]:
        """See IMailbox. A large set is worked off in slices, a commit each."""
        return shielded(Deferred.fromCoroutine(self._store_in_slices(uids, change, flags, unchanged_since)))

    async def _store_in_slices(
        self, uids: UIDSet, change: FlagChange, flags: Flags, unchanged_since: int | None
    ) -> StoreOutcome:
        slices: list[alterations.FlagSlice] = []
        rest = uids
        while True:
            done, outcome = await self._write(_storing(rest, change, flags, unchanged_since, slices))
            if outcome is not None:
                return outcome
            slices.append(done)
            rest = done.rest

    def guids(self, after_uid: int, limit: int) -> Deferred[Columns]:
        """See IRestorableMailbox."""
        return self._read(
            lambda connection, account, mailbox: guids_above(connection, account, mailbox, after_uid, limit)
        )

    def restore(self, messages: Sequence[RestoredMessage]) -> Deferred[CopyOutcome]:
        """See IRestorableMailbox. Fails also with TemporaryFailure: a staged body is gone."""
        return self._write(lambda state, account, mailbox: restoring.restore(state, account, mailbox, messages))

    def copy(self, uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """See IMailbox."""
        return self._write(
            lambda state, account, mailbox: alterations.copy(state, account, mailbox, uids, target, move=False)
        )

    def move(self, uids: UIDSet, target: str) -> Deferred[CopyOutcome]:
        """See IMailbox."""
        return self._write(
            lambda state, account, mailbox: alterations.copy(state, account, mailbox, uids, target, move=True)
        )

    def expunge(self, uids: UIDSet | None = None, only_deleted: bool = True) -> Deferred[UIDSet]:
        """See IMailbox. What has \\Deleted is worked off in slices, a commit each."""
        if not only_deleted:
            return self._write(lambda state, account, mailbox: alterations.expunge_all(state, account, mailbox, uids))
        return shielded(Deferred.fromCoroutine(self._expunge_in_slices(uids)))

    async def _expunge_in_slices(self, uids: UIDSet | None) -> UIDSet:
        parts: list[UIDSet] = []
        rest = uids
        while True:
            part, rest, removed = await self._write(_expunging(rest, parts))
            if removed is not None:
                return removed
            parts.append(part)


# What the slices gave is put together in the writer's thread, with the last of them: for many messages that takes long.
# An operation may be run again where its commit failed, so it leaves nothing behind but its result.


def _storing(
    uids: UIDSet, change: FlagChange, flags: Flags, since: int | None, slices: list[alterations.FlagSlice]
) -> Callable[[WriteState, int, int], tuple[alterations.FlagSlice, StoreOutcome | None]]:
    def store(state: WriteState, account: int, mailbox: int) -> tuple[alterations.FlagSlice, StoreOutcome | None]:
        done = alterations.store_flags(state, account, mailbox, uids, change, flags, since)
        return done, None if done.rest else alterations.outcome_of([*slices, done])

    return store


def _expunging(
    uids: UIDSet | None, parts: list[UIDSet]
) -> Callable[[WriteState, int, int], tuple[UIDSet, UIDSet | None, UIDSet | None]]:
    def expunge(state: WriteState, account: int, mailbox: int) -> tuple[UIDSet, UIDSet | None, UIDSet | None]:
        part, rest = alterations.expunge(state, account, mailbox, uids, only_deleted=True)
        return part, rest, None if rest is None or rest else alterations.union([*parts, part])

    return expunge


def _keeping(account: int, mailbox: int, forms: Columns) -> Callable[[WriteState], None]:
    kept = [(KEPT_COLUMNS[item], column) for item, name in KEPT.items() if (column := getattr(forms, name))]

    def keep(state: WriteState) -> None:
        if not kept:
            return
        columns = [column for column, _ in kept]
        setting = ", ".join(f"{column} = coalesce({column}, ?)" for column in columns)
        missing = " OR ".join(f"{column} IS NULL" for column in columns)
        state.run_many(
            f"UPDATE email SET {setting} WHERE account = ? AND ({missing}) AND email = "
            "(SELECT email FROM entry WHERE account = ? AND mailbox = ? AND uid = ?)",
            [
                (*values, account, account, mailbox, uid)
                for uid, *values in zip(forms.uids, *(values for _, values in kept), strict=True)
            ],
        )

    return keep


# -- in the readers' threads ----------------------------------------------------------------------------------


def _check(connection: Connection, account: int, mailbox: int) -> None:
    if not connection.one(
        "SELECT EXISTS (SELECT 1 FROM mailbox WHERE account = ? AND mailbox = ?)", (account, mailbox)
    )[0]:
        raise NoSuchMailbox("the mailbox does not exist")


def _status(connection: Connection, account: int, mailbox: int) -> MailboxStatus:
    row = connection.one(f"SELECT {STATUS_COLUMNS} WHERE account = ? AND mailbox = ?", (account, mailbox))
    return MailboxStatus(*row)


def _keywords(connection: Connection, account: int, mailbox: int) -> list[str]:
    by_name: dict[str, str] = {}
    combination = ""
    # From one combination to the next by the index: however many messages have it.
    while row := connection.find(
        "SELECT keywords FROM entry INDEXED BY entry_keywords "
        "WHERE account = ? AND mailbox = ? AND keywords <> '' AND keywords > ? ORDER BY keywords LIMIT 1",
        (account, mailbox, combination),
    ):
        combination = row[0]
        by_name.update({keyword.lower(): keyword for keyword in combination.split()})
    return [by_name[name] for name in sorted(by_name)]


def _uids(connection: Connection, account: int, mailbox: int) -> UIDSet:
    messages, first, last = connection.one(
        "SELECT m.messages, (SELECT min(uid) FROM entry e WHERE e.account = m.account AND e.mailbox = m.mailbox), "
        "(SELECT max(uid) FROM entry e WHERE e.account = m.account AND e.mailbox = m.mailbox) "
        "FROM mailbox m WHERE m.account = ? AND m.mailbox = ?",
        (account, mailbox),
    )
    if not messages:
        return EMPTY
    if last - first == messages - 1:
        return UIDSet.span(first, last)
    return connection.uid_set(
        "SELECT uid FROM entry WHERE account = :account AND mailbox = :mailbox",
        bindings_of(account, mailbox, EMPTY),
    )


def _first_unseen(connection: Connection, account: int, mailbox: int) -> int | None:
    row = connection.find(
        "SELECT uid FROM entry INDEXED BY entry_unseen "
        "WHERE account = ? AND mailbox = ? AND bits & 1 = 0 ORDER BY uid LIMIT 1",
        (account, mailbox),
    )
    return None if row is None else int(row[0])


def _fetch(
    connection: Connection, account: int, mailbox: int, uids: UIDSet, items: FetchItem, fetch_from: FetchRows
) -> Columns:
    columns = fetch_from(connection, account, mailbox, uids, items, "entry")
    if not uids:
        return columns
    lingering = connection.one(
        "SELECT EXISTS (SELECT 1 FROM expunged WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ?)",
        (account, mailbox, uids.smallest, uids.largest),
    )[0]
    if not lingering:
        return columns
    expunged = fetch_from(connection, account, mailbox, uids, items, "expunged")
    return merged(columns, expunged) if expunged.uids else columns


def _find_body(connection: Connection, account: int, mailbox: int, uid: int) -> tuple[int, bytes]:
    for table in ("entry", "expunged"):
        row = connection.find(
            f"SELECT m.body, e.prefix FROM {table} e JOIN email m ON m.account = e.account AND m.email = e.email "
            "WHERE e.account = ? AND e.mailbox = ? AND e.uid = ?",
            (account, mailbox, uid),
        )
        if row is not None:
            return int(row[0]), row[1]
    raise NoSuchMessage("the message no longer exists")


# -- what changed ---------------------------------------------------------------------------------------------


def _changes(connection: Connection, account: int, mailbox: int, since: int) -> MailboxChanges:
    row = connection.find(
        "SELECT highest_modseq, uid_next FROM mailbox WHERE account = ? AND mailbox = ?", (account, mailbox)
    )
    if row is None:
        counter = connection.find("SELECT modseq FROM account WHERE account = ?", (account,))
        return MailboxChanges(counter[0] if counter else since, 1, _nothing(), _nothing(), EMPTY, exists=False)
    modseq, uid_next = row
    if modseq <= since:
        return MailboxChanges(modseq, uid_next, _nothing(), _nothing(), EMPTY)
    # When an entry came ascends with its UID, so walking back from the highest ends where the news ends.
    known = connection.find(
        "SELECT uid FROM entry WHERE account = ? AND mailbox = ? AND born <= ? ORDER BY uid DESC LIMIT 1",
        (account, mailbox, since),
    )
    last_known = known[0] if known else 0
    key: Values = {"account": account, "mailbox": mailbox, "since": since, "last_known": last_known}
    appended = _columns(connection, "entry", "uid > :last_known", key)
    # Told which index to take, since without statistics the primary key looks better.
    flagged = _columns(
        connection,
        "entry INDEXED BY entry_flagged",
        "modseq <> born AND modseq > :since AND uid <= :last_known",
        key,
    )
    return MailboxChanges(modseq, uid_next, appended, flagged, _vanished(connection, account, mailbox, since))


def _columns(connection: Connection, table: str, condition: str, key: Values) -> Columns:
    selection = Selection(
        ("uid", "bits", "keywords", "modseq"),
        f"{table} WHERE account = :account AND mailbox = :mailbox AND {condition}",
        sort=True,
    )
    uids, bits, keywords, modseqs = connection.columns(selection, key)
    # Packed, since whoever tells them to a client that is slow to read keeps them meanwhile.
    return Columns(array("q", uids), flags=flag_column(bits, keywords), modseqs=array("q", modseqs))


def _vanished(connection: Connection, account: int, mailbox: int, since: int) -> UIDSet:
    runs: list[tuple[int, int]] = []
    living = EMPTY
    for first, last, born_first, born_last in connection.every(
        "SELECT first, last, born_first, born_last FROM vanished WHERE account = ? AND mailbox = ? AND modseq > ?",
        (account, mailbox, since),
    ):
        if born_first > since:
            continue
        if not born_first:
            # Many runs of long ago, as one with what lives between them.
            living |= connection.uid_set(
                "SELECT uid FROM entry WHERE account = :account AND mailbox = :mailbox "
                "AND uid BETWEEN :first AND :last",
                bindings_of(account, mailbox, UIDSet.span(first, last)),
            )
        if born_last > since:
            # Some of the run came after `since` as well. After an hour it can't be told which: then all of it.
            news = connection.one(
                "SELECT min(uid) FROM expunged WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND born > ?",
                (account, mailbox, first, last, since),
            )[0]
            last = last if news is None else news - 1
        runs.append((first, last))
    return UIDSet(runs) - living


def _nothing() -> Columns:
    return Columns([], flags=[], modseqs=[])
