"""
Taking away what nobody needs any more, in small slices, each an operation of the writer at an idle moment.

What is swept: rows of removed accounts and mailboxes, entries expunged longer ago than they stay readable, staged
bodies that no transaction took, bodies that lost their last user, ids of old transactions and names of nodes that are
no more, what is long ago in the history of expunges, free pages of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from json import dumps

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from ...mail.errors import Unavailable
from .bodies import Pins
from .connection import Row
from .engine import IReactor
from .state import WriteState
from .writer import Writer

ROUND_SECONDS = 60.0
READABLE_SECONDS = 3600
"""How long an expunged message stays readable; the door promises an hour."""
COMMITTED_SECONDS = 4 * 86_400
"""How long a transaction's id is remembered: longer than anyone tries the same transaction again."""
HISTORY_ROWS = 1000
"""Our own bound: so many runs of expunges of a mailbox are remembered one by one, with those before as one."""
LONG_ROUND_SECONDS = 6 * 3600.0
"""How often what is there in great numbers is looked through: ids of transactions, histories."""

SLICE_ROWS = 500
SLICE_CHUNKS = 32

# Of bodies that may have no user any more: whether somebody needs one, and whether it is in chunks.
_USES = (
    "SELECT body, EXISTS (SELECT 1 FROM email WHERE email.body = orphan.body) "
    "OR EXISTS (SELECT 1 FROM queue WHERE queue.body = orphan.body), "
    "EXISTS (SELECT 1 FROM chunk WHERE chunk.body = orphan.body) "
    "FROM orphan WHERE body IN (SELECT value FROM numbers_in(?))"
)

_SLICE = "(SELECT {key} FROM {table} WHERE {condition} LIMIT {rows})"


