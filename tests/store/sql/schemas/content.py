"""All that a store's doors tell of what it holds, as JSON has it: the same before and after an upgrade."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.uid_set import UIDSet

_ITEMS = (
    FetchItem.FLAGS | FetchItem.INTERNAL_DATE | FetchItem.SIZE | FetchItem.MODSEQ | FetchItem.HEADER
    | FetchItem.ENVELOPE | FetchItem.EMAIL_ID | FetchItem.GUID
)  # fmt: skip


async def content_of(store):
    accounts = {name: await _account(await store.account(name)) for name in await store.accounts()}
    users = {name: await store.password_hash(name) for name in await store.users()}
    aliases = {source: [str(target) for target in targets] for source, targets in await store.aliases()}
    queue = [await _item(store, item) for item in await store.items()]
    return {"accounts": accounts, "users": users, "aliases": aliases, "queue": queue}


async def _account(account):
    infos = await account.mailboxes()
    return {
        "subscriptions": list(await account.subscriptions()),
        "mailboxes": [asdict(info) | await _mailbox(await account.mailbox(info.name)) for info in infos],
    }


async def _mailbox(mailbox):
    status = await mailbox.status()
    columns = await mailbox.fetch(UIDSet.span(1, max(1, status.uid_next - 1)), _ITEMS)
    changes = await mailbox.changes(0)
    living = await mailbox.uids()
    return {
        "status": asdict(status),
        "uids": [list(run) for run in living.runs],
        "shown": list(columns.uids),
        "flags": [[flags.bits, flags.keyword_text] for flags in columns.flags],
        "dates": [list(date) for date in columns.internal_dates],
        "sizes": list(columns.sizes),
        "modseqs": list(columns.modseqs),
        "headers": [sha256(header).hexdigest() for header in columns.headers],
        "envelopes": [None if form is None else form.decode() for form in columns.envelopes],
        "email_ids": list(columns.email_ids),
        "guids": list(columns.guids),
        "bodies": [await _octets(await mailbox.open_body(uid)) for uid in columns.uids],
        "vanished": [list(run) for run in changes.vanished.runs],
    }


async def _item(store, item):
    whole = await store.item(item.item_id)
    told = {
        "recipient": str(whole.recipient),
        "sender": str(whole.sender),
        "state": whole.state.value,
        "status": str(whole.last_status),
        "body": await _octets(await store.open_queued(whole.body_id)),
    }
    plain = ("item_id", "transaction_id", "attempts", "due", "created", "lease_owner", "last_reply", "transcript")
    if whole.placement is not None:
        told["placement"] = [whole.placement.account, whole.placement.prefix.decode()]
    return told | {name: getattr(whole, name) for name in plain}


async def _octets(opened):
    digest, at = sha256(), 0
    while at < opened.size:
        part = await opened.read(at, 100_000)
        digest.update(part)
        at += len(part)
    opened.close()
    return digest.hexdigest()
