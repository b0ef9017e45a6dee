"""A store beside the reference: led the same way, both answer the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from twisted.internet.task import Clock

from ...interfaces.store import IMailbox, IMailStore
from ...mail.changes import CopyOutcome, StoreOutcome
from ...mail.columns import FetchItem
from ...mail.transaction import Committed
from ...store.memory import MemoryStore
from ..backend import Backend
from ..samples import new_account
from .steps import NAMES, Step, take, two_mailboxes, walk_settings, walks


class _Walker:
    """One store on its walk, and what it said."""

    def __init__(self, store: IMailStore, account: str, mailboxes: dict[str, IMailbox]) -> None:
        self._store = store
        self._account = account
        self._mailboxes = mailboxes
        self._moments: dict[str, list[int]] = {name: [0] for name in NAMES}

    @classmethod
    async def on(cls, store: IMailStore) -> _Walker:
        account = await new_account(store)
        return cls(store, account.name, await two_mailboxes(account))

    async def take(self, step: Step) -> list[object]:
        """Do a step. Returns: its outcome and all that can be seen afterwards, but for ids and modseqs."""
        moments = self._moments[NAMES[step.mailbox]]
        outcome = await take(step, self._store, self._account, self._mailboxes, moments)
        seen = [_comparable(outcome)]
        for name, mailbox in self._mailboxes.items():
            status = await mailbox.status()
            counters = status.uid_next, status.messages, status.unseen, status.deleted, status.size
            everything = await mailbox.uids()
            columns = await mailbox.fetch(everything, FetchItem.FLAGS | FetchItem.SIZE)
            content = everything, list(columns.flags or ()), list(columns.sizes or ()), await mailbox.first_unseen()
            since = self._moments[name][len(self._moments[name]) // 2]
            changes = await mailbox.changes(since)
            told = list(changes.appended.uids), list(changes.flagged.uids), changes.vanished
            self._moments[name].append(status.highest_modseq)
            seen += [counters, content, told, [keyword.lower() for keyword in await mailbox.keywords()]]
        return seen


def _comparable(outcome: Any) -> object:  # whatever a step fires with
    match outcome:
        case CopyOutcome():
            return list(outcome.source_uids), list(outcome.target_uids)
        case StoreOutcome():
            return list(outcome.changed.uids), list(outcome.changed.flags or ()), outcome.modified, outcome.gone
        case Committed():
            return [placed.uid for placed in outcome.placed]
    return outcome


class ParityContract:
    """The backend against MemoryStore."""

    def test_a_walk_is_seen_as_by_the_reference(self, backend: Backend) -> None:
        @walk_settings
        @given(walk=walks)
        def walk_beside(walk: list[Step]) -> None:
            backend.run(self._walk_beside(backend, walk))

        walk_beside()

    async def _walk_beside(self, backend: Backend, walk: list[Step]) -> None:
        reference = MemoryStore(Clock())
        await reference.start()
        mine, theirs = await _Walker.on(backend.store), await _Walker.on(reference)
        for step in walk:
            assert await mine.take(step) == await theirs.take(step)
