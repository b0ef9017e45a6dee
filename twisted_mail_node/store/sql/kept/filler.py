"""
The filler: when kept forms are made, and of which mailboxes.

It works in the reactor's thread, a slice of time and a pause, and hardly at all while mail comes in: accepting it goes
first. What it knows to do is told by the notices of commits, and found in the tables at the start. Where several nodes
share a database, the one that sweeps fills; another takes over when it is gone.

Neighbours: `filling` does the work on one mailbox; `machinery` starts and stops this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ....mail.changes import ChangeKind, ChangeNotice
from ....mail.errors import Damaged, NoSuchMailbox, TemporaryFailure
from ..connection import Connection
from ..engine import IReactor
from ..mailbox import SQLMailbox
from ..state import WriteState
from .blocks import BLOCK_UIDS
from .filling import Filling
from .form import FORM

if TYPE_CHECKING:
    from ..machinery import Machinery

SLICE_SECONDS = 0.002
PAUSE_SECONDS = 0.002
"""Between two slices where nothing else goes on."""
BUSY_NOTICES = 20
"""So many notices of changes a second are an onrush: then it only has a slice every PATIENCE_SECONDS."""
BUSY_PAUSE_SECONDS = 0.25
PATIENCE_SECONDS = 2.0
LATE_PAUSE_SECONDS = 0.05
"""Where the reactor came back later from the last pause than LATE_SECONDS: others keep it busy."""
LATE_SECONDS = 0.005
FIRST_SECONDS = 1.0
"""After the start: a node has other things to do then."""
ROUND_SECONDS = 60.0
"""After a failure, where another node fills, or where more changed than is remembered: then all tables are asked."""
REMEMBERED = 10_000

_UNFILLED = (
    "SELECT a.name, m.mailbox, m.uid_next - 1, CASE WHEN p.form = ? THEN p.kept ELSE 0 END FROM mailbox m "
    "LEFT JOIN search_progress p ON p.account = m.account AND p.mailbox = m.mailbox "
    "LEFT JOIN account a ON a.account = m.account "
    "WHERE m.messages > 0 AND (p.kept IS NULL OR p.form <> ? OR p.kept < m.uid_next - 1 "
    f"OR p.kept >= (p.sealed + 1) * {BLOCK_UIDS} - 1) "
    "ORDER BY m.account, m.mailbox LIMIT ?"
)

_Place = tuple[str, int]
"""An account's name and a mailbox's number."""


class Filler:
    """See the module. Its methods are called in the reactor's thread. `pieces` counts what was done."""

    _log = Logger()

    def __init__(self, reactor: IReactor, machinery: Machinery) -> None:
        self.pieces = 0
        self._reactor = reactor
        self._machinery = machinery
        self._waiting: dict[_Place, None] = {}
        self._rescan = True
        self._notices = 0
        self._looked_at = 0.0
        self._slice_end = 0.0
        self._late = self._onrush = False
        self._idle: Deferred[None] | None = None
        self._running: Deferred[None] | None = None

    @property
    def at_rest(self) -> bool:
        """Whether all that is known of is done."""
        return self._idle is not None

    def start(self) -> None:
        """Begin."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(lambda failure: failure.trap(CancelledError))

    def stop(self) -> None:
        """Give up what is under way: it is done again after the next start."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    def told(self, notices: Sequence[ChangeNotice]) -> None:
        """These accounts have changed."""
        self._notices += len(notices)
        for notice in notices:
            if ChangeKind.MESSAGES in notice.kinds:
                for mailbox in notice.mailbox_ids:
                    self._waiting[notice.account, mailbox] = None
        if len(self._waiting) > REMEMBERED:
            self._waiting.clear()
            self._rescan = True
        idle = self._idle
        if idle is not None and (self._waiting or self._rescan):
            self._idle = None
            idle.callback(None)

    async def _run(self) -> None:
        await self._sleep(FIRST_SECONDS)
        while True:
            try:
                await self._work()
            except CancelledError:
                raise
            except (TemporaryFailure, Damaged) as error:
                self._log.warn("keeping forms of messages has to wait: {error}", error=error)
            except Exception:
                # Our own mistake with some message: the others' have to go on, after a while.
                self._log.failure("keeping forms of messages failed")
            await self._sleep(ROUND_SECONDS)
            self._rescan = True

    async def _work(self) -> None:
        """Until there is a reason to pause for long."""
        while await self._machinery.writer.submit(_is_filler, idle=True):
            if self._rescan:
                await self._find()
            while self._waiting:
                place = next(iter(self._waiting))
                del self._waiting[place]
                if await self._fill(place):
                    self._waiting[place] = None
            if not self._rescan:
                self._idle = Deferred()
                await self._idle
                await self._sleep(BUSY_PAUSE_SECONDS)

    async def _find(self) -> None:
        """Ask the tables what is to be done."""
        self._rescan = False
        found = await self._machinery.readers.read(_unfilled)
        self._waiting.update(dict.fromkeys((name, mailbox) for name, mailbox, _, _ in found))
        self._rescan = len(found) >= REMEMBERED
        left = sum(last - kept for _, _, last, kept in found)
        if left:
            self._log.info(
                "forms of up to {messages} messages in {mailboxes} mailboxes are still to be kept",
                messages=left,
                mailboxes=len(found),
            )

    async def _fill(self, place: _Place) -> bool:
        """One step for a mailbox. Whether there is more."""
        name, mailbox = place
        row = await self._machinery.readers.read(
            lambda connection: connection.find("SELECT account FROM account WHERE name = ?", (name,))
        )
        if row is None:
            return False
        door = SQLMailbox(self._machinery, name, row[0], mailbox)
        await self._let_others_go_first()
        self._slice_end = self._reactor.seconds() + SLICE_SECONDS
        try:
            return await Filling(self._machinery, door, (row[0], mailbox), self._breathe).step()
        except NoSuchMailbox:
            return False  # deleted in between

    async def _breathe(self) -> None:
        now = self._reactor.seconds()
        if now < self._slice_end:
            return
        self.pieces += 1
        pause = LATE_PAUSE_SECONDS if self._late else PAUSE_SECONDS
        await self._sleep(pause)
        self._late = self._reactor.seconds() - now > pause + LATE_SECONDS
        await self._let_others_go_first()
        self._slice_end = self._reactor.seconds() + SLICE_SECONDS

    async def _let_others_go_first(self) -> None:
        """Wait while changes come in one after the other, up to a limit."""
        until = self._reactor.seconds() + PATIENCE_SECONDS
        while self._in_an_onrush() and self._reactor.seconds() < until:
            await self._sleep(BUSY_PAUSE_SECONDS)

    def _in_an_onrush(self) -> bool:
        now = self._reactor.seconds()
        if now - self._looked_at < BUSY_PAUSE_SECONDS:
            return self._onrush
        self._onrush = self._notices > BUSY_NOTICES * (now - self._looked_at)
        self._notices, self._looked_at = 0, now
        return self._onrush

    def _sleep(self, seconds: float) -> Deferred[None]:
        return deferLater(self._reactor, seconds)


def _is_filler(state: WriteState) -> bool:
    return state.connection.may_sweep()


def _unfilled(connection: Connection) -> list[tuple[str, int, int, int]]:
    return [tuple(row) for row in connection.every(_UNFILLED, (FORM, FORM, REMEMBERED)) if row[0] is not None]
