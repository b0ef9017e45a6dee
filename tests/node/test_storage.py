"""What the configured store makes of its settings."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.errors import Refused
from twisted_mail_node.mail.status import EnhancedStatus
from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.storage import make_storage
from twisted_mail_node.testing.backend import SteeredReactor
from twisted_mail_node.testing.samples import place, transaction


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize(("full", "status"), [("later", EnhancedStatus(4, 2, 2)), ("refuse", EnhancedStatus(5, 2, 2))])
def test_the_quota_of_all_accounts_is_heeded_and_what_is_full_is_told_as_wished(tmp_path, kind, full, status):
    settings = {"store": {"kind": kind}, "quota": {"messages": 1, "full": full}}
    reactor = SteeredReactor()
    store = make_storage(parse_config(settings, base=tmp_path), tmp_path / "mail.sqlite", reactor).store
    reactor.wait_for(store.start())
    try:
        reactor.wait_for(store.create_account("joe@a.test"))
        reactor.wait_for(store.deliver(transaction(place("joe@a.test"))))
        with pytest.raises(Refused) as caught:
            reactor.wait_for(store.deliver(transaction(place("joe@a.test"))))
    finally:
        reactor.wait_for(store.stop())
    assert [refusal[0] for refusal in caught.value.refusals.values()] == [status]
