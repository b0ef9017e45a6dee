"""
Records outcomes: collected for a moment, so that many share one commit, with the reports that they bring about.

It decides what is committed together and what happens when it cannot be; `runner` tries, `bouncer` reports. An
outcome is never lost while the lease holds: a commit that fails is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces.queue import IQueueStore
from ..mail.errors import NotHeld, Refused, TemporaryFailure, Unavailable
from ..mail.queue_item import QueueItem, Settled
from ..mail.transaction import Transaction
from .bouncer import Bouncer, action_for

# At most so many outcomes in one commit.
BATCH = 500
# How long to wait before a commit or report that failed is tried again: doubled each time, up to the second one.
RETRY_SECONDS = (1.0, 60.0)


@dataclass(frozen=True, slots=True)
class _Unit:
    """
    Outcomes with the reports that they bring about: committed together or not at all.

    `told` is what the reports tell of; `is_made_anew` says that the reports were made a second time.
    """

    settled: Sequence[Settled]
    reports: Sequence[Transaction] = ()
    told: Sequence[tuple[QueueItem, Settled]] = ()
    is_made_anew: bool = False


class Settling:
    """
    Collects outcomes and commits them.

    `is_held` says whether this node still holds an item's lease; what it does not hold is another's to record.
    `done` is told what is recorded, or no longer ours.
    """

    _log = Logger()

    def __init__(
        self,
        store: IQueueStore,
        clock: IReactorTime,
        now: Callable[[], float],
        *,
        bouncer: Bouncer | None,
        is_held: Callable[[int], bool],
        done: Callable[[Sequence[Settled]], None],
        collect_seconds: float = 0.02,
    ) -> None:
        self._store = store
        self._clock = clock
        self._now = now
        self._bouncer = bouncer
        self._is_held = is_held
        self._done = done
        self._collect_seconds = collect_seconds
        self._told: list[tuple[QueueItem, Settled]] = []
        self._rounds: list[list[_Unit]] = []
        self._aside: list[_Unit] = []
        self._aside_timer: IDelayedCall | None = None
        self._timer: IDelayedCall | None = None
        self._working = False
        self._retry_seconds = RETRY_SECONDS[0]
        self._emptied: Deferred[None] | None = None

    def tell(self, outcomes: Iterable[tuple[QueueItem, Settled]]) -> None:
        """Take outcomes; they are committed within the collecting time."""
        self._told.extend(outcomes)
        if self._told and not self._working and self._timer is None:
            self._timer = self._clock.callLater(self._collect_seconds, self._begin)

    def finish(self) -> Deferred[None]:
        """
        Commit what was told, at once. Fires when that was tried: with success or not, nothing more will be.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._aside_timer is not None:
            self._aside_timer.cancel()
            self._aside_timer = None
        emptied: Deferred[None] = Deferred()
        self._emptied = emptied
        if not self._working:
            self._begin()
        return emptied

    # -- inside

    def _begin(self) -> None:
        self._timer = None
        self._working = True
        Deferred.fromCoroutine(self._work()).addErrback(self._broke)

    async def _work(self) -> None:
        succeeded = True
        while succeeded and (self._told or self._rounds):
            if not self._rounds:
                told, self._told = self._told[:BATCH], self._told[BATCH:]
                succeeded = await self._prepare(told)
            while succeeded and self._rounds:
                succeeded = await self._commit(self._rounds[0])
        self._rest(succeeded)

    def _rest(self, succeeded: bool) -> None:
        self._working = False
        if self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)
        elif succeeded:
            self._retry_seconds = RETRY_SECONDS[0]
        else:
            self._timer = self._clock.callLater(self._retry_seconds, self._begin)
            self._retry_seconds = min(2 * self._retry_seconds, RETRY_SECONDS[1])

    async def _prepare(self, told: Sequence[tuple[QueueItem, Settled]]) -> bool:
        """Make a round of these outcomes. What cannot be reported now goes back to be told; False if any."""
        held = [pair for pair in told if self._is_held(pair[0].item_id)]
        if len(held) < len(told):
            kept = {item.item_id for item, _ in held}
            self._leave([s for item, s in told if item.item_id not in kept])
        units = [_Unit([s for item, s in held if action_for(item, s.outcome) is None])]
        delayed: list[tuple[QueueItem, Settled]] = []
        for group in _by_message(held):
            try:
                units.append(_Unit([s for _, s in group], await self._reports(group), group))
            except CancelledError:
                raise
            except Exception:
                self._log.failure("cannot report what became of {queue_id} now", queue_id=group[0][0].transaction_id)
                delayed += group
        self._told += delayed
        units = [unit for unit in units if unit.settled]
        if units:
            self._rounds.append(units)
        return not delayed or bool(units)

    async def _reports(self, group: Sequence[tuple[QueueItem, Settled]]) -> list[Transaction]:
        if self._bouncer is None:
            return []
        return await self._bouncer.reports([(item, s.outcome) for item, s in group], self._now())

    async def _commit(self, units: list[_Unit]) -> bool:
        settled = [s for unit in units for s in unit.settled]
        try:
            await self._store.settle(self._now(), settled, [report for unit in units for report in unit.reports])
        except CancelledError:
            raise
        except Refused as refused:
            return await self._refused(units, refused)
        except NotHeld as lost:
            self._without(units, lost.item_ids)
            return True
        except Unavailable as unavailable:
            self._log.warn("cannot record {count} outcomes now: {reason}", count=len(settled), reason=unavailable.text)
            return False
        except Exception as error:
            self._log.failure("cannot record {count} outcomes now", count=len(settled))
            if isinstance(error, TemporaryFailure):
                return False
            # Something in it is not as it should be: the others shall not wait for that.
            self._rounds[:1] = [[unit] for unit in units] if len(units) > 1 else []
            if len(units) == 1:
                self._put_aside(units[0])
            return True
        self._rounds.pop(0)
        self._done(settled)
        return True

    def _without(self, units: list[_Unit], lost: Collection[int]) -> None:
        """Leave what is lost to others; reports that would have told of it are made anew without it."""
        kept: list[_Unit] = []
        gone: list[Settled] = []
        for unit in units:
            gone += [s for s in unit.settled if s.item_id in lost]
            left = [s for s in unit.settled if s.item_id not in lost]
            if len(left) == len(unit.settled):
                kept.append(unit)
            elif unit.told:
                self._told += [(item, s) for item, s in unit.told if item.item_id not in lost]
            elif left:
                kept.append(replace(unit, settled=left))
        self._rounds[:1] = [kept] if kept else []
        self._leave(gone)

    def _leave(self, lost: Sequence[Settled]) -> None:
        self._log.warn("{count} leases ended before their outcome was recorded", count=len(lost))
        self._done(lost)

    def _put_aside(self, unit: _Unit) -> None:
        self._aside.append(unit)
        if self._aside_timer is None and self._emptied is None:
            self._aside_timer = self._clock.callLater(RETRY_SECONDS[1], self._take_up)

    def _take_up(self) -> None:
        """Try again what was put aside."""
        self._aside_timer = None
        self._rounds += [[unit] for unit in self._aside]
        self._aside.clear()
        if not self._working and self._timer is None:
            self._begin()

    async def _refused(self, units: list[_Unit], refused: Refused) -> bool:
        """The mailbox of some report is gone: each unit for itself, the one alone with a report that has a way."""
        if len(units) > 1:
            self._rounds[:1] = [[unit] for unit in units]
            return True
        (unit,) = units
        if unit.is_made_anew:
            reports = self._elsewhere(unit.reports, refused)
        else:
            try:  # the sender may be found elsewhere by now
                reports = await self._reports(unit.told)
            except CancelledError:
                raise
            except Exception:
                self._log.failure("cannot find whom to tell of {count} recipients now", count=len(unit.told))
                return False
        self._rounds[0] = [_Unit(unit.settled, reports, unit.told, is_made_anew=True)]
        return True

    def _elsewhere(self, reports: Sequence[Transaction], refused: Refused) -> list[Transaction]:
        """The reports without the places that are refused; those of one message all go to the same."""
        left: list[Transaction] = []
        for report in reports:
            places = tuple(p for at, p in enumerate(report.placements) if at not in refused.refusals)
            if places or report.queue:
                left.append(replace(report, placements=places))
            else:
                self._log.warn("the report {report_id} has nowhere to go", report_id=report.id)
        return left

    def _broke(self, failure: Failure) -> None:
        self._log.failure("recording outcomes broke", failure=failure)
        self._rest(succeeded=False)


def _by_message(told: Iterable[tuple[QueueItem, Settled]]) -> list[list[tuple[QueueItem, Settled]]]:
    """What has to be told, that of one message together."""
    groups: dict[tuple[str, int], list[tuple[QueueItem, Settled]]] = {}
    for item, settled in told:
        if action_for(item, settled.outcome) is not None:
            groups.setdefault((item.transaction_id, item.body_id), []).append((item, settled))
    return list(groups.values())
