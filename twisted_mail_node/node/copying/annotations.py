"""Annotations of an account and of its mailboxes, whosever they are."""

from __future__ import annotations

from collections import defaultdict
from sys import maxsize

from ...interfaces.store import IMailStore, IMetadata
from ...mail.annotation import THE_ACCOUNT


async def copy_annotations(source: IMailStore, target: IMailStore, name: str) -> None:
    """Give the target the annotations that it has not, where both stores keep any."""
    if not IMetadata.providedBy(source) or not IMetadata.providedBy(target):
        return
    ours = {info.name: info.mailbox_id for info in await (await source.account(name)).mailboxes()}
    theirs = {info.name: info.mailbox_id for info in await (await target.account(name)).mailboxes()}
    pairs = [(THE_ACCOUNT, THE_ACCOUNT), *((ours[mailbox], theirs[mailbox]) for mailbox in ours.keys() & theirs.keys())]
    for here, there in pairs:
        wanted = set(await IMetadata(source).all_annotations(name, here))
        known = set(await IMetadata(target).all_annotations(name, there)) if wanted else set()
        by_user: dict[str, dict[str, bytes | None]] = defaultdict(dict)
        for annotation in wanted - known:
            by_user[annotation.owner or name][annotation.name] = annotation.value
        for user, values in by_user.items():
            await IMetadata(target).annotate(name, there, user, values, maxsize)


async def annotations_of(store: IMailStore, name: str) -> dict[str, frozenset[object]]:
    """All that the account has, by mailbox: for comparing two stores."""
    if not IMetadata.providedBy(store):
        return {}
    found = {"": frozenset[object](await IMetadata(store).all_annotations(name, THE_ACCOUNT))}
    for info in await (await store.account(name)).mailboxes():
        found[info.name] = frozenset(await IMetadata(store).all_annotations(name, info.mailbox_id))
    return found
