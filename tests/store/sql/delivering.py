"""
A process that changes a store without end, to be killed: delivers to two mailboxes and the queue, in small and large
bodies, and moves what came to and fro. Prints the id of each transaction once it is acknowledged.
"""

from __future__ import annotations

import random
import sys

from twisted.internet.defer import Deferred, gatherResults

from twisted_mail_node.mail.mailbox_name import INBOX
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.backend import SteeredReactor
from twisted_mail_node.testing.samples import body, message, outgoing, place, transaction

ANN, BOB, EVE = "ann@example.test", "bob@example.test", "eve@elsewhere.test"


async def deliver(store, id):
    content = message("x" * random.choice((10, 4_000, 20_000)), subject=id)
    if random.random() < 0.1:
        writer = store.stage_body()
        content = message("x" * 300_000, subject=id)
        await writer.write(content)
        bodies = (await writer.finish(content.index(b"\r\n\r\n") + 4, False),)
    else:
        bodies = (body(content),)
    await store.deliver(transaction(place(ANN), place(BOB), outgoing(EVE), bodies=bodies, id=id))
    sys.stdout.write(id + "\n")
    sys.stdout.flush()


async def move(account, source, target):
    mailbox = await account.mailbox(source)
    uids = await mailbox.uids()
    if uids:
        await mailbox.move(UIDSet.span(uids.smallest + len(uids) // 2, uids.largest), target)


async def work(store, generation):
    account = await store.account(ANN)
    for number in range(1_000_000):
        jobs = [deliver(store, f"{generation}-{number}-{position}-") for position in range(random.randint(1, 20))]
        jobs += [move(account, INBOX, "Archive"), move(account, "Archive", INBOX)]
        await gatherResults([started(job) for job in jobs])


def started(job):
    return Deferred.fromCoroutine(job)


if __name__ == "__main__":
    reactor = SteeredReactor()
    tree = Tree(sys.argv[3]) if len(sys.argv) > 3 else None
    store = SQLiteStore(sys.argv[1], reactor=reactor, tree=tree)
    reactor.wait_for(store.start())
    reactor.wait_for(started(work(store, sys.argv[2])))
