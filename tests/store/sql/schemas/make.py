"""
Makes a store as the package at hand writes it, for the tests of versions to come: once for each version of the schema.

    python tests/store/sql/schemas/make.py FOLDER

writes `FOLDER/mail.sqlite` and `FOLDER/content.json`, which is what the doors said of it. Run with the package as it
was at the last commit of that version (`git worktree add OLD COMMIT`, and `PYTHONPATH=OLD`); then `gzip -9n` the
database as `version_N.sqlite.gz` and the other as `version_N.json.gz`, both in this folder. Version 1: 76e99df
(which knew no placements in the queue). Version 2: fb32671. Version 3: c050801.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from twisted.internet.defer import Deferred

sys.path.insert(0, str(Path(__file__).parent))

from content import content_of

from twisted_mail_node.mail.address import Address
from twisted_mail_node.mail.flags import FlagChange
from twisted_mail_node.mail.queue_item import Deferred as PutOff
from twisted_mail_node.mail.queue_item import Settled
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.backend import SteeredReactor
from twisted_mail_node.testing.samples import DATE, body, flags, message, outgoing, place, transaction

ANN, BOB, GONE = "ann@example.test", "bob@example.test", "gone@example.test"
NOW = 1_700_000_000.0
LARGE_OCTETS = 300_000


async def fill(store):
    for name in (ANN, BOB, GONE):
        await store.add_user(name, f"$argon2id$hash of {name}", [("Archive", None), ("Sent", "\\Sent")])
    await store.set_alias("sales@example.test", [Address.parse(ANN), Address.parse("eve@elsewhere.test")])
    await store.set_alias("@example.test", [Address.parse(BOB)])
    await deliver(store)
    await change(await store.account(ANN))
    await put_off(store)
    await store.remove_user(GONE)


async def deliver(store):
    for number in range(40):
        content = message(f"Grüße, {number}" if number % 3 else f"Plain {number}", subject=f"Number {number}")
        parts = [place(ANN, prefix=b"Delivered-To: ann@example.test\r\n"), place(BOB if number % 2 else GONE)]
        if number % 10 == 0:
            parts.append(outgoing("eve@elsewhere.test"))
        await store.deliver(
            transaction(*parts, bodies=(body(content, b"(NIL)" if number % 4 else None),), now=NOW, id=f"t-{number}")
        )
    writer = store.stage_body()
    large = message("0123456789abcde\n" * (LARGE_OCTETS // 17), subject="Large")
    await writer.write(large)
    staged = await writer.finish(large.index(b"\r\n\r\n") + 4, False)
    to_both = (place(ANN), place(BOB), outgoing("eve@elsewhere.test"))
    await store.deliver(transaction(*to_both, bodies=(staged,), now=NOW, id="t-large"))
    await store.stage_body().write(message("x" * 200_000))  # never finished
    behind = transaction(place(BOB, prefix=b"X: y\r\n"), now=NOW + 3600, id="t-behind")
    await store.deliver(behind.through_queue())


async def change(account):
    inbox, archive = await account.mailbox("INBOX"), await account.mailbox("Archive")
    await archive.append([(body(message("Appended")), flags("\\Seen", "\\Draft"), DATE)])
    await inbox.store_flags(UIDSet.span(1, 9), FlagChange.ADD, flags("\\Seen", "$Forwarded"))
    await inbox.store_flags(UIDSet.span(5, 12), FlagChange.ADD, flags("\\Deleted", "Later"))
    await inbox.copy(UIDSet.span(3, 6), "Archive")
    await inbox.move(UIDSet.span(20, 24), "Archive")
    await inbox.expunge(UIDSet.span(5, 10))
    await account.create("Lists/Python")
    await account.rename("Lists", "Old")
    await account.subscribe("Old/Python", True)
    await account.delete("Sent")
    await inbox.claim_recent()


async def put_off(store):
    first, *_ = await store.lease("owner", NOW + 1, NOW + 600, 2, frozenset())
    told = PutOff(EnhancedStatus(4, 2, 1), "451 4.2.1 busy", "mx.elsewhere.test", "C: EHLO\nS: 451")
    await store.settle(NOW + 2, [Settled(first.item_id, "owner", told, NOW + 900)])


async def main(reactor, folder):
    store = SQLiteStore(folder / "mail.sqlite", reactor=reactor)
    await store.start()
    await fill(store)
    content = await content_of(store)
    (folder / "content.json").write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
    await store.stop()


if __name__ == "__main__":
    turned = SteeredReactor()
    turned.wait_for(Deferred.fromCoroutine(main(turned, Path(sys.argv[1]))))
