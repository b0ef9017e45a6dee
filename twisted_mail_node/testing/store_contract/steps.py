"""Random walks through a mailbox: steps as values, so that any two stores can be led the same way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from ...interfaces.store import IAccount, IMailbox, IMailStore, IMove
from ...mail.changes import CopyOutcome
from ...mail.flags import FlagChange, Flags
from ...mail.uid_set import UIDSet
from ..samples import DATE, body, message, place, transaction

NAMES = ("INBOX", "Other")

# Each example has an account of its own in the one store of its test. The property is written within the test
# method: pytest and its plugins then see a plain test, which any number of backends may inherit.
walk_settings = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class Step(NamedTuple):
    """One operation on one of two mailboxes; which fields matter depends on `kind`."""

    kind: str
    mailbox: int
    uids: UIDSet
    change: FlagChange
    flags: Flags
    number: int
    since: int | None


_KINDS = ("append", "append", "deliver", "flags", "flags", "flags", "copy", "move", "expunge", "remove", "condition")
_FLAGS = ("\\Seen", "\\Deleted", "\\Flagged", "one", "two")

_step = st.builds(
    Step,
    kind=st.sampled_from(_KINDS),
    mailbox=st.integers(0, 1),
    uids=st.sets(st.integers(1, 12), max_size=6).map(UIDSet.of) | st.just(UIDSet.span(1, 2**32 - 1)),
    change=st.sampled_from(FlagChange),
    flags=st.sets(st.sampled_from(_FLAGS), max_size=3).map(Flags.from_names),
    number=st.integers(1, 3),
    since=st.integers(0, 30),
)

# Left to itself, hypothesis makes short lists; a long one shrinks just as well.
walks = st.integers(1, 25).flatmap(lambda length: st.lists(_step, min_size=length, max_size=length))


def take(
    step: Step, store: IMailStore, account: str, mailboxes: Mapping[str, IMailbox], moments: list[int]
) -> Deferred[Any]:  # Any: each kind of step has an outcome of its own type
    """
    Do one step.

    `moments` are modseqs of the step's mailbox that were current once; a condition picks one of them.
    """
    mailbox = mailboxes[NAMES[step.mailbox]]
    other = NAMES[1 - step.mailbox]
    match step.kind:
        case "append":
            return mailbox.append([(body(message(str(n))), step.flags, DATE) for n in range(step.number)])
        case "deliver":
            return store.deliver(transaction(*(place(account, NAMES[step.mailbox]) for _ in range(step.number))))
        case "flags":
            return mailbox.store_flags(step.uids, step.change, step.flags)
        case "condition":
            moment = moments[(step.since or 0) % len(moments)]
            return mailbox.store_flags(step.uids, step.change, step.flags, unchanged_since=moment)
        case "copy":
            return mailbox.copy(step.uids, other if step.number > 1 else NAMES[step.mailbox])
        case "move":
            target = other if step.number > 1 else NAMES[step.mailbox]
            # A store of the required part alone does not move by itself.
            move = IMove(mailbox, None)
            return (
                mailbox.copy(step.uids, target).addCallback(_taken_away, mailbox)
                if move is None
                else move.move(step.uids, target)
            )
        case "expunge":
            return mailbox.expunge(step.uids if step.number > 1 else None)
        case "remove":
            return mailbox.expunge(step.uids, only_deleted=False)
    raise AssertionError(step.kind)


def _taken_away(copied: CopyOutcome, source: IMailbox) -> Deferred[UIDSet]:
    return source.expunge(UIDSet.of(copied.source_uids), only_deleted=False)


async def two_mailboxes(account: IAccount) -> dict[str, IMailbox]:
    """The doors of the two mailboxes of a walk, each with some messages; the second is made."""
    await account.create(NAMES[1])
    doors = {name: await account.mailbox(name) for name in NAMES}
    for door in doors.values():
        await door.append([(body(), Flags.from_names(names), DATE) for names in ((), ("\\Seen",), ("\\Deleted",), ())])
    return doors
