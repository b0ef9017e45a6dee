from __future__ import annotations

import psycopg
import pytest
from twisted.internet.defer import gatherResults

from twisted_mail_node.testing.samples import outgoing, place, transaction

from .conftest import ANN
from .round_trips import counting_door

pytestmark = pytest.mark.postgres


@pytest.fixture
def door(server):
    with counting_door(server.cluster.port) as door:
        yield door


@pytest.mark.parametrize("messages", [1, 20])
def test_what_is_delivered_together_is_two_round_trips(open_store, server, door, wait, messages):
    dsn = psycopg.conninfo.make_conninfo(server.dsn, host="127.0.0.1", port=door.port)
    store = open_store(dsn)
    writer_trips = door.trips[0]
    wait(store.create_account(ANN))

    def deliver():
        transactions = [transaction(place(ANN), outgoing("bob@elsewhere.test")) for _ in range(messages)]
        return wait(gatherResults([store.deliver(one) for one in transactions]))

    deliver()  # numbers are taken, and statements prepared
    before = writer_trips[0]
    for _ in range(5):
        deliver()
    assert writer_trips[0] - before == 10
