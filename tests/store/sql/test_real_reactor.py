from __future__ import annotations

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.samples import place, transaction

ANN = "ann@example.test"


@pytest_twisted.ensureDeferred
async def test_the_store_works_under_a_real_reactor_and_leaves_nothing_in_it(tmp_path):
    before = reactor.getDelayedCalls()
    store = SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor)
    await store.start()
    await store.create_account(ANN)
    told = Deferred()
    watch = store.watch(ANN, lambda notice: told.called or not notice.mailbox_ids or told.callback(notice))
    outcomes = await gatherResults([store.deliver(transaction(place(ANN))) for _ in range(20)])
    notice = await told
    watch.cancel()
    inbox = await (await store.account(ANN)).mailbox("INBOX")
    assert notice.mailbox_ids == {inbox.mailbox_id}
    assert (await inbox.status()).messages == len(outcomes) == 20
    late = store.deliver(transaction(place(ANN)))
    await store.stop()
    await late
    assert [call for call in reactor.getDelayedCalls() if call not in before] == []
