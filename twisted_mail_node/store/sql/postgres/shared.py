"""
What the writer knows where other nodes write as well: nothing that outlasts its transaction.

A batch begins by locking the rows of the accounts that it changes, in the order of their numbers, so that two nodes
wait for each other and never both ways; what it reads of them then stays true until its commit. Numbers are taken
from the database in blocks. What was changed is told to the other nodes by the commit itself (NOTIFY).

A row of the connection's own counts its commits, so that one whose outcome was not told can be looked up: each
transaction counts first of all, and so has the row locked until its end. Who looks it up waits for that end, and makes
the row such that a transaction which has not begun to count by then fails when it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from json import dumps

from ....mail.changes import ChangeNotice
from ....mail.mailbox_name import INBOX, canonical
from ....mail.transaction import Transaction
from ..connection import Bindings
from ..state import ACCOUNT_COLUMNS, AccountRow, MailboxRow, Number, WriteState
from .connection import OUTCOME_SECONDS, PostgresConnection, Statement

CHANNEL = "mailnode"

BLOCK = 10_000
"""Numbers are taken so many at a time."""

ENOUGH = 1_000
"""When fewer of a block are left at the begin of a batch, the next block is taken."""

PAYLOAD_OCTETS = 7_500
"""Of one notification; the server takes 8000."""

TOLD_MAILBOXES = 300
"""A notice of changes in more mailboxes does not name them."""

QUEUE_NOTICE_SECONDS = 1.0
"""How often other nodes are told that the queue has grown: this node sends by itself what it can."""

LOOKED_UP = 2**40
"""What the look-up adds to a connection's count: no connection makes so many commits."""

_COLUMNS = {Number.ACCOUNT: "account", Number.BODY: "body", Number.EMAIL: "email", Number.ITEM: "item"}
_LOCK_ACCOUNTS = (
    f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE name = ANY(:names) OR account = ANY(:numbers) "
    "ORDER BY account FOR UPDATE"
)
# Where the count is another than it was left at, a division by zero ends the transaction.
_COUNT = (
    "UPDATE node SET commits = CASE WHEN commits = ? THEN commits + 1 ELSE 1 / (commits - commits) END, at = ? "
    "WHERE name = ?"
)
_MAILBOXES = (
    "SELECT a.name, m.mailbox, m.name, m.uid_validity, m.uid_next, m.messages, m.unseen, m.deleted, m.size, "
    "m.highest_modseq, m.recent_after FROM account a JOIN mailbox m ON m.account = a.account "
    "WHERE a.name = ANY(:names) AND m.name = ANY(:mailboxes)"
)