class Sweep:
    """The rounds. Used in the reactor's thread; the slices run in the writer's."""

    _log = Logger()

    def __init__(
        self,
        reactor: IReactor,
        writer: Writer,
        pins: Pins,
        staged_seconds: float,
        history_seconds: float,
        after_round: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._writer = writer
        self._pins = pins
        self._staged_seconds = staged_seconds
        self._history_seconds = history_seconds
        self._after_round = after_round
        self._call: IDelayedCall | None = None
        self._running = False
        self._long_round_at = 0.0

    @property
    def at_rest(self) -> bool:
        """Whether the next round waits for its time."""
        return self._call is not None

    def start(self) -> None:
        """Begin the rounds."""
        self._running = True
        self._call = self._reactor.callLater(ROUND_SECONDS, self._begin)

    def stop(self) -> None:
        """No more rounds."""
        self._running = False
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _begin(self) -> None:
        self._call = None
        Deferred.fromCoroutine(self.sweep()).addErrback(lambda failure: failure.trap(CancelledError))

    async def sweep(self) -> None:
        """One round, slice by slice, until nothing is left to sweep now; then the next is set."""
        try:
            now = self._reactor.seconds()
            while self._running and await self._writer.submit(
                _slice(now, self._staged_seconds, self._pins.snapshot()), idle=True
            ):
                continue
            if now - self._long_round_at > LONG_ROUND_SECONDS:
                self._long_round_at = now
                await self._sweep_committed(int(now) - COMMITTED_SECONDS)
                await self._shorten_histories(int(now))
            self._after_round()
        except CancelledError:
            raise
        except Unavailable:
            pass  # Stopped, and there is no next round; or the database is away, which has been said, and there is one.
        except Exception:
            # The next round tries again.
            self._log.failure("sweeping failed")
        if self._running and self._call is None:
            self._call = self._reactor.callLater(ROUND_SECONDS, self._begin)

    async def _sweep_committed(self, before: int) -> None:
        after: str | None = ""
        while after is not None and self._running:
            after = await self._writer.submit(_old_ids(after, before), idle=True)

    async def _shorten_histories(self, now: int) -> None:
        after: tuple[int, int] | None = (0, 0)
        before = now - int(self._history_seconds)
        while after is not None and self._running:
            after = await self._writer.submit(_next_history(after, now, before), idle=True)


def _slice(now: float, staged_seconds: float, pinned: frozenset[int]) -> Callable[[WriteState], bool]:
    return lambda state: sweep_slice(state, now, staged_seconds, pinned)


def _old_ids(after: str, before: int) -> Callable[[WriteState], str | None]:
    return lambda state: sweep_old_ids(state, after, before)


def _next_history(after: tuple[int, int], now: int, before: int) -> Callable[[WriteState], tuple[int, int] | None]:
    return lambda state: shorten_next_history(state, after, now, before)


def sweep_slice(state: WriteState, now: float, staged_seconds: float, pinned: frozenset[int]) -> bool:
    """Sweep a little. Returns whether there may be more."""
    return state.connection.may_sweep() and (
        _removed(state)
        or _expunged(state, int(now) - READABLE_SECONDS)
        or _staged(state, now - staged_seconds, pinned)
        or _orphans(state, pinned)
        or state.connection.give_space_back()
    )


def sweep_old_ids(state: WriteState, after: str, before: int) -> str | None:
    """Forget old ones among the next SLICE_ROWS transaction ids. Returns where to go on, or None at the end."""
    if not state.connection.may_sweep():
        return None
    last, count = state.connection.one(
        "SELECT max(id), count(*) FROM (SELECT id FROM committed WHERE id > ? ORDER BY id LIMIT ?) next_ids",
        (after, SLICE_ROWS),
    )
    if not after:
        # The few rows of nodes that share a database: those that have not written for as long are no more.
        state.run("DELETE FROM node WHERE at < ?", (before,))
    if not count:
        return None
    state.run("DELETE FROM committed WHERE id > ? AND id <= ? AND at < ?", (after, last, before))
    return str(last) if count == SLICE_ROWS else None


def shorten_next_history(state: WriteState, after: tuple[int, int], now: int, before: int) -> tuple[int, int] | None:
    """
    Shorten the history of the next mailbox that has one, a little. Returns where to go on, or None at the end.

    Rows of times before `before`, and those that are too many, become one run with everything in between; see `mailbox`
    for what is read out of such a run. Rows of an earlier version count from now.
    """
    if not state.connection.may_sweep():
        return None
    key = state.connection.find(
        "SELECT account, mailbox FROM vanished WHERE (account, mailbox) > (?, ?) ORDER BY account, mailbox LIMIT 1",
        after,
    )
    if key is None:
        return None
    of_mailbox = "FROM vanished WHERE account = ? AND mailbox = ?"
    state.run("UPDATE vanished SET at = ? WHERE account = ? AND mailbox = ? AND at IS NULL", (now, *key))
    until, rows = state.connection.one(f"SELECT max(modseq), count(*) {of_mailbox} AND at < ?", (*key, before))
    ends = state.connection.every(
        f"SELECT modseq {of_mailbox} ORDER BY modseq LIMIT ?",
        (*key, 2 * HISTORY_ROWS + SLICE_ROWS),
    )
    if len(ends) > 2 * HISTORY_ROWS:
        until, rows = max(until or 0, ends[-HISTORY_ROWS - 1][0]), len(ends)
    if rows > 1:
        _become_one(state, key, until)
    return after if len(ends) > 2 * HISTORY_ROWS else (int(key[0]), int(key[1]))


def _become_one(state: WriteState, key: Row, until: int) -> None:
    """All runs of a mailbox's history up to a modseq become one."""
    condition = "account = ? AND mailbox = ? AND modseq <= ?"
    first, last, at = state.connection.one(
        f"SELECT min(first), max(last), max(at) FROM vanished WHERE {condition}", (*key, until)
    )
    state.run(f"DELETE FROM vanished WHERE {condition}", (*key, until))
    state.run("INSERT INTO vanished VALUES (?, ?, ?, ?, ?, 0, 0, ?)", (*key, until, first, last, at))


def _removed(state: WriteState) -> bool:
    row = state.connection.find("SELECT account, mailbox FROM removed LIMIT 1")
    if row is None:
        return False
    account, mailbox = row
    if mailbox:
        condition = f"account = {account} AND mailbox = {mailbox}"
        more = _release(state, "entry", condition) or _release(state, "expunged", condition)
    else:
        # All emails of the account go as well: nothing needs counting.
        condition = f"account = {account}"
        more = (
            _sweep_files(state, condition)
            or _delete(state, "entry", "account, mailbox, uid", condition)
            or _delete(state, "expunged", "account, mailbox, uid", condition)
        )
        if not more:
            more = _delete_emails(state, condition)
    if not more:
        more = _delete(state, "vanished", "account, mailbox, modseq, first", condition) or _delete(
            state, "search_block", "account, mailbox, part, block", condition
        )
    if not more:
        state.run(f"DELETE FROM search_progress WHERE {condition}")
        state.run("DELETE FROM removed WHERE account = ? AND mailbox = ?", row)
    return True


def _sweep_files(state: WriteState, condition: str) -> bool:
    if state.files is None:
        return False
    rows = state.connection.every(f"SELECT account, mailbox, uid FROM file WHERE {condition} LIMIT {SLICE_ROWS}")
    state.files.swept(state, rows)
    return bool(rows)


def _delete(state: WriteState, table: str, key: str, condition: str) -> bool:
    chosen = _SLICE.format(key=key, table=table, condition=condition, rows=SLICE_ROWS)
    return state.run(f"DELETE FROM {table} WHERE ({key}) IN {chosen}") > 0


def _delete_emails(state: WriteState, condition: str) -> bool:
    rows = state.connection.every(f"SELECT account, email, body FROM email WHERE {condition} LIMIT {SLICE_ROWS}")
    state.user_lost(body for _, _, body in rows)
    state.run_many("DELETE FROM email WHERE account = ? AND email = ?", [row[:2] for row in rows])
    return bool(rows)


def _release(state: WriteState, table: str, condition: str) -> bool:
    """Delete entries of a table, and the emails that nothing shows any more."""
    rows = state.connection.every(
        f"SELECT account, mailbox, uid, email FROM {table} WHERE {condition} LIMIT {SLICE_ROWS}"
    )
    if not rows:
        return False
    if state.files is not None:
        state.files.swept(state, [row[:3] for row in rows])
    state.run_many(
        f"DELETE FROM {table} WHERE account = ? AND mailbox = ? AND uid = ?",
        [row[:3] for row in rows],
    )
    emails = [(account, email) for account, _, _, email in rows]
    state.run_many("UPDATE email SET uses = uses - 1 WHERE account = ? AND email = ?", emails)
    state.run_many(
        "INSERT INTO orphan SELECT body FROM email WHERE account = ? AND email = ? AND uses <= 0 "
        "ON CONFLICT (body) DO UPDATE SET body = excluded.body",
        emails,
    )
    state.run_many("DELETE FROM email WHERE account = ? AND email = ? AND uses <= 0", emails)
    return True


def _expunged(state: WriteState, before: int) -> bool:
    return _release(state, "expunged", f"gone_at < {before}")


def _staged(state: WriteState, before: float, pinned: frozenset[int]) -> bool:
    rows = state.connection.every(
        "DELETE FROM staged WHERE began < ? AND body NOT IN (SELECT value FROM numbers_in(?)) RETURNING body",
        (before, dumps(list(pinned))),
    )
    state.user_lost(body for (body,) in rows)
    return bool(rows)


def _orphans(state: WriteState, pinned: frozenset[int]) -> bool:
    # Locked before it is asked who needs them: who takes away a user writes the row as well (`user_lost`), so either
    # we see that the user is gone, or the row comes back after us.
    bodies = [
        body
        for (body,) in state.connection.every(
            "SELECT body FROM orphan WHERE body NOT IN (SELECT value FROM numbers_in(?)) LIMIT ? "
            "FOR UPDATE SKIP LOCKED",
            (dumps(list(pinned)), SLICE_ROWS),
        )
    ]
    if not bodies:
        return False
    looked_at: list[tuple[int]] = []
    unneeded: list[tuple[int]] = []
    chunks_left = SLICE_CHUNKS
    for body, needed, in_chunks in state.connection.every(_USES, (dumps(bodies),)):
        if not needed and in_chunks:
            chunks_left -= state.run(
                "DELETE FROM chunk WHERE (body, number) IN (SELECT body, number FROM chunk WHERE body = ? LIMIT ?)",
                (body, chunks_left),
            )
            if chunks_left <= 0:
                break
        looked_at.append((body,))
        if not needed:
            unneeded.append((body,))
    state.run_many("DELETE FROM body WHERE body = ?", unneeded)
    state.run_many("DELETE FROM search_text WHERE body = ?", unneeded)
    state.run_many("DELETE FROM orphan WHERE body = ?", looked_at)
    return True
