"""What others may do with an account's mailboxes. All accounts are there by then: rights are given to nobody else."""

from __future__ import annotations

from ...interfaces.store import IACL, IMailStore
from ...mail.rights import NO_RIGHTS, Right, RightsChange

_Lists = dict[str, dict[str, Right]]


async def copy_rights(source: IMailStore, target: IMailStore, name: str) -> None:
    """Give the target's mailboxes the lists of the source's, where both stores have any."""
    if not IACL.providedBy(source) or not IACL.providedBy(target):
        return
    wanted, known = await rights_of(source, name), await rights_of(target, name)
    ids = {info.name: info.mailbox_id for info in await (await target.account(name)).mailboxes()}
    for mailbox in wanted.keys() & known.keys():
        before, after = known[mailbox], wanted[mailbox]
        for identifier in sorted(before.keys() | after.keys()):
            rights = after.get(identifier, NO_RIGHTS)
            if before.get(identifier, NO_RIGHTS) != rights:
                await IACL(target).change_rights(name, ids[mailbox], identifier, RightsChange.REPLACE, rights)


async def rights_of(store: IMailStore, name: str) -> _Lists:
    """All lists of the account, by mailbox: for comparing two stores."""
    if not IACL.providedBy(store):
        return {}
    mailboxes = await (await store.account(name)).mailboxes()
    return {info.name: dict(await IACL(store).acl(name, info.mailbox_id)) for info in mailboxes}