class SharedState(WriteState):
    """
    See the module.

    `node` names this store among all that share the database, `name` the connection among all of all times.
    """

    connection: PostgresConnection

    def __init__(
        self,
        connection: PostgresConnection,
        seconds: Callable[[], float],
        given_up: Collection[int],
        node: str,
        name: str,
    ) -> None:
        super().__init__(connection, seconds, given_up)
        self._node = node
        self._name = name
        self._commits = 0
        connection.every("INSERT INTO node VALUES (?, 0, ?) RETURNING name", (name, int(seconds())))
        self._blocks: dict[Number, range] = {}
        self._new_blocks: set[Number] = set()
        self._queue_told = 0.0
        self._tells_queue = False

    # -- numbers ---------------------------------------------------------------------------------------------

    def new_number(self, kind: Number) -> int:
        """See WriteState."""
        block = self._blocks.get(kind)
        if not block:
            block = self._take_block(kind)
        self._blocks[kind] = block[1:]
        return block[0]

    def _take_block(self, kind: Number) -> range:
        (last,) = self.connection.one(*_taking(kind))
        return self._taken(kind, last)

    def _taken(self, kind: Number, last: int) -> range:
        self._new_blocks.add(kind)
        return range(last - BLOCK + 1, last + 1)

    def new_uid_validity(self) -> int:
        """See WriteState."""
        (made,) = self.connection.one(
            "UPDATE numbering SET uid_validity = CASE WHEN uid_validity >= :now THEN uid_validity + 1 ELSE :now END "
            "RETURNING uid_validity",
            {"now": int(self.seconds())},
        )
        return int(made)

    def note_uid_validity(self, restored: int) -> None:
        """See WriteState."""
        self.run("UPDATE numbering SET uid_validity = ? WHERE uid_validity < ?", (restored, restored))

    # -- life of a batch -------------------------------------------------------------------------------------

    def batch_begins(self, transactions: Sequence[Transaction], accounts: Collection[int]) -> None:
        """See WriteState."""
        self.run_many(_COUNT, [(self._commits, int(self.seconds()), self._name)])
        self.forget_all()
        self._new_blocks.clear()
        kinds = [kind for kind in _needed(transactions) if len(self._blocks.get(kind, ())) < ENOUGH]
        names = {placement.account for transaction in transactions for placement in transaction.placements}
        if not names and not accounts and not kinds:
            return
        mailboxes = {canonical(p.mailbox) for transaction in transactions for p in transaction.placements}
        lists: Bindings = {"names": sorted(names), "numbers": sorted(accounts)}  # type: ignore[dict-item]
        wanted = {"names": sorted(names), "mailboxes": sorted({INBOX, *mailboxes})}
        statements = [(_LOCK_ACCOUNTS, lists)]
        if names:
            statements.append((_MAILBOXES, wanted))  # type: ignore[arg-type]
        # Behind the accounts, as an operation does that makes a mailbox: so no two nodes wait for each other both ways.
        statements += [_taking(kind) for kind in kinds]
        found = self.connection.all_of(statements)
        for kind, ((last,),) in zip(kinds, found[len(found) - len(kinds) :], strict=True):
            self._blocks[kind] = self._taken(kind, last)
        for account in found[0]:
            self.remember(AccountRow(*account))
        for name, *row in found[1] if names else ():
            known = self.find_account(name)
            if known is not None:
                mailbox = MailboxRow(known, *row)
                known.by_id[mailbox.id] = known.by_name[mailbox.name] = mailbox

    def before_commit(self) -> None:
        """See WriteState."""
        payloads = self._payloads()
        if payloads:
            self.run_many("SELECT pg_notify(?, ?)", [(CHANNEL, payload) for payload in payloads])

    def _payloads(self) -> list[str]:
        """What the other nodes are told: who tells, what changed, whether the queue grew, whether users changed."""
        notices = [
            dumps([name, modseq, sorted(ids) if len(ids) <= TOLD_MAILBOXES else None, kinds.value])
            for name, (modseq, ids, kinds) in self.pending_notices.items()
        ]
        queue_grew = self.pending_queue_notice and self.seconds() - self._queue_told >= QUEUE_NOTICE_SECONDS
        self._tells_queue = queue_grew
        if not notices and not queue_grew and not self.users_changed:
            return []
        head = f'["{self._node}",{int(queue_grew)},{int(self.users_changed)}'
        payloads, parts, octets = [], list[str](), len(head)
        for notice in notices:
            if octets + len(notice) > PAYLOAD_OCTETS and parts:
                payloads.append(",".join([head, *parts]) + "]")
                parts, octets = [], len(head)
            parts.append(notice)
            octets += len(notice) + 1
        payloads.append(",".join([head, *parts]) + "]")
        return payloads

    def committed(self) -> tuple[list[ChangeNotice], bool]:
        """See WriteState."""
        self._commits += 1
        if self._tells_queue:
            self._queue_told, self._tells_queue = self.seconds(), False
        return super().committed()

    def operation_failed(self) -> None:
        """See WriteState. Blocks taken in what was undone were not taken at all."""
        super().operation_failed()
        self._forget_new_blocks()

    def rolled_back(self) -> None:
        """See WriteState."""
        super().rolled_back()
        self._forget_new_blocks()

    def _forget_new_blocks(self) -> None:
        for kind in self._new_blocks:
            self._blocks.pop(kind, None)
        self._new_blocks.clear()

    def was_committed(self, before: WriteState) -> bool:
        """
        See WriteState. Waits for the end of the old connection's transaction, which has the row locked.

        Raises: psycopg.errors.LockNotAvailable: it has not ended yet.
        """
        assert isinstance(before, SharedState)
        raw = self.connection.raw
        with raw.transaction():
            raw.execute(f"SET LOCAL lock_timeout = '{OUTCOME_SECONDS}s'")
            row = self.connection.find(
                "UPDATE node SET commits = commits + ? WHERE name = ? RETURNING commits", (LOOKED_UP, before._name)
            )
        # It may have been looked up before, on a connection that was lost before the answer came.
        return row is not None and row[0] % LOOKED_UP == before._commits + 1


def _taking(kind: Number) -> Statement:
    column = _COLUMNS[kind]
    return f"UPDATE numbering SET {column} = {column} + ? RETURNING {column}", (BLOCK,)


def _needed(transactions: Sequence[Transaction]) -> tuple[Number, ...]:
    """The kinds of numbers that are given to what the transactions bring."""
    if any(transaction.queue for transaction in transactions):
        return Number.BODY, Number.EMAIL, Number.ITEM
    return (Number.BODY, Number.EMAIL) if transactions else ()
