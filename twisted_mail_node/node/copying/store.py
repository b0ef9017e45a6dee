"""The order in which a store is copied, and the comparison at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...interfaces.store import IACL, IMetadata
from ...mail.changes import MailboxStatus
from ..doors import Doors
from .acl import copy_rights, rights_of
from .annotations import annotations_of, copy_annotations
from .directory import copy_accounts, copy_aliases, copy_quota, without_limits
from .mailboxes import MailboxCopy
from .queue import copy_queue, queued


@dataclass(slots=True)
class Counts:
    """What was copied now, and what a comparison of both stores shows in the end: nothing, if all is well."""

    accounts: int
    aliases: int
    messages: int
    items: int
    differences: list[str]


async def copy_store(
    source: Doors,
    target: Doors,
    begin_mailbox: Callable[[str, int], None],
    advance: Callable[[int, int], None],
) -> Counts:
    """
    Copy all that is not there yet. Both stores are started.

    Raises: MailError: one of them does not do it; Unlike: the target has mail of its own in a mailbox.
    """
    names = await copy_accounts(source, target)
    aliases = await copy_aliases(source.directory, target.directory)
    messages, damaged = 0, list[str]()
    for name in names:
        account, copied = await source.store.account(name), await target.store.account(name)
        copy = MailboxCopy(target.store, account, copied, begin_mailbox, advance)
        async with without_limits(target.store, name):
            for info in await account.mailboxes():
                messages += await copy.run(info)
        damaged += [f"{message}: it is damaged in the store that is copied from" for message in copy.damaged]
        await _copy_subscriptions(source, target, name)
        await copy_annotations(source.store, target.store, name)
        await copy_rights(source.store, target.store, name)
        await copy_quota(source.store, target.store, name)
    items = await copy_queue(source, target)
    return Counts(len(names), aliases, messages, items, [*damaged, *await _differences(source, target)])


async def _copy_subscriptions(source: Doors, target: Doors, name: str) -> None:
    copied = await target.store.account(name)
    wanted = set(await (await source.store.account(name)).subscriptions())
    there = set(await copied.subscriptions())
    for mailbox in sorted(wanted ^ there):
        await copied.subscribe(mailbox, mailbox in wanted)


async def _differences(source: Doors, target: Doors) -> list[str]:
    """What the target has not as the source has it."""
    found = []
    if missing := set(await source.store.accounts()) - set(await target.store.accounts()):
        found.append(f"accounts are missing: {', '.join(sorted(missing))}")
    if dict(await source.directory.aliases()).items() - dict(await target.directory.aliases()).items():
        found.append("aliases differ")
    for name in await source.store.accounts():
        theirs = await _counters(target, name)
        for mailbox, status in (await _counters(source, name)).items():
            if theirs.get(mailbox) != status:
                found.append(f"{name} {mailbox}: {theirs.get(mailbox)} in place of {status}")
        if IMetadata.providedBy(target.store):
            kept = await annotations_of(target.store, name)
            for mailbox, wanted in (await annotations_of(source.store, name)).items():
                if wanted - kept.get(mailbox, frozenset()):
                    found.append(f"{name} {mailbox or 'itself'}: annotations are missing")
        if IACL.providedBy(target.store):
            given = await rights_of(target.store, name)
            for mailbox, list_of_rights in (await rights_of(source.store, name)).items():
                if list_of_rights != given.get(mailbox):
                    found.append(f"{name} {mailbox}: rights of others differ")
    here, there = await queued(source.queue), await queued(target.queue)
    if missing_items := here - there:
        found.append(f"entries of the queue are missing: {len(missing_items)}")
    return found


async def _counters(storage: Doors, name: str) -> dict[str, tuple[int, ...]]:
    """UIDVALIDITY, UIDNEXT, messages, unseen, deleted and octets of each mailbox."""
    account = await storage.store.account(name)
    names = {info.mailbox_id: info.name for info in await account.mailboxes()}
    return {names[status.mailbox_id]: _numbers(status) for status in await account.statuses(list(names))}


def _numbers(status: MailboxStatus) -> tuple[int, ...]:
    return (
        status.uid_validity,
        status.uid_next,
        status.messages,
        status.unseen,
        status.deleted,
        status.size,
    )
